"""What the tests of imports share: an installation that has a school to import."""

import pytest

from tests.eop.school_files import School


@pytest.fixture
def school(house, tmp_path, monkeypatch):
    """`house` with a source: ten students of 3eB and one teacher."""
    return School(house, tmp_path / "school", monkeypatch)
