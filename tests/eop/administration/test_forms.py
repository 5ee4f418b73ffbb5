import pytest

from eop.administration import forms


@pytest.mark.parametrize(
    ("text", "found"),
    [(None, 1), ("", 1), ("3", 3), ("0", 1), ("-3", 1), ("x", 1), ("9" * 7, 1_000_000),
     ("9" * 8, 1), ("٣", 1), ("3.5", 1)],
)  # fmt: skip
def test_a_number_of_the_address_is_within_bounds(text, found):
    assert forms.number(text) == found
