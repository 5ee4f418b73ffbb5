from sqlalchemy import select

from eop.audit import journal
from eop.audit.tables import audit


def kept(house):
    with house.parts.database.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.number.is_not(None))).all()
    return [(row.number, row.kind, row.user, row.workstation, row.details) for row in rows]


def append(house, kind="screen_opened", mode="view"):
    journal = house.daemon.journal
    (number,) = journal.write([journal.entry(kind, "camille", "session", "pc", {"mode": mode})])
    return number


def test_events_are_stored_and_acknowledged(house):
    numbers = [append(house), append(house, "screen_closed")]
    assert journal.pull(house.parts.database, house.parts.daemon) == 2
    assert kept(house) == [
        (numbers[0], "screen_opened", "camille", "pc", {"mode": "view"}),
        (numbers[1], "screen_closed", "camille", "pc", {"mode": "view"}),
    ]
    assert house.daemon.journal.waiting() == 0
    assert journal.pull(house.parts.database, house.parts.daemon) == 0


def test_more_events_than_one_answer_holds_are_all_stored(house):
    for _ in range(620):
        append(house)
    assert journal.pull(house.parts.database, house.parts.daemon) == 620
    assert len(kept(house)) == 620


def test_an_event_whose_acknowledgement_was_lost_is_stored_once(house, monkeypatch):
    append(house)
    monkeypatch.setattr(house.parts.daemon, "acknowledge", lambda up_to: None)
    monkeypatch.setattr(journal, "MAX_PULLS", 1)
    assert journal.pull(house.parts.database, house.parts.daemon) == 1
    assert journal.pull(house.parts.database, house.parts.daemon) == 0
    monkeypatch.undo()
    assert len(kept(house)) == 1


def test_a_journal_that_counts_from_one_again_loses_nothing(house):
    append(house)
    journal.pull(house.parts.database, house.parts.daemon)
    house.stop_daemon()
    house.parts.daemon.close()
    house.shared.store_file.unlink()
    house.start_daemon()
    number = append(house, "wall_opened")
    assert number == 1
    assert journal.pull(house.parts.database, house.parts.daemon) == 1
    assert [row[:2] for row in kept(house)] == [(1, "screen_opened"), (1, "wall_opened")]
