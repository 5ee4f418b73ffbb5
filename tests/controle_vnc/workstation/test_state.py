import errno
import socket

import pytest

from controle_vnc.errors import (
    AuthenticationError,
    HungUpError,
    ProtocolError,
    TurnedAwayError,
    UnsupportedError,
)
from controle_vnc.workstation.state import (
    READY,
    SENTENCES,
    Health,
    SilentError,
    health_of,
    refusal,
    shown_state,
)


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (TimeoutError(), "offline", "no_answer"),
        (OSError(errno.EHOSTUNREACH, ""), "offline", "no_answer"),
        (OSError(errno.ETIMEDOUT, ""), "offline", "no_answer"),
        (SilentError(), "offline", "silent"),
        (socket.gaierror(-2, ""), "unreachable", "unknown_host"),
        (OSError(errno.ENETUNREACH, ""), "unreachable", "no_route"),
        (ConnectionRefusedError(errno.ECONNREFUSED, ""), "refused", "connection_refused"),
        (FileNotFoundError(errno.ENOENT, ""), "refused", "connection_refused"),
        (ConnectionResetError(errno.ECONNRESET, ""), "refused", "closed"),
        (HungUpError(), "refused", "closed"),
        (TurnedAwayError("Too many"), "refused", "turned_away"),
        (AuthenticationError("no"), "wrong_password", "wrong_password"),
        (UnsupportedError("type 200"), "unsupported", "unsupported"),
        (ProtocolError("4 GiB"), "unsupported", "bad_server"),
    ],
)
def test_every_failure_has_a_state_and_a_reason_with_a_sentence(error, state, code):
    health = health_of(error)
    assert (health.state, health.reason.code) == (state, code)
    assert code in SENTENCES
    assert refusal(health.reason).endswith(f"({code})")


def test_a_detail_from_a_hostile_server_is_short_and_printable():
    detail = health_of(ProtocolError("\x1b[31m" + "x" * 9999)).reason.arguments["detail"]
    assert detail.isprintable()
    assert len(detail) <= 200


def test_live_viewers_show_only_on_a_workstation_that_is_well():
    assert shown_state(READY, 0, 0) == "ready"
    assert shown_state(READY, 1, 0) == "viewed"
    assert shown_state(READY, 2, 1) == "controlled"
    assert shown_state(Health("refused"), 1, 1) == "refused"
