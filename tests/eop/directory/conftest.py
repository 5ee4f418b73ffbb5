"""What the directory's tests share: directories to ask, and the statements something takes."""

import pytest
from sqlalchemy import event

from tests.ldap_fixtures import ad, certificates, foreign_authority, scribe

__all__ = ["ad", "certificates", "foreign_authority", "scribe", "statements"]


@pytest.fixture
def statements(quiet):
    """`statements(work)`: the statements that the database was given meanwhile."""
    seen = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    event.listen(quiet.parts.database.engine, "before_cursor_execute", note)

    def run(work):
        seen.clear()
        work()
        return [one for one in seen if not one.startswith("BEGIN")]

    yield run
    event.remove(quiet.parts.database.engine, "before_cursor_execute", note)
