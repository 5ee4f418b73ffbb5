import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from sqlalchemy import event, select
from sqlalchemy.dialects import postgresql

from eop.aaa.tables import password_history, sign_in_step
from eop.administration import import_run, import_store
from eop.administration.import_clock import ImportClock
from eop.administration.import_lock import ImportRunningError, is_held, only_import
from eop.administration.import_run import MAX_PLANS
from eop.administration.import_store import ANYTHING, KEPT_RUNS, QUEUED, Order
from eop.audit.tables import audit
from eop.directory import importer, plan, sources, users
from eop.directory.snapshot import Person, Snapshot, SourceError


def audited(house):
    with house.parts.database.read() as connection:
        query = select(audit).where(audit.c.kind.like("%import%")).order_by(audit.c.id)
        return [(row.kind, row.user, row.details) for row in connection.execute(query)]


def logins(house):
    with house.parts.database.read() as connection:
        return {one.login: one.state for one in users.list_all(connection)}


def test_an_import_is_kept_with_its_counts_and_audited(house, files):
    run = files.run()
    assert (run.outcome, run.by, run.source) == ("done", "root", "file")
    assert run.summary["counts"] == {"new": 11, "class_new": 1}
    assert run.summary["people"] == 11
    (told,) = audited(house)
    assert told[:2] == ("people_imported", "root")
    assert (told[2]["new"], told[2]["class_new"]) == (11, 1)
    assert told[2]["roles"] == ["t.one: - → teacher"]
    assert files.run().summary["counts"] == {}


def test_three_new_one_disabled_and_two_moved(files):
    files.student(11, classes="4eC")
    files.run()
    for number in (21, 22, 23):
        files.student(number)
    files.remove("p11")
    files.student(1, classes="4eC")
    files.student(2, classes="4eC")
    counts = files.run().summary["counts"]
    assert (counts["new"], counts["disabled"], counts["moved"]) == (3, 1, 2)


def test_conflicts_make_it_partial(house, files):
    house.add_user("p1", role="student")
    run = files.run()
    assert run.outcome == "partly"
    assert run.summary["conflicts"] == {
        "count": 1,
        "listed": [{"what": "person", "name": "p1", "code": "local", "detail": ""}],
    }


def test_the_brake_changes_nothing_and_says_why(house, files):
    files.run()
    files.remove("p1", "p2", "p3")
    files.student(99)
    run = files.run()
    assert run.outcome == "braked"
    assert {"code": "people", "name": "", "lost": 3, "of": 11} in run.summary["brakes"]
    assert "p99" not in logins(house)
    assert logins(house)["p1"] == "active"
    assert audited(house)[-1][0] == "import_braked"
    assert audited(house)[-1][2]["brakes"] == ["people : 3 of 11"]


def test_a_confirmation_is_for_what_was_shown(house, files):
    files.run()
    files.remove("p1", "p2", "p3")
    shown = files.run().summary["digest"]
    files.remove("p4")
    assert files.run(confirmed=shown).outcome == "braked"
    files.student(4)
    assert files.run(confirmed=shown).outcome == "done"
    assert logins(house)["p1"] == "disabled"
    assert audited(house)[-1][2]["confirmed"] == 1


def test_anything_may_be_forced_but_a_source_that_says_nothing(house, files):
    files.run()
    files.remove(*[f"p{n}" for n in range(1, 11)])
    assert files.run(confirmed=ANYTHING).outcome == "done"
    files.remove("t.one")
    run = files.run(confirmed=ANYTHING)
    assert (run.outcome, run.summary["confirmable"]) == ("braked", False)
    assert logins(house)["t.one"] == "active"


def test_a_source_that_cannot_be_read_fails_and_says_where(house, files):
    files.rows["x"] = "99;x;X;king"
    files.write()
    run = files.run()
    assert run.outcome == "failed"
    assert "people.csv, line 13, column role" in run.summary["error"]
    assert audited(house)[-1][0] == "import_failed"


def test_a_dry_run_changes_nothing(house, files):
    run = files.run(dry_run=True)
    assert (run.outcome, run.summary["counts"]["new"]) == ("planned", 11)
    assert set(logins(house)) == {"camille"}
    assert audited(house) == []


