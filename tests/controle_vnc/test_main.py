import pytest

from controle_vnc import daemon
from controle_vnc.__main__ import _serve
from controle_vnc.errors import CannotListenError
from controle_vnc.settings import Settings


@pytest.fixture
def ends(monkeypatch):
    """Makes a daemon that ends with an error at once."""

    def end(error):
        async def serve(_):
            raise error

        monkeypatch.setattr(daemon, "serve", serve)

    return end


def test_a_port_that_is_taken_is_told_and_ends_the_daemon(ends, caplog):
    ends(CannotListenError("cannot listen on 127.0.0.1:8788: taken"))
    assert _serve(Settings()) == 1
    assert "cannot listen on 127.0.0.1:8788" in caplog.text


@pytest.mark.parametrize("error", [TimeoutError(), PermissionError(13, "a file")])
def test_another_failure_is_not_taken_for_the_port(ends, error):
    ends(error)
    with pytest.raises(type(error)):
        _serve(Settings())
