"""Why a workstation is not well, as a sentence: one for each code of the daemon."""

from typing import Any

from flask_babel import lazy_gettext

from controle_vnc.control.messages import Reason

SENTENCES: dict[str, Any] = {
    "no_answer": lazy_gettext("The workstation does not answer: it is off, or its network is."),
    "silent": lazy_gettext("The VNC server has stopped answering."),
    "unknown_host": lazy_gettext("Host name not found."),
    "no_route": lazy_gettext("No network leads to this workstation."),
    "connection_refused": lazy_gettext("Connection refused: no VNC server listens there."),
    "closed": lazy_gettext("The VNC server closed the connection."),
    "turned_away": lazy_gettext("The VNC server turned us away."),
    "wrong_password": lazy_gettext(
        "Password refused: the stored VNC password is not the right one."
    ),
    "unsupported": lazy_gettext("The VNC server offers no sign-in that EOP knows."),
    "key_changed": lazy_gettext(
        "The VNC server's key has changed: this may be another machine. Nothing was sent to it."
    ),
    "unconfirmed": lazy_gettext(
        "The VNC server asks for the password, and nobody has confirmed its key. "
        "Nothing was sent to it."
    ),
    "untrusted": lazy_gettext(
        "The VNC server does not prove that it is the one EOP knows. Nothing was sent to it."
    ),
    "bad_server": lazy_gettext("Unreadable answer from the VNC server."),
}
OTHER = lazy_gettext("This workstation cannot be watched now.")


def sentence(reason: Reason | None) -> str | None:
    """The sentence for people, in the language of the request; None where all is well."""
    return None if reason is None else str(SENTENCES.get(reason.code, OTHER))
