"""Every kind of source that people can be imported from, by its name."""

from collections.abc import Callable
from pathlib import Path

from eop.directory.file_source import FileSource
from eop.directory.snapshot import Source, SourceError
from eop.settings import SiteSettings


def _ldap(site: SiteSettings) -> Source:
    from eop.directory import ldap_layout  # ldap3 only where it is used
    from eop.directory.ldap_source import LdapSource

    return LdapSource(ldap_layout.access_of(site), ldap_layout.layout_of(site))


FACTORIES: dict[str, Callable[[SiteSettings], Source]] = {
    "file": lambda site: FileSource(Path(site.IMPORT_FILE)),
    "ldap": _ldap,
}
"""Name → what makes it from the settings; nothing is opened yet."""


def make(name: str, site: SiteSettings) -> Source:
    """The source of that name; raises `SourceError` unless `IMPORT_SOURCES` names it."""
    if not site.IMPORT_SOURCES:
        raise SourceError(
            "no source of people is set: name one in IMPORT_SOURCES of eop.conf, "
            'for example ["file"], with IMPORT_FILE'
        )
    if name not in site.IMPORT_SOURCES or name not in FACTORIES:
        raise SourceError(
            f"{name!r} is no source; IMPORT_SOURCES has: {', '.join(site.IMPORT_SOURCES)}"
        )
    return FACTORIES[name](site)
