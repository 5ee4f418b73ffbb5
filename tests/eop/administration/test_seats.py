import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.administration import seats
from eop.administration.import_lock import only_import
from eop.errors import DaemonDownError
from eop.worker import Worker


def users_of(house):
    return {one.name: one.user for one in house.parts.daemon.workstations()}


def queue(house, **logins):
    with house.parts.database.write() as connection:
        seats.queue(connection, logins, "root")


def deliver(house):
    with only_import():
        return seats.deliver_or_raise(house.parts.database, house.parts.daemon)


def call_off(house, files, number, login):
    """Let the source give a student another login, and import that."""
    files.rows[f"p{number}"] = f"{number};{login};Someone;student;3eB;"
    files.write()
    return files.run()


def down(house):
    house.stop_daemon()
    house.parts.daemon.close()


@given(st.permutations(range(7)), st.integers(0, 2))
def test_one_after_the_other_everybody_gets_his_own_seat(order, offset):
    logins = {f"p{n}": f"p{to + offset}" for n, to in enumerate(order) if n != to + offset}
    taken = {one: one for one in {*logins, *logins.values()}}
    at = {one: one for one in logins}  # who sits where, by the name he had
    for before, after in seats.in_order(logins):
        taken.pop(before, None)
        sits = [one for one, now in at.items() if now == before]
        assert len(sits) == 1
        assert after not in at.values()
        at[sits[0]] = after
    assert at == logins


def test_who_was_renamed_while_the_daemon_was_down_gets_his_seat_when_it_is_back(house, files):
    house.add_workstation("pc-01", "S1", user="p1")
    files.run()
    down(house)
    assert call_off(house, files, 1, "zoe").outcome == "partly"
    steady = [0.0]
    worker = Worker(house.parts, lambda: steady[0])
    worker.tick()
    house.start_daemon()
    steady[0] = 10.0
    worker.tick()
    worker.close()
    assert users_of(house) == {"pc-01": "zoe"}


def test_a_name_that_is_overtaken_by_a_newer_one_leads_to_that(house, files):
    house.add_workstation("pc-01", "S1", user="p1")
    house.add_workstation("pc-02", "S1", user="p2")
    files.run()
    down(house)
    call_off(house, files, 1, "zoe")
    house.start_daemon()
    files.seat(pc_01="S9")
    files.rows["p2"] = "2;p1;Someone;student;3eB;"
    assert call_off(house, files, 1, "zoe.martin").outcome == "done"
    assert users_of(house) == {"pc-01": "zoe.martin", "pc-02": "p1"}
    assert house.parts.daemon.workstations(room="S9")[0].user == "zoe.martin"


def test_a_swap_that_breaks_off_in_the_middle_is_finished_and_not_begun_anew(house, monkeypatch):
    for name, user in (("pc-01", "a"), ("pc-02", "b"), ("pc-03", "c")):
        house.add_workstation(name, "S1", user=user)
    queue(house, a="b", b="c", c="a")
    save, daemon = house.parts.daemon.save, house.parts.daemon
    calls = []

    def save_and_break_off(request):
        calls.append(save(request))  # it was heard, and the answer is lost
        if len(calls) in (1, 3):
            raise DaemonDownError("gone")

    monkeypatch.setattr(daemon, "save", save_and_break_off)
    for _ in range(2):
        with pytest.raises(DaemonDownError):
            deliver(house)
    assert deliver(house) == []
    assert users_of(house) == {"pc-01": "b", "pc-02": "c", "pc-03": "a"}
    assert deliver(house) == []


def test_while_an_import_runs_the_worker_leaves_it_to_that(house):
    house.add_workstation("pc-01", "S1", user="a")
    queue(house, a="b")
    with only_import():
        seats.repeat(house.parts.database, house.parts.daemon)
    assert users_of(house) == {"pc-01": "a"}
    seats.repeat(house.parts.database, house.parts.daemon)
    assert users_of(house) == {"pc-01": "b"}


def test_a_workstation_that_is_refused_is_told_and_stops_no_other(house):
    house.add_workstation("pc-01", "S1", user="a")
    house.add_workstation("pc-02", "S1", user="b")
    queue(house, a="x" * 65, b="c")
    (sentence,) = deliver(house)
    assert sentence.startswith("pc-01: ")
    assert users_of(house) == {"pc-01": "a", "pc-02": "c"}
