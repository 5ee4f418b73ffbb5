"""What a search of the audit asks for, as it stands in an address or on a command line."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from eop.audit.search import Criteria, Cursor, Part, persons_of
from eop.audit.sentences import GROUPS, KINDS
from eop.errors import N_, InvalidError

MAX_FILTER_CHARACTERS = 120  # as long as a name
MAX_CURSOR_CHARACTERS = 40  # two numbers of 19 digits
FIRST_YEAR, LAST_YEAR = 1970, 9998  # what the clocks of all systems can tell
PARTS: tuple[Part, ...] = ("any", "who", "whom")


@dataclass(frozen=True)
class Filters:
    """What was typed. `kind` is a kind or a group of kinds, `since` and `until` are days."""

    person: str = ""
    part: str = "any"
    kind: str = ""
    workstation: str = ""
    since: str = ""
    until: str = ""

    @property
    def given(self) -> dict[str, str]:
        """Those that matter, for an address."""
        values = asdict(self)
        return {key: value for key, value in values.items() if value and value != "any"}


def read(values: Mapping[str, str]) -> Filters:
    """The filters of an address or a form; each is cut to its longest."""
    return Filters(
        **{
            key: values.get(key, default).strip()[:MAX_FILTER_CHARACTERS]
            for key, default in asdict(Filters()).items()
        }
    )


def criteria(
    connection: Connection, filters: Filters, workstations: tuple[str, ...] | None
) -> Criteria:
    """What to search for; raises `InvalidError`. `workstations`: the ids of the one named."""
    if filters.part not in PARTS:
        raise InvalidError(f"part: {' or '.join(PARTS)}, not {filters.part!r}")
    return Criteria(
        persons=persons_of(connection, filters.person) if filters.person else None,
        part=filters.part,
        kinds=_kinds(filters.kind),
        workstations=workstations if filters.workstation else None,
        from_ms=_beginning(filters.since) if filters.since else None,
        until_ms=_beginning(filters.until, 1) if filters.until else None,
    )


def _kinds(text: str) -> tuple[str, ...]:
    if not text or text in KINDS:
        return (text,) if text else ()
    if text in GROUPS:
        return tuple(kind for kind, known in KINDS.items() if known.group == text)
    raise InvalidError(f"kind: there is no kind {text!r}")


def _beginning(text: str, days_later: int = 0) -> int:
    """When a day begins here, in ms since 1970."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidError(
            N_("a day is written like 2026-11-21, not %(text)s"), text=repr(text)
        ) from error
    if not FIRST_YEAR < day.year < LAST_YEAR:
        years = {"first": str(FIRST_YEAR), "last": str(LAST_YEAR), "year": str(day.year)}
        raise InvalidError(N_("a year between %(first)s and %(last)s, not %(year)s"), **years)
    begins = datetime.combine(day + timedelta(days=days_later), time.min).astimezone()
    return int(begins.timestamp() * 1000)


def cursor(text: str | None) -> Cursor | None:
    """A place among the pages, from an address; nonsense is no place."""
    if not text or len(text) > MAX_CURSOR_CHARACTERS:
        return None
    at, _, id_ = text.partition("-")
    if not (at.isascii() and at.isdigit() and id_.isascii() and id_.isdigit()):
        return None
    return Cursor(min(int(at), 2**62), min(int(id_), 2**31 - 1))
