"""The audit's chain: every row carries the hash of the one before it.

hash = SHA-256(previous ‖ encoding), in hexadecimal, where `previous` are the 64 hexadecimal digits
of the row before (`GENESIS` before the first) and the encoding is that of `encoded`. The format is
told to others in docs/privacy.md: it does not change.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from eop.audit.tables import audit, audit_head, audit_whom
from eop.errors import InvalidError

GENESIS = "0" * 64
HEAD_ID = 1
COLUMNS = ("id", "number", "at", "kind", "user", "session", "workstation", "details")
"""What is hashed of a row."""

MAX_DETAILS_BYTES = 64 * 1024  # as large as a request: a list of names, not a document
MAX_DEPTH = 8  # of lists in lists
MAX_INTEGER = 2**53  # what every JSON reader keeps exactly
WHOM_KEYS = ("watched", "login", "target")
"""The keys of `details` that name people; `watched` may name several, with spaces between."""

_lock = select(audit_head.c.last_id, audit_head.c.last_hash).with_for_update()
_insert = insert(audit)
_insert_whom = insert(audit_whom)
_move = update(audit_head).where(audit_head.c.id == HEAD_ID)
_LENGTHS = {
    name: audit.c[name].type.length  # type: ignore[attr-defined]
    for name in ("kind", "user", "session", "workstation")
}


@dataclass(frozen=True)
class Entry:
    """An event before it has its place in the chain; `at` in ms since 1970, `user` did it."""

    at: int
    kind: str
    user: str = ""
    session: str = ""
    workstation: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    number: int | None = None


def append(connection: Connection, entries: Sequence[Entry]) -> None:
    """Put events at the end of the chain, in the caller's writing transaction.

    Others who append wait until that transaction ends: on SQLite writing transactions follow each
    other anyway, elsewhere the row of the head is locked. Raises `InvalidError`.
    """
    if not entries:
        return
    head = connection.execute(_lock).one()
    last_id, last_hash = int(head.last_id), str(head.last_hash)
    rows: list[dict[str, Any]] = []
    whom: list[dict[str, Any]] = []
    for entry in entries:
        last_id += 1
        row = {"id": last_id, **_values(entry)}
        row |= {"previous": last_hash, "hash": digest(last_hash, row)}
        row["look"] = look_of(row["details"])
        last_hash = row["hash"]
        rows.append(row)
        whom += [
            {"login": one, "at": entry.at, "audit_id": last_id} for one in whom_of(row["details"])
        ]
    connection.execute(_insert, rows)
    if whom:
        connection.execute(_insert_whom, whom)
    connection.execute(_move, {"last_id": last_id, "last_hash": last_hash})


def digest(previous: str, row: Mapping[Any, Any]) -> str:
    """The hash of a row that follows the one whose hash is `previous`."""
    return hashlib.sha256(previous.encode() + encoded(row)).hexdigest()


def encoded(row: Mapping[Any, Any]) -> bytes:
    """The one encoding of a row: JSON in UTF-8, keys sorted, no blanks, the keys of `COLUMNS`."""
    return msgspec.json.encode({name: row[name] for name in COLUMNS}, order="deterministic")


def look_of(details: Mapping[str, Any]) -> str | None:
    """What the opening and the closing of a screen or wall have in common, if they say it."""
    look = details.get("look")
    return look if isinstance(look, str) and len(look) <= 64 else None


def whom_of(details: Mapping[str, Any]) -> list[str]:
    """The logins that `details` name."""
    found: dict[str, None] = {}
    for key in WHOM_KEYS:
        text = details.get(key)
        if isinstance(text, str):
            found |= dict.fromkeys(text.split())
    return [login for login in found if len(login) <= 64]


def _values(entry: Entry) -> dict[str, Any]:
    details = _plain(entry.details)
    if len(msgspec.json.encode(details)) > MAX_DETAILS_BYTES:
        raise InvalidError(f"{entry.kind}: the details of an event have {MAX_DETAILS_BYTES} bytes")
    return {
        "number": entry.number,
        "at": entry.at,
        "kind": _line(entry.kind, "kind"),
        "user": _line(entry.user, "user"),
        "session": _line(entry.session, "session"),
        "workstation": entry.workstation and _line(entry.workstation, "workstation"),
        "details": details,
    }


def _line(text: str, column: str) -> str:
    return _text(text)[: _LENGTHS[column]]


def _text(text: str) -> str:
    """What every database and every reader of UTF-8 takes."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _plain(value: Any, depth: int = 0) -> Any:
    """The same as text, whole numbers, lists and objects: these come back as they went in."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < MAX_INTEGER else str(value)
    if depth < MAX_DEPTH and isinstance(value, Mapping):
        return {_text(str(key)): _plain(one, depth + 1) for key, one in value.items()}
    if depth < MAX_DEPTH and isinstance(value, (list, tuple)):
        return [_plain(one, depth + 1) for one in value]
    if depth < MAX_DEPTH and isinstance(value, (set, frozenset)):
        return sorted(str(_plain(one, depth + 1)) for one in value)
    return _text(str(value))
