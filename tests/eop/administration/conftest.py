"""The fixtures of every page of the administration."""

import pytest

from tests.eop.administration.pages import school
from tests.eop.school_files import School
from tests.ldap_fixtures import certificates, scribe

__all__ = ["certificates", "files", "school", "scribe"]


@pytest.fixture
def files(house, tmp_path, monkeypatch):
    """`house` with a source to import: ten students of 3eB and one teacher."""
    return School(house, tmp_path / "school", monkeypatch)
