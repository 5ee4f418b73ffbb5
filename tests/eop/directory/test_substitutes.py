from dataclasses import replace

import pytest

from eop.directory import substitutes, users
from eop.directory.substitutes import (
    DAY_MS,
    LONGEST_MS,
    MAX_DAYS,
    MAX_DAYS_AHEAD,
    MAX_OPEN,
    Substitution,
)
from eop.errors import InvalidError, NotFoundError

NOW = 1_000_000 * 1000


@pytest.fixture
def school(quiet):
    quiet.add_user("anna", rooms=(), classes=())
    quiet.add_user("zoe", role="student", rooms=(), classes=())
    return quiet


def wanted(**values):
    plain = Substitution("anna", ("S12",), ("3eB",), NOW, NOW + DAY_MS, "admin")
    return replace(plain, **values)


def give(school, **values):
    with school.parts.database.write() as connection:
        return substitutes.give(connection, wanted(**values), NOW)


def at(school, now_ms, login="anna"):
    with school.parts.database.read() as connection:
        user_id = users.get(connection, login).id
        found = substitutes.grants_at(connection, user_id, now_ms)
        return [(one.kind, one.value) for one in found]


def test_a_grant_holds_from_its_beginning_to_its_end(school):
    give(school, from_at=NOW + 10, until_at=NOW + 20, classes=())
    assert at(school, NOW + 9) == []
    assert at(school, NOW + 10) == [("room", "S12")]
    assert at(school, NOW + 19) == [("room", "S12")]
    assert at(school, NOW + 20) == []
    assert at(school, NOW + 10, "zoe") == []


def test_what_lasts_longest_is_first(school):
    give(school, classes=())
    give(school, classes=(), until_at=NOW + 2 * DAY_MS)
    with school.parts.database.read() as connection:
        user_id = users.get(connection, "anna").id
        ends = [one.until_at for one in substitutes.grants_at(connection, user_id, NOW)]
    assert ends == [NOW + 2 * DAY_MS, NOW + DAY_MS]


def test_everything_open_is_listed_of_one_or_of_all(school):
    school.add_user("bob")
    give(school)
    give(school, login="bob", from_at=NOW + DAY_MS, until_at=NOW + 2 * DAY_MS)
    with school.parts.database.read() as connection:
        everything = substitutes.open_at(connection, NOW)
        assert [(one.login, one.name) for one in everything] == [
            ("anna", "Anna"), ("anna", "Anna"), ("bob", "Bob"), ("bob", "Bob"),
        ]  # fmt: skip
        assert len(substitutes.open_at(connection, NOW, " Anna ")) == 2
        assert len(substitutes.open_at(connection, NOW + DAY_MS)) == 2
        assert [one.login for one in substitutes.over_at(connection, NOW + DAY_MS)] == ["anna"] * 2


def test_a_month_is_the_longest(school):
    assert LONGEST_MS - MAX_DAYS * DAY_MS == 3600 * 1000
    give(school, until_at=NOW + LONGEST_MS)
    with pytest.raises(InvalidError, match="^At most 31 days; give a lasting grant.$"):
        give(school, until_at=NOW + LONGEST_MS + 1)


def test_it_begins_within_a_year(school):
    begin = NOW + MAX_DAYS_AHEAD * DAY_MS
    give(school, from_at=begin, until_at=begin + 1)
    with pytest.raises(InvalidError, match="must begin within 366 days"):
        give(school, from_at=begin + 1, until_at=begin + 2)


def test_fifty_are_the_most_one_person_has_open(school):
    give(school, rooms=tuple(f"S{n}" for n in range(MAX_OPEN - 1)), classes=())
    with pytest.raises(InvalidError, match="at most 50 rooms and classes"):
        give(school)
    give(school, classes=())
    with pytest.raises(InvalidError, match="at most 50 rooms and classes"):
        give(school, classes=())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rooms": (), "classes": ()}, "Name a room"),
        ({"until_at": NOW}, "after the beginning"),
        ({"from_at": NOW - 20, "until_at": NOW - 10}, "in the future"),
        ({"from_at": NOW + DAY_MS, "until_at": NOW + DAY_MS}, "after the beginning"),
        ({"login": "zoe"}, "^zoe does not teach: a substitute does.$"),
        ({"rooms": ("x" * 65,)}, "1 to 64"),
        ({"rooms": ("a\nb",)}, "printable"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_kept(school, values, words):
    with pytest.raises(InvalidError, match=words):
        give(school, **values)
    assert at(school, NOW) == []


def test_an_unknown_person_gets_nothing(school):
    with pytest.raises(NotFoundError):
        give(school, login="nobody")


def test_a_removed_account_takes_its_grants_along(school):
    (first, _) = give(school)
    with school.parts.database.write() as connection:
        users.remove(connection, "anna")
        with pytest.raises(NotFoundError):
            substitutes.take(connection, first.id)
