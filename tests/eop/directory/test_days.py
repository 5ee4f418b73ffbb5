from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.directory import days
from eop.errors import InvalidError


def test_a_day_lasts_from_its_beginning_to_its_end():
    assert days.end("2026-11-23") - days.begin("2026-11-23") == 24 * 3600 * 1000
    assert days.told(days.begin("2026-11-23")) == "2026-11-23 00:00"
    assert days.told_end(days.end("2026-11-23")) == "2026-11-23 24:00"
    assert days.today(days.begin("2026-11-23")) == "2026-11-23"


def test_a_moment_is_itself():
    for text in ("2026-11-23 14:30", "2026-11-23T14:30"):
        assert days.begin(text) == days.end(text)
        assert days.told_end(days.end(text)) == "2026-11-23 14:30"


@pytest.mark.parametrize(
    "text",
    ["", "today", "2026-13-01", "23/11/2026", "2026-11-23 25:00", "2026-11-23 14:30:00", "x" * 99],
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(InvalidError, match="is no day"):
        days.begin(text)


@given(st.text(max_size=20))
def test_any_text_is_a_day_or_refused(text):
    try:
        assert isinstance(days.end(text), int)
    except InvalidError:
        return


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1)))
def test_what_is_told_is_read_again(moment):
    text = moment.strftime("%Y-%m-%d %H:%M")
    assert days.told(days.begin(text)) == text
