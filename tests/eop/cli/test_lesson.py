import getpass

import pytest
from sqlalchemy import select

from eop.audit import sentences
from eop.audit.tables import audit


@pytest.fixture
def school(house):
    house.add_user("bob", rooms=("S12",), classes=())
    house.add_workstation("pc-01", "S12")
    for login in ("camille", "bob"):
        answer = house.signed_in(login).post("lessons", {"room": "S12"})
        assert answer.status_code == 201
    return house


def test_open_lessons_are_listed(school, eopctl):
    rows = eopctl("lesson", "list", "--json").json
    assert [(one["teacher"], one["room"], one["class"]) for one in rows] == [
        ("camille", "S12", None),
        ("bob", "S12", None),
    ]
    assert "camille  -      S12" in eopctl("lesson", "list").out


def test_one_lesson_is_ended_and_the_audit_says_by_whom(school, eopctl):
    done = eopctl("lesson", "end", "BOB")
    assert (done.code, done.out) == (0, "ended the lesson of bob\n")
    assert [one["teacher"] for one in eopctl("lesson", "list", "--json").json] == ["camille"]
    with school.parts.database.read() as connection:
        row = connection.execute(select(audit).where(audit.c.kind == "lesson_ended")).one()
    assert row.user == f"eopctl:{getpass.getuser()}"
    assert sentences.sentence("lesson_ended", row.details).startswith("Ended the lesson of bob")


def test_all_lessons_are_ended_at_once(school, eopctl):
    ended = eopctl("lesson", "end", "--all", "--json").json
    assert [(one["teacher"], one["released"], one["failed"]) for one in ended] == [
        ("camille", {}, []),
        ("bob", {}, []),
    ]
    assert eopctl("lesson", "end", "--all").out == "no lesson is open\n"


@pytest.mark.parametrize("arguments", [(), ("bob", "--all")])
def test_ending_needs_one_teacher_or_all(school, eopctl, arguments):
    assert eopctl("lesson", "end", *arguments).code == 2


def test_who_has_no_lesson_is_told(school, eopctl):
    done = eopctl("lesson", "end", "nobody")
    assert done.code == 1
    assert "has no lesson open" in done.err
