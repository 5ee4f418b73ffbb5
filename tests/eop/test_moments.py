from datetime import datetime

import pytest

from eop import moments


def at(*numbers):
    return int(datetime(*numbers).timestamp() * 1000)


@pytest.fixture
def tells(within):
    """What a moment is told as in a language."""

    def tell(language, milliseconds, how=moments.told):
        with within(language):
            return how(milliseconds).replace("\u202f", " ")

    return tell


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "3 nov. 2026, 14:05"),
        ("en", "3 Nov 2026, 14:05"),
        ("pl", "3 lis 2026, 14:05"),
        ("ru", "3 нояб. 2026 г., 14:05"),
    ],
)
def test_a_moment_is_told_as_the_language_writes_it(tells, language, text):
    assert tells(language, at(2026, 11, 3, 14, 5)) == text


def test_what_was_today_is_told_by_the_time_alone(tells):
    def lately(at_ms):
        return moments.told_lately(at_ms, at(2026, 11, 3, 23, 59))

    assert tells("fr", at(2026, 11, 3, 0, 0), lately) == "00:00"
    assert tells("fr", at(2026, 11, 2, 23, 59), lately) == "2 nov. 2026, 23:59"


def test_the_end_of_a_day_is_told_as_that_day(tells):
    assert tells("pl", at(2026, 11, 4), moments.told_end) == "3 lis 2026"
    assert tells("pl", at(2026, 11, 4, 0, 1), moments.told_end) == "4 lis 2026, 00:01"
