"""What a file of workstations would change: compared with those that are there. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from controle_vnc.control.messages import SaveWorkstation, Workstation
from eop.administration.workstation_csv import Row

SAVE_SECONDS = 20.0  # two thousand changes in one transaction on a busy server

Kind = Literal["add", "change", "keep"]


@dataclass(frozen=True)
class Difference:
    """One field that changes; the password's values are not known here, and never told."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """What one line does."""

    row: Row
    kind: Kind
    user: str | None
    differences: tuple[Difference, ...] = ()

    def request(self, by: str) -> SaveWorkstation:
        row = self.row
        return SaveWorkstation(
            name=row.name, room=row.room, address=row.address, password=row.password,
            user=self.user, replace=self.kind == "change", by=by,
            vnc_user=row.vnc_user, trust=row.trust,
        )  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Every line of a file, and how many workstations it does not name."""

    changes: list[Change]
    others: int

    def of(self, kind: Kind) -> list[Change]:
        return [one for one in self.changes if one.kind == kind]

    @property
    def requests(self) -> list[Change]:
        """What is to be told to controle-vnc."""
        return [one for one in self.changes if one.kind != "keep"]

    @property
    def digest(self) -> str:
        """The same for the same changes: what was confirmed is what is done."""
        told = [(one.kind, one.user, one.differences, one.row) for one in self.changes]
        return hashlib.sha256(repr(told).encode("utf-8", "surrogatepass")).hexdigest()


def make(rows: Iterable[Row], known: Iterable[Workstation]) -> Plan:
    """Compare the lines with the workstations, by name."""
    stored = {one.name: one for one in known}
    changes = [_change(row, stored.get(row.name)) for row in rows]
    named = {one.row.name for one in changes}
    return Plan(changes, len(stored.keys() - named))


def _change(row: Row, stored: Workstation | None) -> Change:
    if stored is None:
        return Change(row, "add", row.user or None)
    user = (stored.user if row.user is None else row.user) or None
    pairs = (
        ("room", stored.room, row.room),
        ("address", stored.address, row.address),
        ("user", stored.user or "", user or ""),
        ("vnc_user", stored.vnc_user or "", _unless_none(row.vnc_user, stored.vnc_user)),
        ("trust", stored.trust or "", _unless_none(row.trust, stored.trust)),
    )
    found = [Difference(field, old, new) for field, old, new in pairs if old != new]
    if row.password is not None:
        found.append(Difference("password", "", ""))
    return Change(row, "change" if found else "keep", user, tuple(found))


def _unless_none(given: str | None, stored: str | None) -> str:
    return (stored or "") if given is None else given