def test_what_breaks_in_the_middle_is_kept_as_failed_and_nothing_else(house, files, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a fault of the program")

    monkeypatch.setattr(importer, "_store_members", broken)
    with pytest.raises(ZeroDivisionError):
        files.run()
    assert set(logins(house)) == {"camille"}
    (told,) = audited(house)
    assert told[0] == "import_failed"
    with house.parts.database.read() as connection:
        (run,) = import_store.recent(connection, 10)
    assert (run.outcome, run.summary["error"]) == ("failed", "the program failed; see eop.log")


KILLED = """
import os, signal, sys
from eop.administration import import_process
from eop.directory import importer
importer._store_members = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
import_process.main(sys.argv[1:])
"""


def test_what_is_killed_in_the_middle_leaves_nothing_half_done(house, files):
    with house.parts.database.write() as connection:
        number = import_store.add(connection, Order("file", "root"), QUEUED, house.parts.now_ms())
    command = [sys.executable, "-c", KILLED, str(number)]
    done = subprocess.run(command, env={**os.environ, **house.environ}, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert set(logins(house)) == {"camille"}
    clock = ImportClock(house.parts)
    clock.tick()
    with house.parts.database.read() as connection:
        assert import_store.find(connection, number).summary["error"] == "it was interrupted"
    assert files.run().outcome == "done"


@pytest.mark.parametrize(("count", "outcome"), [(3, "done"), (4, "failed")])
def test_a_source_names_no_more_than_a_school_can_have(files, monkeypatch, count, outcome):
    class Large:
        name = "file"

        def read(self, progress):
            return Snapshot(
                tuple(Person(str(n), f"q{n}", "Q", "student") for n in range(count)), ()
            )

    monkeypatch.setattr(import_run, "MAX_PEOPLE", 3)
    monkeypatch.setitem(sources.FACTORIES, "file", lambda site: Large())
    assert files.run().outcome == outcome


def test_workstations_go_to_the_rooms_of_the_source(house, files):
    house.add_workstation("PC-01", "S1", user="p1")
    house.add_workstation("pc-02", "S2")
    files.seat(**{"pc_01.school.example": "S12", "pc_02": "S2", "pc_03": "S12"})
    preview = import_run.preview(house.parts, Order("file", "root"))
    assert preview["counts"]["room"] == 1
    run = files.run()
    assert run.outcome == "done"
    assert run.summary["groups"]["room"] == [
        {"name": "PC-01", "label": "", "changes": [["room", "S1", "S12"]]}
    ]
    assert {one.name: (one.room, one.user) for one in house.parts.daemon.workstations()} == {
        "PC-01": ("S12", "p1"), "pc-02": ("S2", None),
    }  # fmt: skip
    assert "room" not in files.run().summary["counts"]


def test_whoever_gets_another_login_keeps_his_workstation(house, files):
    house.add_workstation("pc-01", "S1", user="p1")
    files.run()
    files.rows["p1"] = "1;zoe.martin;Zoé;student;3eB;"
    files.write()
    assert files.run().outcome == "done"
    assert house.parts.daemon.workstations()[0].user == "zoe.martin"


def test_the_journal_names_who_let_an_import_change_workstations(house, files):
    house.add_workstation("pc-01", "S1", user="p1")
    house.add_workstation("pc-02", "S1")
    files.run()
    files.seat(pc_02="S12")
    files.rows["p1"] = "1;zoe.martin;Zoé;student;3eB;"
    files.write()
    files.run()
    changed = [
        (one.details["workstation"], one.user)
        for one in house.parts.daemon.events(0)
        if one.kind == "workstation_changed"
    ]
    assert changed == [("pc-01", "root"), ("pc-02", "root")]


def test_while_the_daemon_is_down_people_are_imported_and_rooms_are_told_later(house, files):
    house.add_workstation("pc-01", "S1")
    files.seat(pc_01="S12")
    house.stop_daemon()
    house.parts.daemon.close()
    run = files.run()
    assert run.outcome == "partly"
    assert run.summary["room_errors"][0].startswith("rooms: controle-vnc at 127.0.0.1")
    assert "t.one" in logins(house)
    house.start_daemon()
    assert files.run().outcome == "done"
    assert house.parts.daemon.workstations()[0].room == "S12"


def test_screens_of_who_is_disabled_close_with_the_import(house, files):
    files.run()
    with house.parts.database.write() as connection:
        from tests.eop.installation import HASH

        users.set_password(connection, "t.one", HASH)
    house.signed_in("t.one")
    files.remove("t.one")
    run = files.run()
    assert run.summary["signed_out"] == 1
    assert len(house.daemon.leases._tombstones) == 1


def test_two_imports_at_once_are_impossible(files):
    with only_import():
        assert is_held()
        with pytest.raises(ImportRunningError, match="another import is going on"):
            files.run()
    assert not is_held()
    assert files.run().outcome == "done"


def test_a_look_at_the_lock_stops_nobody(files):
    stop = threading.Event()

    def look():
        while not stop.is_set():
            is_held()

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(20):
            with only_import():
                pass
    finally:
        stop.set()
        looker.join(10)


def test_a_queued_run_is_carried_out_once(house, files):
    with house.parts.database.write() as connection:
        number = import_store.add(connection, Order("file", "root"), QUEUED, 1)
    assert import_run.run_queued(house.parts, number).outcome == "done"
    assert import_run.run_queued(house.parts, number) is None


def test_how_many_were_read_is_kept_for_who_waits(house, files, monkeypatch):
    monkeypatch.setattr(import_run, "NOTE_SECONDS", 0.0)
    seen = []

    class Slow:
        name = "file"

        def read(self, progress):
            progress(1500)
            with house.parts.database.read() as connection:
                (run,) = import_store.recent(connection, 1)
            seen.append((run.outcome, run.summary["read"]))
            return Snapshot((Person("1", "p1", "P", "student"),), ())

    monkeypatch.setitem(sources.FACTORIES, "file", lambda site: Slow())
    assert files.run().outcome == "done"
    assert seen == [("running", 1500)]


def test_old_runs_are_forgotten(house, files):
    with house.parts.database.write() as connection:
        for _ in range(KEPT_RUNS + 5):
            import_store.add(connection, Order("file", "root"), QUEUED, 1)
        assert len(import_store.recent(connection, 1000)) == KEPT_RUNS


def test_only_what_is_set_is_a_source(house, files):
    parts = house.parts
    with pytest.raises(SourceError, match="'pigeon' is no source; IMPORT_SOURCES has: file"):
        import_run.preview(parts, Order("pigeon", "root"))
    bare = replace(parts, site=replace(parts.site, IMPORT_SOURCES=[]))
    with pytest.raises(SourceError, match="no source of people is set"):
        import_run.preview(bare, Order("file", "root"))


def test_lists_are_bounded_and_counts_exact(house, files):
    for number in range(100, 200):
        files.student(number, classes="4eC")
    summary = files.run().summary
    assert summary["counts"]["new"] == 111
    assert len(summary["groups"]["new"]) == 50
    (new,) = [one for one in summary["groups"]["class_new"] if one["name"] == "4eC"]
    assert new["changes"] == [["students", "0", "100"]]


def while_planning(monkeypatch, work):
    """Let something happen while a plan is made."""
    make = plan.make

    def making(*arguments):
        work()
        return make(*arguments)

    monkeypatch.setattr(plan, "make", making)


def test_others_may_write_while_an_import_is_planned_and_are_not_overwritten(
    house, files, monkeypatch
):
    files.run()
    files.student(1, name="Zoé")
    states = iter(["disabled", "locked"])

    def change_by_hand():
        if state := next(states, None):
            with house.parts.database.write() as connection:
                users.set_state(connection, "p1", state)

    while_planning(monkeypatch, change_by_hand)
    assert files.run().outcome == "done"
    with house.parts.database.read() as connection:
        found = users.get(connection, "p1")
    assert (found.name, found.state) == ("Zoé", "locked")


@pytest.mark.parametrize(("changes", "outcome"), [(MAX_PLANS - 1, "done"), (MAX_PLANS, "failed")])
def test_who_changes_accounts_all_the_time_makes_an_import_fail(
    house, files, monkeypatch, changes, outcome
):
    numbers = iter(range(changes))

    def add():
        if (number := next(numbers, None)) is not None:
            house.add_user(f"by.hand.{number}")

    while_planning(monkeypatch, add)
    run = files.run()
    assert run.outcome == outcome
    assert ("p1" in logins(house)) == (outcome == "done")


def test_accounts_are_held_from_the_last_look_at_them_to_the_end(house, files):
    held, begun = [], {}

    def note_begin(connection, _cursor, statement, *_):
        if statement.startswith("BEGIN"):
            begun[connection] = statement

    def note(connection, clause, *_):
        statement = str(clause.compile(dialect=postgresql.dialect()))
        if "FOR NO KEY UPDATE" in statement:
            held.append((begun[connection], statement))

    engine = house.parts.database.engine
    event.listen(engine, "before_cursor_execute", note_begin)
    event.listen(engine, "before_execute", note)
    try:
        assert files.run().outcome == "done"
    finally:
        event.remove(engine, "before_execute", note)
        event.remove(engine, "before_cursor_execute", note_begin)
    ((begin, statement),) = held
    assert begin == "BEGIN IMMEDIATE"
    assert 'FROM "user" ORDER BY "user".id' in statement


def kept_of(house, login):
    """A user, the hash of his password, and how many older ones and steps are kept of him."""
    with house.parts.database.read() as connection:
        found = users.get(connection, login)
        rows = [
            connection.execute(select(table).where(table.c.user_id == found.id)).all()
            for table in (password_history, sign_in_step)
        ]
        return found, users.password_of(connection, login), [len(of_table) for of_table in rows]


def test_a_directory_that_takes_over_an_account_opens_it_alone(house, files, monkeypatch):
    class Directory:
        name = "ldap"

        def read(self, progress):
            return Snapshot((Person("1", "camille", "Camille", "teacher"),), ())

    monkeypatch.setitem(sources.FACTORIES, "ldap", lambda site: Directory())
    files.set(monkeypatch, IMPORT_SOURCES=["ldap"], AUTHENTICATORS=["local", "ldap"])
    browser = house.signed_in()
    with house.parts.database.write() as connection:
        number = users.get(connection, "camille").id
        used = {"user_id": number, "password": "x", "at": 1}
        step = {"step": "must_change", "authenticator": "local", "next": "/", "ends_at": 1}
        connection.execute(password_history.insert().values(used))
        connection.execute(sign_in_step.insert().values(id="x", user_id=number, **step))
        users.date_password(connection, number, 1, must_change=True)
    run = import_run.run(house.parts, Order("ldap", "root", adopt=True))
    assert run.summary["signed_out"] == 1
    found, password, older = kept_of(house, "camille")
    assert (found.source, found.must_change, password, older) == ("ldap", False, None, [0, 0])
    assert browser.get("session").status_code == 401


def test_a_source_that_checks_no_passwords_leaves_them(house, files):
    files.teacher("camille")
    assert files.run(adopt=True).summary["counts"]["adopted"] == 1
    assert kept_of(house, "camille")[1] is not None


def test_a_scribe_is_imported_with_its_teachers_and_classes(house, files, scribe, monkeypatch):
    roles = ["eleves=student", "professeurs=teacher"]
    house.parts = replace(
        house.parts,
        site=replace(
            house.parts.site, IMPORT_SOURCES=["ldap"], **scribe.settings(LDAP_ROLES=roles)
        ),
    )
    first = import_run.run(house.parts, Order("ldap", "root"))
    assert first.outcome == "done", first.summary
    assert first.summary["counts"]["new"] >= 332
    with house.parts.database.read() as connection:
        teacher = users.get(connection, "prof.0")
    assert (teacher.source, teacher.role, teacher.classes) == ("ldap", "teacher", ("3a",))
    second = import_run.run(house.parts, Order("ldap", "root"))
    assert (second.outcome, second.summary["counts"]) == ("done", {})
