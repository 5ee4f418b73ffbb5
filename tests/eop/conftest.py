"""What the site's tests share: an installation without a daemon, and one with."""

import pytest

from tests.eop.installation import Installation


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
