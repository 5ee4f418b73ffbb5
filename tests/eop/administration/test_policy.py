import pytest

from tests.eop.administration.pages import get, words

PATH = "/admin/policy"


def ask(school, **query):
    return words(get(school.signed_in("carla"), PATH, **query))


def test_the_table_is_there_to_read(school):
    page = ask(school)
    for text in (
        "Control one screen",
        "granted rooms and classes",
        "classes granted for good",
        "denied",
    ):
        assert text in page
    assert "Allowed." not in page


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"user": "carla", "action": "close_screens"}, "Allowed. The role Administrator gives"),
        ({"user": "anna", "action": "view", "kind": "room", "name": "S12"}, "Denied. The role"),
        ({"user": "camille", "action": "view", "kind": "room", "name": "S12"}, "Every room was"),
        ({"user": "camille", "kind": "workstation", "name": "pc-01"}, "Every room was granted."),
        ({"user": "camille", "kind": "class", "name": "3eB"}, "Every class was granted."),
        ({"user": "nobody"}, "There is no such account or workstation."),
        ({"user": "anna", "action": "fly"}, "is no action"),
    ],
)
def test_an_answer_says_why(school, query, told):
    assert told in ask(school, **query)


def test_a_name_is_shown_as_text_whatever_it_holds(school):
    page = get(school.signed_in("carla"), PATH, user='"><script>', name="<b>", kind="room")
    assert "<script>" not in page.text.replace('<script type="', "")
    assert "<b>" not in page.text


def test_the_answer_is_in_the_language_of_the_page(school):
    page = get(school.signed_in("carla"), PATH, user="carla", action="administer", language="fr")
    assert "Administrateur" in page.text
