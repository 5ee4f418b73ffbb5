"""Birth dates, as sources write them and as they are kept. Pure."""

import re
from datetime import date

from eop.errors import N_, InvalidError

MAX_CHARACTERS = 32  # of what a source may give; an LDAP time has 15
FIRST_YEAR = 1900
LAST_YEAR = 2100  # a source whose years are beyond is broken

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_EUROPEAN = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_LDAP = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{2,6}(?:\.\d+)?Z?)?")


def read(text: str) -> str:
    """2012-03-14 from that, 14/03/2012, 14.03.2012, 20120314 or an LDAP time; "" from nothing.

    Raises `ValueError` for what is no date of a person who lives.
    """
    text = text.strip()
    if not text:
        return ""
    for pattern, is_european in ((_ISO, False), (_EUROPEAN, True), (_LDAP, False)):
        found = pattern.fullmatch(text[:MAX_CHARACTERS])
        if found is not None:
            numbers = [int(part) for part in found.groups()]
            year, month, day = reversed(numbers) if is_european else numbers
            if not FIRST_YEAR <= year <= LAST_YEAR:
                break
            return date(year, month, day).isoformat()
    raise ValueError("no date: write 2012-03-14 or 14/03/2012")


def checked(text: str) -> str:
    """The same; raises `InvalidError`, which does not repeat what was given."""
    try:
        return read(text)
    except ValueError as error:
        raise InvalidError(N_("a birth date is written 2012-03-14 or 14/03/2012")) from error
