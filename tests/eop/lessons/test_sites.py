import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.errors import InvalidError
from eop.lessons.sites import MAX_SITES, checked_host, checked_hosts

LABEL = "a" * 63


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("fr.wikipedia.org", "fr.wikipedia.org"),
        (" FR.Wikipedia.ORG. ", "fr.wikipedia.org"),
        ("école.fr", "xn--cole-9oa.fr"),
        ("3-b.example", "3-b.example"),
        (f"{LABEL}.fr", f"{LABEL}.fr"),
    ],
)
def test_a_name_is_kept_as_the_network_writes_it(typed, kept):
    assert checked_host(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", ".", "wikipedia", "https://fr.wikipedia.org", "fr.wikipedia.org/wiki", "a b.fr",
        "10.0.0.1", "1.2", "-a.fr", "a-.fr", "a..fr", "*.fr", "a_b.fr", "a.fr:80", "me@a.fr",
        f"a{LABEL}.fr", "\x00.fr", "\ud800.fr", "[::1]",
    ],
)  # fmt: skip
def test_what_is_no_name_of_a_site_is_told(typed):
    with pytest.raises(InvalidError, match="is not the name of a site"):
        checked_host(typed)


def test_a_name_may_be_253_characters_and_no_more():
    name = ".".join(["a" * 49] * 5) + ".fr"
    assert len(name) == 252
    assert checked_host("a" + name) == "a" + name
    with pytest.raises(InvalidError):
        checked_host("aa" + name)


def test_a_list_has_each_once_and_at_most_a_hundred():
    many = [f"s{number}.example" for number in range(MAX_SITES)]
    assert checked_hosts([*many, "S1.example"]) == many
    with pytest.raises(InvalidError, match="At most 100 sites"):
        checked_hosts([*many, "one.more"])


@given(st.text(max_size=300))
def test_whatever_is_typed_is_a_plain_name_or_told(text):
    try:
        kept = checked_host(text)
    except InvalidError:
        return
    assert kept.isascii()
    assert kept == kept.lower()
    assert "." in kept
    assert not set(kept) & set(" /:@*\\\"'<>\x00")
    assert checked_host(kept) == kept
