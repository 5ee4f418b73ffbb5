"""The one person of a directory whom a typed login means."""

import logging
from collections.abc import Sequence

from eop.directory.ldap_adapter import Entry, Link, escaped
from eop.directory.ldap_layout import Layout
from eop.directory.ldap_state import ATTRIBUTES
from eop.directory.users import canonical_login

MAX_ALIKE = 10  # entries that a directory takes for the same login

logger = logging.getLogger(__name__)


def find(link: Link, layout: Layout, typed: str, also: Sequence[str] = ()) -> Entry | None:
    """The entry of a canonical login, read with what its state needs, and these attributes, too.

    A directory compares more loosely than we do (accents, width, invisible signs). Another
    spelling would be counted by the throttle as someone else, so only what is the same here counts.
    """
    value = escaped(typed)
    either = "".join(f"({attribute}={value})" for attribute in layout.typed)
    wanted = f"(&{layout.people.filter}(|{either}))"
    attributes = [layout.login, layout.name, *layout.typed, *ATTRIBUTES, *also]
    found = {
        entry.dn: entry
        for base in layout.people.bases
        for entry in link.search(base, wanted, attributes, limit=MAX_ALIKE)
        if entry.dn and entry.text(layout.login) and _is_called(entry, layout, typed)
    }
    if len(found) > 1:
        logger.warning("the directory knows several people by one login; none is let in")
        return None
    return next(iter(found.values()), None)


def _is_called(entry: Entry, layout: Layout, typed: str) -> bool:
    return any(
        canonical_login(text) == typed
        for attribute in layout.typed
        for text in entry.texts(attribute)
    )
