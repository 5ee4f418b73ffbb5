"""Whoever has the database's password changes it in every way that comes to mind."""

import pytest

from eop.audit import purging
from eop.audit.chain import Entry, digest
from eop.audit.verification import Link
from tests.eop.audit.school import DAY_MS, damage, fill, rows, tamper, verify, write

NOW = 400 * DAY_MS


@pytest.fixture
def chain(database):
    """Ten rows, the fourth of which is about somebody."""
    fill(database, 3)
    write(database, Entry(1, "screen_opened", "camille", details={"watched": "zoe", "look": "g"}))
    fill(database, 6, at=2_000)
    return database


def test_a_chain_that_nobody_touched_is_whole(chain):
    progress = []
    report = verify(chain, progress=progress.append)
    assert (report.rows, report.damage, progress) == (10, None, [10])
    assert report.end == Link(10, rows(chain)[-1].hash)


def test_an_empty_chain_is_whole(database):
    assert verify(database).damage is None


@pytest.mark.parametrize(
    "change",
    [
        "user = 'malo'", "at = at + 1", "kind = 'signed_out'", "session = 's'",
        "workstation = 'w'", "number = 4", "details = '{}'", "hash = 'f' || substr(hash, 2, 63)",
    ],
)  # fmt: skip
def test_a_changed_field_is_found(chain, change):
    tamper(chain, f"UPDATE audit SET {change} WHERE id = 6")
    assert damage(chain) == (6, "changed")


def test_a_changed_row_with_a_hash_that_fits_is_found_by_the_next(chain):
    row = dict(rows(chain)[5]._mapping, user="malo")
    new = digest(row["previous"], row)
    tamper(chain, f"UPDATE audit SET user = 'malo', hash = '{new}' WHERE id = 6")
    assert damage(chain) == (6, "changed")


def test_a_changed_last_row_with_a_hash_that_fits_is_found_by_the_head(chain):
    row = dict(rows(chain)[9]._mapping, user="malo")
    new = digest(row["previous"], row)
    tamper(chain, f"UPDATE audit SET user = 'malo', hash = '{new}' WHERE id = 10")
    assert damage(chain) == (10, "changed")


def test_rows_removed_from_the_middle_are_found(chain):
    tamper(chain, "DELETE FROM audit WHERE id IN (5, 6)")
    assert damage(chain) == (5, "removed")


def test_rows_removed_from_the_beginning_are_found(chain):
    tamper(chain, "DELETE FROM audit WHERE id < 3")
    assert damage(chain) == (1, "removed")


def test_rows_removed_from_the_end_are_found(chain):
    tamper(chain, "DELETE FROM audit WHERE id > 8")
    assert damage(chain) == (9, "removed")


def test_everything_removed_is_found(chain):
    tamper(chain, "DELETE FROM audit")
    assert damage(chain) == (1, "removed")


def test_a_head_that_is_missing_is_found(chain):
    tamper(chain, "DELETE FROM audit_head")
    assert damage(chain) == (10, "removed")


def swap(*columns):
    given = ", ".join(
        f"{c} = (SELECT {c} FROM audit AS other WHERE other.id = 13 - audit.id)" for c in columns
    )
    return [
        "CREATE TEMP TABLE kept AS SELECT * FROM audit WHERE id IN (6, 7)",
        f"UPDATE audit SET {given.replace('FROM audit AS', 'FROM kept AS')} WHERE id IN (6, 7)",
    ]


def test_rows_that_changed_places_are_found(chain):
    columns = ("number", "at", "kind", "user", "session", "workstation", "details")
    tamper(chain, *swap(*columns, "previous", "hash"))
    assert damage(chain) == (6, "reordered")


def test_what_two_rows_tell_cannot_change_places_either(chain):
    tamper(chain, *swap("at", "details"))
    assert damage(chain) == (6, "changed")


def insert(id_, previous, own):
    return (
        "INSERT INTO audit (id, at, kind, user, session, details, previous, hash) VALUES "
        f"({id_}, 5, 'signed_in', 'malo', '', '{{}}', '{previous}', '{own}')"
    )


def forged(id_, previous):
    row = {
        "id": id_, "number": None, "at": 5, "kind": "signed_in", "user": "malo", "session": "",
        "workstation": None, "details": {},
    }  # fmt: skip
    return insert(id_, previous, digest(previous, row))


