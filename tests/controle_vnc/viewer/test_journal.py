import sqlite3

import pytest

from controle_vnc.control.messages import MAX_EVENTS_A_PULL, MAX_MESSAGE_BYTES, Events, encode
from controle_vnc.errors import JournalError
from controle_vnc.store import upgrade
from controle_vnc.viewer.journal import MAX_DETAIL_BYTES, Journal


@pytest.fixture
def path(tmp_path):
    upgrade(tmp_path / "store.db")
    return tmp_path / "store.db"


@pytest.fixture
def journal(path):
    journal = Journal(path, clock=lambda: 12.5)
    yield journal
    journal.close()


def write(journal, kind="screen_opened", **details):
    (number,) = journal.write([journal.entry(kind, "camille", "session", "w1", details)])
    return number


def test_events_are_numbered_and_come_back_in_order(journal):
    assert [write(journal, n=n) for n in range(3)] == [1, 2, 3]
    events = journal.after(1)
    assert [event.number for event in events] == [2, 3]
    assert events[0].at == 12500
    assert events[0].details == {"n": 1}


def test_an_event_outlives_the_daemon(journal, path):
    write(journal)
    again = Journal(path)
    assert again.waiting() == 1
    assert again.after(0)[0].kind == "screen_opened"
    again.close()


def test_an_event_is_on_disk_when_write_returns(journal, path):
    write(journal)
    with journal._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_numbers_go_on_after_everything_was_acknowledged(journal):
    write(journal)
    assert write(journal) == 2
    assert journal.acknowledge(2) == 2
    assert journal.waiting() == 0
    assert write(journal) == 3


def test_only_what_was_acknowledged_is_forgotten(journal):
    for _ in range(3):
        write(journal)
    assert journal.acknowledge(2) == 2
    assert [event.number for event in journal.after(0)] == [3]


def test_a_full_journal_refuses_and_an_acknowledgement_makes_room(path):
    journal = Journal(path, limit=2)
    write(journal)
    write(journal)
    with pytest.raises(JournalError, match="full"):
        write(journal)
    journal.acknowledge(1)
    write(journal)
    journal.close()


def test_events_that_are_written_together_are_numbered_in_order_and_kept_all_or_none(path):
    journal = Journal(path, limit=3)
    entries = [journal.entry(kind, "camille", "session", None, {}) for kind in ("a", "b")]
    assert journal.write(entries) == [1, 2]
    with pytest.raises(JournalError, match="full: 2 events"):
        journal.write(entries)
    assert [event.kind for event in journal.after(0)] == ["a", "b"]
    assert journal.waiting() == 2
    assert journal.write(entries[:1]) == [3]
    journal.close()


def test_details_at_the_limit_are_kept_and_one_more_is_refused(journal):
    room = MAX_DETAIL_BYTES - len('{"t": ""}')
    write(journal, t="x" * room)
    with pytest.raises(JournalError, match="too large"):
        write(journal, t="x" * (room + 1))


def test_a_journal_that_cannot_be_written_says_so(journal, path):
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE journal")
    connection.close()
    with pytest.raises(JournalError, match="cannot be written"):
        write(journal)


def test_a_pull_gives_no_more_than_fits_in_a_message(journal):
    entry = journal.entry("k" * 32, "é" * 128, "é" * 128, "é" * 64, {"t": "x" * 1000})
    journal.write([entry] * (MAX_EVENTS_A_PULL + 1))
    events = journal.after(0, 10_000)
    assert 0 < len(events) <= MAX_EVENTS_A_PULL
    assert len(encode(Events(events=events))) < MAX_MESSAGE_BYTES
    assert journal.after(events[-1].number)[0].number == events[-1].number + 1


@pytest.mark.parametrize("limit", [0, -1])
def test_a_senseless_limit_gives_nothing(journal, limit):
    write(journal)
    assert journal.after(0, limit) == []
