"""What is known of a workstation's health: its states, and why it is not well. Pure."""

import errno
import socket
from dataclasses import dataclass

from controle_vnc.control.messages import Reason, State
from controle_vnc.errors import (
    AuthenticationError,
    HungUpError,
    KeyChangedError,
    ProtocolError,
    TurnedAwayError,
    UnconfirmedServerError,
    UnsupportedError,
    UntrustedServerError,
)

MAX_DETAIL_CHARACTERS = 200  # a hostile server writes these words; a tool tip shows them

HELD_STATES: frozenset[State] = frozenset({"wrong_password", "unsupported"})
"""States in which trying again by ourselves could only do harm (TigerVNC would blacklist us)."""

SENTENCES = {
    "no_answer": "The workstation does not answer.",
    "silent": "The VNC server stopped answering.",
    "unknown_host": "The name of the workstation is not known.",
    "no_route": "No network leads to the workstation.",
    "connection_refused": "The workstation refuses the connection.",
    "closed": "The VNC server closed the connection.",
    "turned_away": "The VNC server turned us away.",
    "wrong_password": "The VNC server refused the password.",
    "unsupported": "The VNC server offers no sign-in that we know.",
    "key_changed": "The VNC server's key has changed: this may be another machine.",
    "unconfirmed": "Nobody has confirmed yet that the VNC server is the right one.",
    "untrusted": "The VNC server does not prove who it is.",
    "bad_server": "The VNC server's answer cannot be read.",
    "unknown_workstation": "There is no such workstation.",
    "changed": "The workstation has another room or user now.",
    "journal": "The opening cannot be written to the journal.",
    "failed": "The screen cannot be opened.",
}
"""Every reason code, and its English sentence for a log or an RFB refusal."""


class SilentError(Exception):
    """The server took the connection, or had it, and no longer says anything."""


@dataclass(frozen=True)
class Health:
    """A state and its reason; `state` is never `viewed` nor `controlled` here."""

    state: State
    reason: Reason | None = None

    @property
    def is_held(self) -> bool:
        return self.state in HELD_STATES


UNKNOWN = Health("unknown")
CONNECTING = Health("connecting")
READY = Health("ready")
STALE = Health("ready", Reason("silent"))
SILENT = Health("offline", Reason("silent"))
FAILED = Health("offline", Reason("failed"))

LINK_ERRORS = (
    OSError,
    TimeoutError,
    SilentError,
    HungUpError,
    AuthenticationError,
    UnsupportedError,
    UntrustedServerError,
    ProtocolError,
)
"""Everything a workstation can do to us; anything else is a fault of ours and is logged."""


def health_of(error: BaseException) -> Health:
    """What an error of `LINK_ERRORS` says of the workstation."""
    for kind, state, code in _TOLD:
        if isinstance(error, kind):
            return Health(state, _reason(code, error))
    if isinstance(error, OSError) and not isinstance(error, TimeoutError):
        return _health_of_socket(error)
    return Health("offline", Reason("no_answer"))


_TOLD: tuple[tuple[type[Exception], State, str], ...] = (
    (AuthenticationError, "wrong_password", "wrong_password"),
    (KeyChangedError, "unsupported", "key_changed"),
    (UnconfirmedServerError, "unsupported", "unconfirmed"),
    (UntrustedServerError, "unsupported", "untrusted"),
    (TurnedAwayError, "refused", "turned_away"),
    (UnsupportedError, "unsupported", "unsupported"),
    (ProtocolError, "unsupported", "bad_server"),
    (SilentError, "offline", "silent"),
    (HungUpError, "refused", "closed"),
)
_ROUTE = {errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_CLOSED = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}
_SHUT = {errno.ECONNREFUSED, errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOTSOCK}


def _health_of_socket(error: OSError) -> Health:
    if isinstance(error, socket.gaierror):
        return Health("unreachable", Reason("unknown_host"))
    if error.errno in _ROUTE:
        return Health("unreachable", Reason("no_route"))
    if error.errno in _SHUT:
        return Health("refused", Reason("connection_refused"))
    if error.errno in _CLOSED:
        return Health("refused", Reason("closed"))
    # EHOSTUNREACH is here: on one's own network it means that nobody answered ARP
    return Health("offline", Reason("no_answer"))


def _reason(code: str, error: BaseException) -> Reason:
    detail = "".join(c if c.isprintable() else " " for c in str(error))[:MAX_DETAIL_CHARACTERS]
    arguments: dict[str, str | int] = {"detail": detail.strip()} if detail.strip() else {}
    if isinstance(error, UntrustedServerError) and error.shown is not None:
        arguments["shown"] = error.shown
    return Reason(code, arguments)


def refusal(reason: Reason | None) -> str:
    """A short English sentence with its code, as an RFB refusal tells it."""
    code = reason.code if reason is not None else "failed"
    return f"{SENTENCES.get(code, SENTENCES['failed'])} ({code})"


def shown_state(health: Health, viewers: int, controllers: int) -> State:
    """The state the world sees: live viewers only count on a workstation that is well."""
    if health.state not in ("ready", "connecting", "unknown"):
        return health.state
    if controllers:
        return "controlled"
    if viewers:
        return "viewed"
    return health.state
