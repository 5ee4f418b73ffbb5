from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import select

from eop.administration import import_audit
from eop.administration.import_audit import MAX_BYTES, MAX_LINES, MAX_WORDS
from eop.audit.chain import MAX_DETAILS_BYTES
from eop.audit.search import Criteria, search
from eop.audit.tables import audit
from tests.eop.directory.schools import (
    RULES,
    group,
    person,
    planned,
    school,
    stored,
    stored_class,
    stored_person,
)


def told(*arguments, **rules):
    return dict(import_audit.lines(planned(*arguments, replace(RULES, **rules))))


def events(house):
    query = select(audit).where(audit.c.kind == "people_changed").order_by(audit.c.id)
    with house.parts.database.read() as connection:
        return connection.execute(query).all()


def test_whoever_is_changed_is_named_with_what_became_of_him():
    kept = stored(
        stored_person(1, "old", 1),
        stored_person(2, "p2", 2, state="disabled", source_state="disabled"),
        stored_person(3, "p3", 3),
        stored_person(4, "p4", 4, role="teacher", granted=frozenset({("room", "S1")})),
        stored_person(5, "p5", source="local", source_state=None),
        stored_person(6, "p6", 6, state="disabled", source_state="disabled", gone_at=0),
        stored_person(7, "p7", 7),
        classes=(stored_class(1, "3eA", 1, "p7", "p2"),),
    )
    found = school(
        person(1, "new"), person(2), person(4, role="head_teacher", classes=["3eA"]), person(5),
        person(7, name="Another Name"), person(8, role="teacher", rooms=["*"]),
        groups=[group(1, "3eA", "p2"), group(2, "3eB", "p7")],
    )  # fmt: skip
    assert told(found, kept, adopt=True, delete_days=1, now_ms=10**9) == {
        "new": "renamed, was old",
        "p2": "enabled",
        "p3": "disabled",
        "p4": "role teacher → head_teacher, -room S1, +class 3eA",
        "p5": "adopted",
        "p6": "deleted",
        "p7": "+seat 3eB, -seat 3eA",
        "p8": "new, role - → teacher, +room *",
    }


def test_another_name_alone_is_not_told():
    assert told(school(person(1, name="Zoé")), stored(stored_person(1, "p1", 1))) == {}


def test_each_change_is_found_by_who_it_is_about(house, files):
    files.run()
    files.remove("p1")
    files.teacher("t.one", rooms="S1")
    files.run()
    first, second = events(house)
    assert len(first.details["changes"]) == 11
    assert second.user == "root"
    assert second.details["changes"] == ["p1: disabled, -seat 3eB", "t.one: -room *, +room S1"]
    criteria = Criteria(persons=("p1",), part="whom", kinds=("people_changed",))
    with house.parts.database.read() as connection:
        assert [row.id for row in search(connection, criteria).rows] == [second.id, first.id]


@pytest.mark.parametrize(("count", "parts"), [(MAX_LINES, 1), (MAX_LINES + 1, 2)])
def test_an_event_has_no_more_lines_than_can_be_read(count, parts):
    found = [(f"p{number}", "disabled") for number in range(count)]
    split = list(import_audit.in_parts(found))
    assert len(split) == parts
    assert [line for part in split for line in part] == found


@pytest.mark.parametrize(("bytes_more", "parts"), [(0, 1), (1, 2)])
def test_an_event_has_no_more_bytes_than_it_may(bytes_more, parts):
    found = [("p", "x" * (MAX_BYTES // 2 - 2)), ("p", "x" * (MAX_BYTES // 2 - 2 + bytes_more))]
    assert len(list(import_audit.in_parts(found))) == parts


def test_whoever_gets_hundreds_of_classes_with_the_longest_names_is_told_whole():
    classes = [f"{number:03}" + "\\" * 61 for number in range(500)]
    found = list(import_audit.lines(planned(school(person(1, "é" * 64, classes=classes)))))
    assert len(found) == (2 + 500 + MAX_WORDS - 1) // MAX_WORDS
    for part in import_audit.in_parts(found):
        assert len(msgspec.json.encode(part)) < MAX_DETAILS_BYTES - 1000
