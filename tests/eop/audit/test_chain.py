import ast
import hashlib
import json
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from eop.audit import chain
from eop.audit.chain import GENESIS, MAX_DETAILS_BYTES, Entry, append
from eop.audit.tables import audit, audit_whom
from eop.errors import InvalidError
from tests.eop.audit.school import rows, verify, write

ROOT = Path(__file__).parents[3]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def by_hand(previous, row):
    """The documented format, with nothing but Python's own library."""
    wanted = {
        name: row[name]
        for name in ("id", "number", "at", "kind", "user", "session", "workstation", "details")
    }
    text = json.dumps(wanted, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256((previous + text).encode()).hexdigest()


def test_every_row_carries_the_hash_of_the_one_before_it(database):
    write(database, Entry(5, "signed_in", "camille", details={"é": 1, "a": "ü"}))
    write(database, Entry(6, "signed_out", "camille"), Entry(4, "action", number=7))
    last = GENESIS
    for number, row in enumerate(rows(database), 1):
        assert (row.id, row.previous) == (number, last)
        assert row.hash == by_hand(last, row._mapping)
        last = row.hash


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(details=st.dictionaries(st.text(), VALUES, max_size=5), user=st.text(max_size=200))
def test_whatever_is_told_comes_back_as_it_was_hashed(database, details, user):
    write(database, Entry(1, "action", user, details=details, workstation=user))
    row = rows(database)[-1]
    assert row.hash == by_hand(row.previous, row._mapping)
    assert verify(database).damage is None


def test_details_are_kept_up_to_their_limit_and_not_one_byte_more(database):
    longest = MAX_DETAILS_BYTES - len(b'{"text":""}')
    write(database, Entry(1, "action", details={"text": "x" * longest}))
    with pytest.raises(InvalidError):
        write(database, Entry(1, "action", details={"text": "x" * (longest + 1)}))
    assert len(rows(database)) == 1


def test_texts_are_cut_to_their_columns(database):
    write(database, Entry(1, "k" * 41, "u" * 129, "s" * 129, "w" * 65))
    (row,) = rows(database)
    assert [len(one) for one in (row.kind, row.user, row.session, row.workstation)] == [
        40, 128, 128, 64,
    ]  # fmt: skip


def test_whom_an_event_is_about_can_be_looked_up(database):
    write(
        database,
        Entry(7, "wall_opened", details={"watched": "zoe.martin malo.colin", "look": "g1"}),
        Entry(8, "user_changed", details={"login": "zoe.martin", "target": 5}),
        Entry(9, "action", details={"watched": f"{'x' * 65} {'y' * 64}"}),
    )
    with database.read() as connection:
        found = connection.execute(select(audit_whom).order_by(audit_whom.c.audit_id)).all()
    assert {(row.login, row.at, row.audit_id) for row in found} == {
        ("zoe.martin", 7, 1), ("malo.colin", 7, 1), ("zoe.martin", 8, 2), ("y" * 64, 9, 3),
    }  # fmt: skip
    assert [row.look for row in rows(database)] == ["g1", None, None]


def test_many_writers_make_one_chain(database):
    def work():
        for number in range(20):
            write(database, Entry(number, "action"), Entry(number, "action"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = verify(database)
    assert (report.rows, report.damage) == (160, None)


def test_an_event_of_a_transaction_that_fails_leaves_no_gap(database):
    class SurpriseError(Exception):
        pass

    def fail():
        with database.write() as connection:
            append(connection, [Entry(1, "action")])
            raise SurpriseError

    write(database, Entry(1, "action"))
    with pytest.raises(SurpriseError):
        fail()
    write(database, Entry(2, "action"))
    assert [row.id for row in rows(database)] == [1, 2]
    assert verify(database).damage is None


def test_nothing_to_append_is_no_trouble(database):
    write(database)
    assert rows(database) == []


def test_on_postgresql_the_head_is_locked():
    compiled = str(chain._lock.compile(dialect=postgresql.dialect()))
    assert compiled.endswith("FOR UPDATE")


def test_nothing_else_writes_into_the_audit():
    """Whoever inserted beside the chain would break it."""
    for path in sorted((ROOT / "eop").rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"insert", "update"}:
                tables = [one.id for one in node.args if isinstance(one, ast.Name)]
                allowed = path.name == "chain.py"
                assert allowed or not {"audit", "audit_head", "audit_whom"} & set(tables), path


def test_rows_that_were_kept_before_the_chain_are_chained(tmp_path):
    from alembic import command
    from alembic.config import Config

    from eop.database import Database

    database = Database(f"sqlite:///{tmp_path}/old.db")
    config = Config()
    config.set_main_option("script_location", "eop:migrations")
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for number in (1, 2, 5):  # rows may have been removed by hand
            connection.exec_driver_sql(
                "INSERT INTO audit (id, number, at, kind, user, session, workstation, details)"
                " VALUES (?, ?, 9, 'screen_opened', 'camille', 's', 'w1', ?)",
                (number, number, json.dumps({"name": "Camille Lefèvre", "mode": "view"})),
            )
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    write(database, Entry(10, "signed_out", "camille"))
    stored = rows(database)
    assert [row.id for row in stored] == [1, 2, 5, 6]
    assert stored[0].hash == by_hand(GENESIS, stored[0]._mapping)
    assert verify(database).rows == 4
    assert verify(database).damage is None
    with database.read() as connection:
        assert connection.scalar(select(audit.c.details).where(audit.c.id == 5))["mode"] == "view"
    database.close()
