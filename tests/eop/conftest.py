"""What the site's tests share: an installation without a daemon, and one with; its statements."""

import pytest
from sqlalchemy import event

from eop.application import create_site
from tests.eop import compiled
from tests.eop.installation import Installation

compiled.once()  # half of what these tests compute would be compiling the same templates


@pytest.fixture
def quiet(monkeypatch):
    """An installation whose controle-vnc is down."""
    installation = Installation()
    for name, value in installation.environ.items():
        monkeypatch.setenv(name, value)
    yield installation
    installation.close()


@pytest.fixture
def house(quiet):
    """An installation with a daemon, and a teacher who sees everything."""
    quiet.start_daemon()
    quiet.add_user()
    return quiet


@pytest.fixture
def within(quiet):
    """`within("pl")`: a request to the site in that language."""
    app = create_site(quiet.site, quiet.parts)
    return lambda language: app.test_request_context(f"/?language={language}")


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
