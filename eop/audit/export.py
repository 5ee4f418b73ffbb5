"""The audit as a file for others: CSV for a spreadsheet, JSON Lines for a program."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Row

from eop.audit.chain import COLUMNS
from eop.audit.search import OLDEST, Criteria, search
from eop.database import Database

BATCH = 1000  # rows read together, each in a transaction of its own: nobody waits for a download
LAST_MOMENT_MS = 253_000_000_000_000  # in the year 9987: what a calendar can tell
HASHES = ("previous", "hash")
HEADS = ("time", *COLUMNS, *HASHES)
FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would carry out a cell that begins like this."""

Format = Literal["csv", "jsonl"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl")
MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv", "jsonl": "application/jsonl"}


def lines(database: Database, criteria: Criteria, form: Format) -> Iterator[str]:
    """The file, in parts: what is found, the oldest first."""
    if form == "jsonl":
        return (_json(rows) for rows in _batches(database, criteria))
    return _csv(database, criteria)


def _batches(database: Database, criteria: Criteria) -> Iterator[list[Row[Any]]]:
    after = OLDEST
    while True:
        with database.read() as connection:
            page = search(connection, criteria, after=after, limit=BATCH)
        if page.rows:
            yield page.rows[::-1]
        if page.newer is None:
            return
        after = page.newer


def _json(rows: Iterable[Row[Any]]) -> str:
    values = ({name: getattr(row, name) for name in (*COLUMNS, *HASHES)} for row in rows)
    return "".join(msgspec.json.encode(value).decode() + "\n" for value in values)


def _csv(database: Database, criteria: Criteria) -> Iterator[str]:
    yield ",".join(HEADS) + "\r\n"
    for rows in _batches(database, criteria):
        text = io.StringIO()
        csv.writer(text).writerows(_cells(row) for row in rows)
        yield text.getvalue()


def _cells(row: Row[Any]) -> list[str]:
    moment = datetime.fromtimestamp(min(max(row.at, 0), LAST_MOMENT_MS) / 1000, UTC)
    time = moment.isoformat(timespec="milliseconds")
    values = (getattr(row, name) for name in (*COLUMNS, *HASHES))
    return [time, *(_cell(value) for value in values)]


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = msgspec.json.encode(value).decode() if isinstance(value, dict) else str(value)
    text = " ".join(text.splitlines())  # a line is an event
    return f"'{text}" if text.startswith(FORMULA_BEGINNINGS) else text
