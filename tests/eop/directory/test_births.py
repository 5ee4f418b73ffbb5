from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.directory import births
from eop.errors import InvalidError


@pytest.mark.parametrize(
    "text",
    [
        "2012-03-14", "2012-3-14", "14/03/2012", "14.3.2012", " 14-03-2012 ", "20120314",
        "20120314000000Z", "2012-03-14T00:00:00Z",
    ],
)  # fmt: skip
def test_a_birth_date_is_read_as_sources_write_it(text):
    assert births.read(text) == "2012-03-14"


def test_no_birth_date_is_none():
    assert births.read("  ") == ""


@pytest.mark.parametrize(
    "text", ["31/02/2012", "14/03/12", "1899-12-31", "2101-01-01", "no", "2013", "9" * 1000]
)
def test_what_is_no_date_is_refused_and_not_repeated(text):
    with pytest.raises(ValueError, match=r"^(no date|day|month)"):
        births.read(text)
    with pytest.raises(InvalidError) as raised:
        births.checked(text)
    assert text not in str(raised.value)


@given(st.text())
def test_any_text_is_a_date_or_refused(text):
    try:
        assert births.read(text) == "" or len(births.read(text)) == 10
    except ValueError:
        return


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)))
def test_every_day_is_read_both_ways(day):
    assert births.read(day.isoformat()) == births.read(day.strftime("%d/%m/%Y")) == str(day)
