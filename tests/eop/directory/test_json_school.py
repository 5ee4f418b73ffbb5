import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.directory import json_school
from eop.directory.snapshot import Group, Person, Snapshot, SourceError


def parse(value):
    text = value if isinstance(value, str) else json.dumps(value)
    return json_school.parse(text, "school.json", lambda count: None)


def test_a_school_is_read():
    found = parse(
        {
            "people": [
                {"id": 17, "login": "Zoe", "name": "Zoé", "role": "student", "classes": ["3eB"]},
                {"login": "camille", "name": "Camille", "role": "teacher", "rooms": ["*"]},
            ],
            "classes": [{"id": "77", "name": "3eB", "students": ["malo"]}],
            "rooms": {"pc-01": "S12"},
        }
    )
    assert found.people == (
        Person("17", "zoe", "Zoé", "student"),
        Person("camille", "camille", "Camille", "teacher", rooms=frozenset("*")),
    )
    assert found.groups == (Group("77", "3eB", frozenset({"zoe", "malo"})),)
    assert found.rooms == {"pc-01": "S12"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('{"people":\n  [}', "school.json, line 2, column 4: JSON is malformed"),
        ("", "school.json: Input data was truncated"),
        ("[]", "school.json: Expected `object`, got `array`"),
        ({}, "missing required field `people`"),
        ({"people": [{"login": "x"}]}, "$.people[0]"),
        ({"people": [], "peopel": []}, "unknown field `peopel`"),
        ({"people": [{"login": 3, "name": "X", "role": "student"}]}, "$.people[0].login"),
        ({"people": [{"login": "x y", "name": "X", "role": "student"}]}, "people[0].login: 'x y'"),
        ({"people": [{"login": "x", "name": "X", "role": "king"}]}, "people[0].role: 'king'"),
        ({"people": [], "classes": [{"name": "a\nb"}]}, "classes[0].name"),
        ({"people": [], "rooms": {"pc": ""}}, "rooms[0].room"),
        ("[" * 100_000, "school.json"),
        ('{"people": [{"login": "\\ud800", "name": "X", "role": "student"}]}', "school.json"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(value, told):
    with pytest.raises(SourceError) as raised:
        parse(value)
    assert told in str(raised.value)


def attempt(value):
    """The snapshot, or what is told instead."""
    try:
        return parse(value), ""
    except SourceError as error:
        return None, str(error)


@given(st.text())
def test_no_text_is_more_than_wrong(text):
    found, told = attempt(text)
    assert "school.json" in told if found is None else isinstance(found, Snapshot)


words = st.text(max_size=12) | st.integers() | st.none()
people = st.fixed_dictionaries(
    {"login": words, "name": words, "role": st.sampled_from(["student", "teacher", "x"])},
    optional={"id": words, "classes": st.lists(words, max_size=3), "state": words},
)


@given(st.fixed_dictionaries({"people": st.lists(people, max_size=4)}))
def test_no_object_is_more_than_wrong(value):
    found, told = attempt(value)
    assert "school.json" in told if found is None else len(found.people) == len(value["people"])
