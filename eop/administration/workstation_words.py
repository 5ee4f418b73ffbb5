"""How a workstation is, in an icon, a word, a reason and one next step."""

from typing import Any, NamedTuple

from flask_babel import lazy_gettext

from controle_vnc.control.messages import State, Workstation
from eop.observation import reasons


class Look(NamedTuple):
    """An icon of the sprite, a tone of the style sheet, and the word."""

    icon: str
    tone: str
    word: Any


class Step(NamedTuple):
    """The one thing to do next: which of the page's ways, and its label."""

    way: str  # password, edit, probe, look or open
    label: Any


_NO_SERVER = lazy_gettext("No VNC server listens there.")

LOOKS: dict[State, Look] = {
    "wrong_password": Look("key", "bad", lazy_gettext("Password refused")),
    "unsupported": Look("bad", "bad", lazy_gettext("Unknown sign-in")),
    "refused": Look("bad", "bad", lazy_gettext("Connection refused")),
    "unreachable": Look("unplug", "warn", lazy_gettext("Out of reach")),
    "offline": Look("power", "warn", lazy_gettext("Not answering")),
    "connecting": Look("refresh", "", lazy_gettext("Connecting…")),
    "unknown": Look("clock", "", lazy_gettext("Not looked at yet")),
    "controlled": Look("control", "info", lazy_gettext("Controlled")),
    "viewed": Look("eye", "info", lazy_gettext("Viewed")),
    "ready": Look("check", "ok", lazy_gettext("Ready")),
}
"""The worst first: the order of the list."""

FAULTS = frozenset({"wrong_password", "unsupported", "refused", "unreachable", "offline"})
WELL = frozenset({"controlled", "viewed", "ready"})
UNSETTLED = frozenset({"connecting", "unknown"})

_PRECISE: dict[str, Look] = {
    "unknown_host": Look("unplug", "warn", lazy_gettext("Host name not found")),
    "no_route": Look("unplug", "warn", lazy_gettext("No network leads there")),
    "silent": Look("unplug", "warn", lazy_gettext("The VNC server is silent")),
    "closed": Look("bad", "bad", lazy_gettext("Connection closed")),
    "turned_away": Look("bad", "bad", lazy_gettext("Turned away by the VNC server")),
    "key_changed": Look("alert", "bad", lazy_gettext("Its key has changed")),
    "unconfirmed": Look("alert", "warn", lazy_gettext("Nobody has confirmed its key")),
    "untrusted": Look("alert", "bad", lazy_gettext("Not proven who it is")),
    "bad_server": Look("bad", "bad", lazy_gettext("Unreadable answer")),
}

_STEPS: dict[str, Step] = {
    "wrong_password": Step("password", lazy_gettext("New password")),
    "unknown_host": Step("edit", lazy_gettext("Correct the address")),
    "no_route": Step("edit", lazy_gettext("Correct the address")),
    "key_changed": Step("edit", lazy_gettext("Check its key")),
    "unconfirmed": Step("edit", lazy_gettext("Check its key")),
    "untrusted": Step("edit", lazy_gettext("Check its key")),
    "no_answer": Step("look", lazy_gettext("Look again")),
}
_OPEN = Step("open", lazy_gettext("Open"))
_LOOK = Step("look", lazy_gettext("Look again"))
_PROBE = Step("probe", lazy_gettext("Diagnose"))

PROBE_STEPS: dict[str, Any] = {
    "connect": lazy_gettext("Connection to the address"),
    "version": lazy_gettext("Greeting of a VNC server"),
    "security": lazy_gettext("Sign-in with the stored password"),
    "init": lazy_gettext("Size and name of the screen"),
    "picture": lazy_gettext("First picture"),
}


def look(one: Workstation) -> Look:
    """The reason decides where it says more than the state."""
    precise = _PRECISE.get(one.reason.code) if one.reason and one.state in FAULTS else None
    return precise or LOOKS.get(one.state, LOOKS["unknown"])


def why(one: Workstation) -> str:
    """The reason in a sentence, or nothing where all is well; it does not repeat `look`."""
    if one.state == "refused" and one.reason and one.reason.code == "connection_refused":
        return str(_NO_SERVER)
    return reasons.sentence(one.reason) or ""


def shown(one: Workstation) -> str | None:
    """What its server shows and nobody has confirmed: one press does."""
    if one.reason is None or one.reason.code != "unconfirmed":
        return None
    return str(one.reason.arguments.get("shown", "")) or None


def step(one: Workstation) -> Step:
    """What to do next."""
    if one.state in WELL:
        return _OPEN
    if one.state in UNSETTLED:
        return _LOOK
    return _STEPS.get(one.reason.code if one.reason else "", _PROBE)


def rank(state: str) -> int:
    """Where a state stands in the list: the worst is 0."""
    order = list(LOOKS)
    return order.index(state) if state in LOOKS else len(order)
