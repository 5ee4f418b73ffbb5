"""Names of sites, as a teacher types them into a preset. Pure."""

import re

from eop.errors import N_, InvalidError

MAX_SITES = 100  # of one preset; a longer list is nobody's own any more
MAX_HOST_CHARACTERS = 253  # RFC 1035, in its ASCII form
MAX_SHOWN = 60  # of a wrong one, in what is said of it

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def checked_host(text: str) -> str:
    """A host name in lower case and ASCII; it stands for what is below it, too.

    Raises `InvalidError` for addresses of pages, for IP addresses and for names without a dot.
    """
    name = text.strip().rstrip(".").lower()
    labels = _ascii(name).split(".") if 0 < len(name) <= MAX_HOST_CHARACTERS else []
    is_name = len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
    # a last label of digits alone is of an IP address (RFC 3696)
    if not is_name or labels[-1].isdecimal() or len(".".join(labels)) > MAX_HOST_CHARACTERS:
        shown = "".join(letter if letter.isprintable() else "?" for letter in text.strip())
        raise InvalidError(
            N_(
                "“%(text)s” is not the name of a site: write it like fr.wikipedia.org, "
                "without https:// and without what follows."
            ),
            text=shown[:MAX_SHOWN],
        )
    return ".".join(labels)


def checked_hosts(texts: list[str]) -> list[str]:
    """Several names, each once, in the order given; raises `InvalidError`."""
    hosts = list(dict.fromkeys(checked_host(text) for text in texts))
    if len(hosts) > MAX_SITES:
        raise InvalidError(N_("At most %(most)s sites in a preset."), most=MAX_SITES)
    return hosts


def _ascii(name: str) -> str:
    """The name as the network writes it (é becomes xn--…); empty where there is no such form."""
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
