import os
import threading

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

import eop.aaa.tables
import eop.audit.tables
import eop.directory.tables
import eop.documents.tables
import eop.lessons.tables  # noqa: F401 - imported for its tables, as those above
import eop.observation.tables  # noqa: F401 - imported for its tables, as those above
import eop.passwords.tables  # noqa: F401 - imported for its tables, as those above
from eop import database
from eop.aaa.tables import switch
from eop.database import Database, metadata, upgrade
from eop.errors import SchemaError


@pytest.fixture
def opened(tmp_path):
    upgrade(f"sqlite:///{tmp_path}/eop.db")
    made = Database(f"sqlite:///{tmp_path}/eop.db")
    yield made
    made.close()


def test_the_migrations_make_exactly_the_tables_of_the_program(opened):
    with opened.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_one_the_program_needs():
    config = Config()
    config.set_main_option("script_location", "eop:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == database.HEAD


def test_upgrading_twice_changes_nothing(opened):
    upgrade(opened.url)
    opened.check()
    assert opened.version() == database.HEAD


def test_an_empty_database_is_refused_with_the_remedy(tmp_path):
    empty = Database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(SchemaError, match="eopctl db upgrade"):
        empty.check()
    empty.close()


def test_sqlite_is_set_up_for_several_threads(opened):
    with opened.read() as connection:
        pragmas = {
            name: connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragmas == {
        "journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 5000, "synchronous": 1,
    }  # fmt: skip


@pytest.fixture
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder):
    return {path.name: path.stat().st_mode & 0o777 for path in folder.glob("eop.db*")}


@pytest.mark.parametrize("old", [False, True])
def test_nobody_else_reads_the_database_nor_what_lies_beside_it(tmp_path, usual_umask, old):
    names = ("eop.db", "eop.db-wal", "eop.db-shm")
    for name in names if old else ():
        (tmp_path / name).touch(0o644)
    database = Database(f"sqlite:///{tmp_path}/eop.db")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE anything (value INTEGER)"))
        assert modes(tmp_path) == dict.fromkeys(names, 0o600)
    database.close()


def test_writers_that_read_first_wait_for_each_other(opened):
    with opened.write() as connection:
        connection.execute(text("CREATE TABLE counter (value INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def count():
        for _ in range(25):
            with opened.write() as connection:
                value = connection.scalar(text("SELECT value FROM counter"))
                connection.execute(text("UPDATE counter SET value = :value"), {"value": value + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened.read() as connection:
        assert connection.scalar(text("SELECT value FROM counter")) == 100


def test_a_transaction_that_fails_leaves_nothing(opened):
    with pytest.raises(IntegrityError):
        add_class_twice(opened)
    with opened.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM school_class")) == 0


def add_class_twice(opened):
    row = "INSERT INTO school_class (name) VALUES ('3eB')"
    with opened.write() as connection:
        connection.execute(text(row))
        connection.execute(text(row))


def test_a_single_read_holds_no_transaction(quiet):
    database = quiet.parts.database
    query = text('SELECT count(*) FROM "user"')
    with database.single() as connection:
        assert connection.scalar(query) == 0
        quiet.add_user()  # meanwhile
        assert connection.scalar(query) == 1
    with database.read() as connection:
        assert connection.scalar(query) == 1
        quiet.add_user("noor")
        assert connection.scalar(query) == 1  # as it was when this transaction began


def test_of_two_that_write_the_same_row_the_later_holds(quiet):
    row = {"name": "screens_closed"}

    def quicker(_connection, cursor, *_):  # after the first change has found no row
        cursor.connection.execute("INSERT INTO switch VALUES ('screens_closed', 1, 'another')")

    with quiet.parts.database.write() as connection:
        event.listen(connection, "after_cursor_execute", quicker, once=True)
        database.upsert(connection, switch, row, {"at": 2, "by": "carla"})
        assert connection.execute(switch.select()).all() == [("screens_closed", 2, "carla")]
        database.upsert(connection, switch, row, {"at": 3, "by": "dora"})
        assert connection.execute(switch.select()).all() == [("screens_closed", 3, "dora")]


def test_who_was_head_teacher_stays_that_of_the_classes_that_were_granted_by_name(tmp_path):
    url = f"sqlite:///{tmp_path}/eop.db"
    older = Config()
    older.set_main_option("script_location", "eop:migrations")
    opened = Database(url)
    with opened.write() as connection:
        older.attributes["connection"] = connection
        command.upgrade(older, "0007")
        for number, role in ((1, "head_teacher"), (2, "teacher"), (3, "head_teacher")):
            connection.execute(
                text('INSERT INTO "user" (id, login, name, role, created_at) '
                     "VALUES (:number, :number, 'x', :role, 0)"),
                {"number": number, "role": role},
            )  # fmt: skip
            value = "*" if number == 3 else "3eB"
            connection.execute(
                text("INSERT INTO user_grant (user_id, kind, value) VALUES (:n, 'class', :value)"),
                {"n": number, "value": value},
            )
    upgrade(url)
    with opened.read() as connection:
        found = connection.execute(text("SELECT user_id, value FROM user_grant WHERE kind='head'"))
        assert [tuple(row) for row in found] == [(1, "3eB")]
    opened.close()