def shift(from_id):
    return [
        f"UPDATE audit SET id = -id WHERE id >= {from_id}",
        "UPDATE audit SET id = 1 - id WHERE id < 0",
    ]


def test_a_row_put_in_between_is_found(chain):
    tamper(chain, *shift(7), forged(7, rows(chain)[5].hash))
    assert damage(chain) == (7, "inserted")


def test_a_row_put_in_between_that_fits_nothing_is_found(chain):
    tamper(chain, *shift(7), forged(7, "a" * 64))
    assert damage(chain) == (7, "inserted")


def test_a_row_put_at_the_end_is_found(chain):
    tamper(chain, forged(11, rows(chain)[-1].hash))
    assert damage(chain) == (11, "inserted")


def test_a_row_in_place_of_another_is_found(chain):
    before = rows(chain)[4].hash
    tamper(chain, "DELETE FROM audit WHERE id = 6", forged(6, before))
    assert damage(chain) == (6, "changed")


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM audit_whom", "UPDATE audit_whom SET login = 'malo'",
        "UPDATE audit_whom SET at = 5", "UPDATE audit SET look = NULL WHERE id = 4",
        "INSERT INTO audit_whom (login, at, audit_id) VALUES ('malo', 1, 4)",
    ],
)  # fmt: skip
def test_whom_a_row_is_about_cannot_be_hidden_from_the_index(chain, change):
    tamper(chain, change)
    assert damage(chain) == (4, "index")


@pytest.fixture
def purged(chain):
    """The ten rows were purged: the event that tells it is the eleventh, then come five more."""
    purging.purge(chain, 365, "worker", NOW)
    fill(chain, 5, at=NOW)
    assert damage(chain) is None
    return chain


def test_after_a_purge_the_chain_begins_at_the_checkpoint(purged):
    report = verify(purged)
    assert (report.rows, report.start.id, report.end.id) == (6, 10, 16)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE audit_checkpoint SET last_id = 11",
        "UPDATE audit_checkpoint SET last_hash = (SELECT hash FROM audit WHERE id = 12)",
        "DELETE FROM audit_checkpoint",
        "INSERT INTO audit_checkpoint (at, by, last_id, last_hash, removed)"
        " SELECT at, 'worker', id, hash, 2 FROM audit WHERE id = 12",
    ],
)
def test_a_forged_checkpoint_is_found(purged, forgery):
    tamper(purged, forgery)
    assert damage(purged)[1] == "checkpoint"


def test_rows_removed_and_called_purged_are_found(chain):
    """Somebody deletes what tells of him and writes the checkpoint that fits."""
    tamper(
        chain,
        "INSERT INTO audit_checkpoint (at, by, last_id, last_hash, removed)"
        " SELECT at, 'worker', id, hash, 5 FROM audit WHERE id = 5",
        "DELETE FROM audit WHERE id <= 5",
    )
    assert damage(chain) == (5, "checkpoint")


def test_rows_removed_after_the_checkpoint_are_found(purged):
    tamper(purged, "DELETE FROM audit WHERE id = 11")
    assert damage(purged)[1] == "checkpoint"


def test_rows_removed_between_checkpoint_and_head_are_found(purged):
    tamper(purged, "DELETE FROM audit WHERE id = 13")
    assert damage(purged) == (13, "removed")


def test_a_row_before_the_checkpoint_is_found(purged):
    tamper(purged, forged(3, "a" * 64))
    assert damage(purged) == (3, "inserted")


def test_who_rewrites_the_whole_chain_is_found_by_a_hash_that_was_noted(chain):
    noted = Link(8, rows(chain)[7].hash)
    assert damage(chain, known=noted) is None
    last, changes = "0" * 64, []
    for row in rows(chain):
        new = dict(row._mapping, user="malo")
        own = digest(last, new)
        changes.append(
            f"UPDATE audit SET user = 'malo', previous = '{last}', hash = '{own}' "
            f"WHERE id = {row.id}"
        )
        last = own
    tamper(chain, *changes, f"UPDATE audit_head SET last_hash = '{last}'")
    assert damage(chain) is None
    assert damage(chain, known=noted) == (8, "changed")
    assert damage(chain, known=Link(99, noted.hash)) == (99, "removed")


def test_a_noted_row_that_was_purged_is_told(purged):
    assert damage(purged, known=Link(3, "a" * 64)) == (3, "removed")
    assert damage(purged, known=verify(purged).start) is None
