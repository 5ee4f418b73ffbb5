import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from eop.directory import granted, substitutes, users
from eop.directory.substitutes import Substitution
from eop.directory.tables import temporary_grant

NOW = 1_000_000 * 1000
ROOMS = ("S12", "S14", "S16")
GIVEN = st.tuples(
    st.sampled_from(ROOMS), st.integers(0, 30), st.integers(1, 30), st.sampled_from(["anna", "zoe"])
)


@pytest.fixture
def school(quiet):
    for login in ("anna", "zoe"):
        quiet.add_user(login, rooms=(), classes=())
    return quiet


def find(school, login, now_ms):
    with school.parts.database.read() as connection:
        return granted.find_by_id(connection, users.get(connection, login).id, now_ms)


def test_nobody_has_an_unknown_number(school):
    with school.parts.database.read() as connection:
        assert granted.find_by_id(connection, 999, NOW) is None


def test_who_is_granted_nothing_is_found(school):
    found = find(school, "anna", NOW)
    assert (found.user.login, found.user.rooms, found.temporary) == ("anna", (), ())


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(ROOMS)), st.lists(GIVEN, max_size=6), st.integers(0, 60))
def test_one_statement_says_what_two_say(school, lasting, lent, later):
    with school.parts.database.write() as connection:
        connection.execute(delete(temporary_grant))
        users.set_grants(connection, users.get(connection, "anna").id, lasting, ("3eB",))
        for room, begin, length, login in lent:
            times = (NOW + begin, NOW + begin + length)
            substitutes.give(connection, Substitution(login, (room,), (), *times, "admin"), NOW)
    at = NOW + later
    found = find(school, "anna", at)
    with school.parts.database.read() as connection:
        assert found.user == users.get(connection, "anna")
        assert found.temporary == substitutes.grants_at(connection, found.user.id, at)
