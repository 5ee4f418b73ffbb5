"""A database alone, at this program's revision."""

import pytest

from eop.database import Database, upgrade


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path}/eop.db"
    upgrade(url)
    opened = Database(url)
    yield opened
    opened.close()
