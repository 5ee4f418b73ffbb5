import pytest
from sqlalchemy import func, select

from eop.audit import purging
from eop.audit.chain import Entry
from eop.audit.purging import Purged
from eop.audit.tables import audit_checkpoint, audit_whom
from tests.eop.audit.school import DAY_MS, damage, fill, rows, verify, write

NOW = 1000 * DAY_MS


def purge(database, days=365, now=NOW):
    return purging.purge(database, days, "worker", now)


def checkpoints(database):
    with database.read() as connection:
        found = connection.execute(select(audit_checkpoint)).all()
    return [(one.by, one.at, one.last_id, one.removed) for one in found]


def test_what_is_too_old_goes_and_the_rest_stays_whole(database):
    fill(database, 7, at=NOW - 366 * DAY_MS)
    fill(database, 3, at=NOW - 364 * DAY_MS)
    assert purge(database) == Purged(7, 7)
    assert [row.id for row in rows(database)] == [8, 9, 10, 11]
    last = rows(database)[-1]
    assert (last.kind, last.user) == ("audit_purged", "worker")
    assert last.details["removed"] == 7
    assert checkpoints(database) == [("worker", NOW, 7, 7)]
    assert damage(database) is None
    assert purge(database) == Purged()
    assert len(rows(database)) == 4


def test_an_event_of_exactly_so_many_days_is_kept_and_one_past_it_is_not(database):
    fill(database, 1, at=NOW - 365 * DAY_MS - 1)
    fill(database, 1, at=NOW - 365 * DAY_MS)
    assert purge(database).removed == 1


def test_without_a_limit_nothing_goes(database):
    fill(database, 3, at=0)
    assert purge(database, days=0) == Purged()
    assert len(rows(database)) == 3


def test_everything_may_go(database):
    fill(database, 3, at=0)
    assert purge(database).removed == 3
    assert [row.kind for row in rows(database)] == ["audit_purged"]
    assert damage(database) is None


def test_what_was_written_after_a_young_event_waits_for_it(database):
    fill(database, 2, at=NOW)
    fill(database, 2, at=0)  # the daemon's journal, fetched late
    assert purge(database) == Purged()
    assert len(rows(database)) == 4


def test_an_event_from_the_future_keeps_nothing(database):
    fill(database, 1, at=NOW + 10_000 * DAY_MS)
    fill(database, 2, at=0)
    assert purge(database).removed == 3


def test_a_purge_goes_in_batches_each_with_its_checkpoint(database, monkeypatch):
    monkeypatch.setattr(purging, "BATCH", 4)
    fill(database, 10, at=0)
    assert purge(database) == Purged(10, 10)
    assert [one[3] for one in checkpoints(database)] == [4, 4, 2]
    assert damage(database) is None
    assert verify(database).start.id == 10


def test_one_run_is_bounded(database, monkeypatch):
    monkeypatch.setattr(purging, "BATCH", 4)
    monkeypatch.setattr(purging, "MAX_BATCHES", 2)
    fill(database, 10, at=0)
    assert purge(database) == Purged(8, 8)
    assert damage(database) is None


def test_whom_purged_events_were_about_is_forgotten_too(database):
    write(database, Entry(0, "screen_opened", details={"watched": "zoe.martin"}))
    purge(database)
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(audit_whom)) == 0


@pytest.mark.parametrize("days", [365, 0])
def test_what_would_go_is_told_without_removing_it(database, days):
    fill(database, 3, at=0)
    with database.read() as connection:
        due = purging.due(connection, days, NOW)
    assert due == (Purged(3, 3) if days else Purged())
    assert len(rows(database)) == 3


def test_a_second_purge_begins_where_the_first_ended(database):
    fill(database, 3, at=0)
    fill(database, 3, at=NOW)
    purge(database)
    assert purge(database, now=NOW + 366 * DAY_MS).removed == 4
    assert damage(database) is None
    assert verify(database).start.id == 7
