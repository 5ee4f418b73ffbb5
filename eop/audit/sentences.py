"""What each kind of event says, in the user's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

MAX_WORDS_CHARACTERS = 300  # of details in a sentence: an export has all of them
LAST_MOMENT_MS = 253_370_000_000_000  # in the year 9998: what the clocks of all systems can tell

Details = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind: its group in the list of filters, its name, and its sentence."""

    group: str
    name: Any
    sentence: Callable[[Details], str]


GROUPS: dict[str, Any] = {
    "sign_in": lazy_gettext("Signing in and out"),
    "look": lazy_gettext("Screens looked at"),
    "action": lazy_gettext("Actions"),
    "lesson": lazy_gettext("Lessons"),
    "document": lazy_gettext("Documents"),
    "configuration": lazy_gettext("Accounts and settings"),
    "audit": lazy_gettext("This audit"),
}
"""In the order of the list of filters."""

_REASONS: dict[str, Any] = {
    "wrong": lazy_gettext("wrong user name or password"),
    "unknown": lazy_gettext("no such account here"),
    "disabled": lazy_gettext("the account is disabled"),
    "expired": lazy_gettext("the account has expired"),
    "locked": lazy_gettext("the account is locked"),
    "must_change": lazy_gettext("the password must be changed first"),
    "directory_down": lazy_gettext("the directory did not answer"),
    "kept_here": lazy_gettext("the account signs in with its password here"),
    "kept_elsewhere": lazy_gettext("the account signs in where it is kept"),
    "denied": lazy_gettext("the account has no right to sign in"),
}

_ENDS: dict[str, Any] = {
    "left": lazy_gettext("the page was closed"),
    "closed": lazy_gettext("the workstation ended the connection"),
    "slow": lazy_gettext("the browser was too slow"),
    "lease_lost": lazy_gettext("the site did not answer"),
    "session_ended": lazy_gettext("the session ended"),
    "signed_out": lazy_gettext("signed out"),
    "changed": lazy_gettext("someone else sits there now"),
    "journal": lazy_gettext("it could not be written down"),
    "stopping": lazy_gettext("the service stopped"),
    "forbidden": lazy_gettext("the browser sent what is not allowed"),
    "wrong_password": lazy_gettext("the VNC server refused the password"),
    "no_answer": lazy_gettext("the workstation does not answer"),
    "connection_refused": lazy_gettext("the workstation refuses the connection"),
}


def duration(seconds: int) -> str:
    """How long, as people say it."""
    if seconds < 60:
        return str(ngettext("%(num)s second", "%(num)s seconds", seconds))
    if seconds < 3600:
        return str(ngettext("%(num)s minute", "%(num)s minutes", round(seconds / 60)))
    hours, minutes = divmod(round(seconds / 60), 60)
    return str(gettext("%(hours)s h %(minutes)02d", hours=hours, minutes=minutes))


def sentence(kind: str, details: Details) -> str:
    """What happened; of a kind that is not known here, its details."""
    known = KINDS.get(kind)
    if known is not None:
        return known.sentence(details)
    words = ", ".join(f"{key}: {value}" for key, value in details.items())
    return f"{kind} ({words})"[:MAX_WORDS_CHARACTERS] if words else kind


def name(kind: str) -> str:
    """What a kind is called."""
    return str(KINDS[kind].name) if kind in KINDS else kind


def _of(details: Details, key: str) -> str:
    return str(details.get(key) or "?")


def _number(details: Details, key: str) -> int:
    value = details.get(key)
    return value if isinstance(value, int) else 0


def _signed_in(details: Details) -> str:
    return str(
        gettext(
            "Signed in from %(address)s (%(authenticator)s).",
            address=_of(details, "address"),
            authenticator=_of(details, "authenticator"),
        )
    )


def _sign_in_failed(details: Details) -> str:
    reason = str(details.get("reason") or "?")
    return str(
        gettext(
            "Could not sign in from %(address)s: %(reason)s.",
            address=_of(details, "address"),
            reason=_REASONS.get(reason, reason),
        )
    )


def _failures_left_out(details: Details) -> str:
    address = _of(details, "address")
    return str(
        gettext("More sign-ins failed from %(address)s than are listed here.", address=address)
    )


def _sign_in_locked(details: Details) -> str:
    return str(
        gettext(
            "Too many failures from %(address)s: %(login)s cannot sign in for a while.",
            address=_of(details, "address"),
            login=_of(details, "login"),
        )
    )


def _signed_out(_: Details) -> str:
    return str(gettext("Signed out."))


def place(details: Details) -> str:
    """Which wall, or which workstation and where."""
    if details.get("workstation"):
        workstation, room = _of(details, "workstation"), details.get("room")
        return f"{workstation} ({room})" if room else workstation
    if details.get("room"):
        return str(gettext("room %(room)s", room=details["room"]))
    if details.get("class"):
        return str(gettext("class %(name)s", name=details["class"]))
    return str(ngettext("%(num)s person", "%(num)s persons", _number(details, "users")))


def _screen_opened(details: Details) -> str:
    if details.get("mode") == "control":
        return str(gettext("Took control of the screen of %(place)s.", place=place(details)))
    return str(gettext("Looked at the screen of %(place)s.", place=place(details)))


def _ended(details: Details) -> dict[str, str]:
    code = str(details.get("code") or "?")
    return {
        "place": place(details),
        "time": duration(_number(details, "seconds")),
        "reason": str(_ENDS.get(code, code.replace("_", " "))),
    }


def _screen_closed(details: Details) -> str:
    words = _ended(details)
    return str(gettext("Left the screen of %(place)s after %(time)s: %(reason)s.", **words))


def _screen_refused(details: Details) -> str:
    words = _ended(details)
    return str(gettext("The screen of %(place)s did not open: %(reason)s.", **words))


def _wall_opened(details: Details) -> str:
    return str(gettext("Opened the wall of %(place)s.", place=place(details)))


def _wall_shown(details: Details) -> str:
    return str(gettext("The open wall of %(place)s shows more people.", place=place(details)))


def _wall_closed(details: Details) -> str:
    words = _ended(details)
    return str(gettext("Left the wall of %(place)s after %(time)s: %(reason)s.", **words))


def _rewind_looked(details: Details) -> str:
    since, until = (_clock(_number(details, key)) for key in ("from", "to"))
    return str(
        gettext(
            "Looked back at the screen of %(place)s, from %(since)s to %(until)s.",
            place=place(details),
            since=since,
            until=until,
        )
    )


def _clock(moment_ms: int) -> str:
    """A time of day on the school's clock; the day is that of the event."""
    moment = min(max(moment_ms, 0), LAST_MOMENT_MS)
    return f"{datetime.fromtimestamp(moment / 1000).astimezone():%H:%M:%S}"


def _room_setting(text: Any) -> Callable[[Details], str]:
    def tell(details: Details) -> str:
        words = {"setting": _of(details, "setting"), "room": _of(details, "room")}
        return str(text) % words

    return tell


def _action(details: Details) -> str:
    words = {"action": _of(details, "action"), "place": place(details)}
    if details.get("ok"):
        return str(gettext("Did “%(action)s” on %(place)s.", **words))
    return str(gettext("“%(action)s” did not work on %(place)s.", **words))


def _lesson_place(details: Details) -> str:
    if details.get("class") and details.get("room"):
        words = {"name": _of(details, "class"), "room": _of(details, "room")}
        return str(gettext("class %(name)s in room %(room)s", **words))
    return place(details)


def _lesson_started(details: Details) -> str:
    words = {"place": _lesson_place(details)}
    if details.get("preset"):
        words["preset"] = _of(details, "preset")
        return str(gettext("Began a lesson: %(place)s, with the preset “%(preset)s”.", **words))
    return str(gettext("Began a lesson: %(place)s.", **words))


def _lesson_ended(details: Details) -> str:
    words = {"place": _lesson_place(details), "time": duration(_number(details, "seconds"))}
    if details.get("why") == "hours":
        told = gettext("A lesson ended by itself after %(time)s: %(place)s.", **words)
    elif details.get("why") == "removed":
        told = gettext("A lesson ended as its account was removed: %(place)s.", **words)
    elif details.get("why") == "console":
        words["login"] = _of(details, "login")
        told = gettext("Ended the lesson of %(login)s after %(time)s: %(place)s.", **words)
    else:
        told = gettext("Ended a lesson after %(time)s: %(place)s.", **words)
    failed = details.get("failed")
    if isinstance(failed, list) and failed:
        kinds = ", ".join(str(one) for one in failed)[:MAX_WORDS_CHARACTERS]
        told += " " + gettext("Could not be released: %(kinds)s.", kinds=kinds)
    return str(told)


def _preset_saved(details: Details) -> str:
    return str(gettext("Kept the lesson preset “%(name)s”.", name=_of(details, "preset")))


def _preset_removed(details: Details) -> str:
    return str(gettext("Removed the lesson preset “%(name)s”.", name=_of(details, "preset")))


def _passwords_batch(details: Details) -> str:
    return str(
        gettext(
            "Gave students of the class %(name)s new passwords (changed: %(changed)s, refused: "
            "%(refused)s).",
            name=_of(details, "class"),
            changed=_number(details, "changed"),
            refused=_number(details, "refused"),
        )
    )


def _password_file(text: Any) -> Callable[[Details], str]:
    return lambda details: str(text) % {"name": _of(details, "file")}


def _told(text: Any) -> Callable[[Details], str]:
    """A sentence with the workstation, the person or the class that was changed."""

    def tell(details: Details) -> str:
        if details.get("workstation"):
            return str(text) % {"what": place(details)}
        found = next(
            (details[key] for key in ("login", "class", "source", "room") if details.get(key)),
            "?",
        )
        return str(text) % {"what": found}

    return tell


def _key_told(text: Any) -> Callable[[Details], str]:
    """A sentence with a workstation and what its VNC server was and is known by."""
    return lambda details: (
        str(text)
        % {
            "what": place(details),
            "known": str(details.get("known") or gettext("nothing")),
            "shown": str(details.get("shown") or gettext("nothing")),
        }
    )


_CHANGED = _told(lazy_gettext("Changed the workstation %(what)s."))
_CHANGED_KEY = _key_told(
    lazy_gettext(
        "Changed the workstation %(what)s. What its VNC server is known by: %(shown)s "
        "(before: %(known)s)."
    )
)


def _workstation_changed(details: Details) -> str:
    is_of_key = "known" in details or "shown" in details
    return (_CHANGED_KEY if is_of_key else _CHANGED)(details)


def _audit_exported(details: Details) -> str:
    count = _number(details, "rows")
    return str(
        ngettext(
            "Exported %(num)s event as %(format)s.",
            "Exported %(num)s events as %(format)s.",
            count,
            format=_of(details, "format"),
        )
    )


def _audit_purged(details: Details) -> str:
    count = _number(details, "removed")
    return str(
        ngettext(
            "Removed %(num)s event older than %(days)s days.",
            "Removed %(num)s events older than %(days)s days.",
            count,
            days=_number(details, "days"),
        )
    )


def _people_imported(details: Details) -> str:
    return str(
        gettext(
            "Imported people from the source %(source)s: %(new)s new, %(disabled)s disabled, "
            "%(changed)s changed.",
            source=_of(details, "source"),
            new=_number(details, "new"),
            disabled=_number(details, "disabled"),
            changed=_number(details, "changed") + _number(details, "renamed"),
        )
    )


def _people_changed(details: Details) -> str:
    found = details.get("changes")
    changes = "; ".join(str(one) for one in found) if isinstance(found, list) else "?"
    if len(changes) > MAX_WORDS_CHARACTERS:
        changes = changes[:MAX_WORDS_CHARACTERS] + "…"
    return str(
        gettext(
            "Changed by an import from the source %(source)s: %(changes)s",
            source=_of(details, "source"),
            changes=changes,
        )
    )


def _import_braked(details: Details) -> str:
    source = _of(details, "source")
    return str(
        gettext(
            "The brake stopped an import from the source %(source)s: nothing was changed.",
            source=source,
        )
    )


def _import_failed(details: Details) -> str:
    return str(
        gettext(
            "An import from the source %(source)s failed: %(error)s.",
            source=_of(details, "source"),
            error=_of(details, "error"),
        )
    )


def _workstations_imported(details: Details) -> str:
    return str(
        gettext(
            "Carried out a file of workstations: %(added)s added, %(changed)s changed.",
            added=_number(details, "added"),
            changed=_number(details, "changed"),
        )
    )


def _room_renamed(details: Details) -> str:
    return str(
        gettext(
            "Renamed the room %(before)s: it is %(room)s now (workstations: %(count)s, "
            "rights: %(grants)s).",
            before=_of(details, "before"),
            room=_of(details, "room"),
            count=_number(details, "workstations"),
            grants=_number(details, "grants"),
        )
    )


def _document(text: Any) -> Callable[[Details], str]:
    """A sentence about a document: its reference, its class, and for how many it was done."""

    def told(details: Details) -> str:
        words = {
            "reference": _of(details, "reference"),
            "class": _of(details, "class"),
            "name": _of(details, "name"),
            "count": str(_number(details, "students")),
        }
        return str(text) % words

    return told


_DOCUMENTS: dict[str, tuple[Any, Any]] = {
    "document_given": (
        lazy_gettext("Document given"),
        lazy_gettext("Gave the document “%(reference)s” to %(count)s students of %(class)s."),
    ),
    "document_opened": (
        lazy_gettext("Hidden document opened"),
        lazy_gettext("Opened the hidden document “%(reference)s” for %(class)s."),
    ),
    "documents_collected": (
        lazy_gettext("Documents collected"),
        lazy_gettext("Collected “%(reference)s” from %(count)s students of %(class)s."),
    ),
    "documents_returned": (
        lazy_gettext("Documents returned"),
        lazy_gettext("Returned “%(reference)s” to %(count)s students of %(class)s."),
    ),
    "document_annexes_removed": (
        lazy_gettext("Annexes removed"),
        lazy_gettext("Removed the annexes of “%(reference)s” at %(count)s students of %(class)s."),
    ),
    "document_removed": (
        lazy_gettext("Document removed"),
        lazy_gettext("Removed the document “%(reference)s” at %(count)s students of %(class)s."),
    ),
    "document_handed_in": (
        lazy_gettext("Work handed in"),
        lazy_gettext("Put “%(name)s” into the document “%(reference)s” of %(class)s."),
    ),
    "mail_tested": (
        lazy_gettext("Test mail"),
        lazy_gettext("Had a test mail sent."),
    ),
}
"""What is done with documents: the kind's name, and its sentence."""

_CHANGES: dict[str, tuple[Any, Any]] = {
    "account_added": (
        lazy_gettext("Account added"),
        lazy_gettext("Added the account %(what)s."),
    ),
    "account_changed": (
        lazy_gettext("Account changed"),
        lazy_gettext("Changed the account %(what)s."),
    ),
    "account_removed": (
        lazy_gettext("Account removed"),
        lazy_gettext("Removed the account %(what)s."),
    ),
    "account_enabled": (
        lazy_gettext("Account enabled"),
        lazy_gettext("Enabled the account %(what)s."),
    ),
    "account_disabled": (
        lazy_gettext("Account disabled"),
        lazy_gettext("Disabled the account %(what)s."),
    ),
    "account_opened": (
        lazy_gettext("Account opened"),
        lazy_gettext("Opened the account %(what)s to its password alone."),
    ),
    "account_unlocked": (
        lazy_gettext("Account unlocked"),
        lazy_gettext("Unlocked the account %(what)s."),
    ),
    "account_locked": (
        lazy_gettext("Account locked"),
        lazy_gettext("Locked the account %(what)s."),
    ),
    "session_revoked": (
        lazy_gettext("Session ended"),
        lazy_gettext("Ended a session of %(what)s."),
    ),
    "session_ended": (
        lazy_gettext("Own session ended"),
        lazy_gettext("Signed out of another browser."),
    ),
    "other_sessions_ended": (
        lazy_gettext("Own other sessions ended"),
        lazy_gettext("Signed out of every other browser."),
    ),
    "second_factor_enrolled": (
        lazy_gettext("Second factor set up"),
        lazy_gettext("Set up a second factor."),
    ),
    "second_factor_removed": (
        lazy_gettext("Second factor removed"),
        lazy_gettext("Removed the second factor."),
    ),
    "recovery_codes_renewed": (
        lazy_gettext("Recovery codes renewed"),
        lazy_gettext("Made new recovery codes."),
    ),
    "recovery_code_used": (
        lazy_gettext("Recovery code used"),
        lazy_gettext("Signed in with a recovery code."),
    ),
    "sessions_down": (
        lazy_gettext("Session store down"),
        lazy_gettext("The store of sessions did not answer."),
    ),
    "sessions_ended": (
        lazy_gettext("Sessions ended"),
        lazy_gettext("Signed %(what)s out everywhere."),
    ),
    "password_set": (
        lazy_gettext("Password set"),
        lazy_gettext("Gave %(what)s another password."),
    ),
    "password_refused": (
        lazy_gettext("Password refused"),
        lazy_gettext("Could not give %(what)s another password."),
    ),
    "password_changed": (
        lazy_gettext("Password changed"),
        lazy_gettext("Changed the password of %(what)s."),
    ),
    "second_factor_reset": (
        lazy_gettext("Second factor reset"),
        lazy_gettext("Reset the second factor of %(what)s."),
    ),
    "substitute_given": (
        lazy_gettext("Substitute"),
        lazy_gettext("Gave %(what)s the rights of a substitute."),
    ),
    "substitute_removed": (
        lazy_gettext("Substitute removed"),
        lazy_gettext("Took the rights of a substitute from %(what)s."),
    ),
    "substitute_ended": (
        lazy_gettext("Substitute ended"),
        lazy_gettext("The rights of %(what)s as a substitute are over."),
    ),
    "class_saved": (
        lazy_gettext("Class changed"),
        lazy_gettext("Changed the class %(what)s."),
    ),
    "class_removed": (
        lazy_gettext("Class removed"),
        lazy_gettext("Removed the class %(what)s."),
    ),
    "plan_saved": (
        lazy_gettext("Seating plan changed"),
        lazy_gettext("Changed the seating plan of room %(what)s."),
    ),
    "screens_closed": (
        lazy_gettext("All screens closed"),
        lazy_gettext("Closed all screens and refused new ones."),
    ),
    "screens_opened": (
        lazy_gettext("Screens allowed again"),
        lazy_gettext("Allowed screens to be opened again."),
    ),
    "service_started": (
        lazy_gettext("controle-vnc started"),
        lazy_gettext("controle-vnc was started."),
    ),
    "workstation_added": (
        lazy_gettext("Workstation added"),
        lazy_gettext("Added the workstation %(what)s."),
    ),
    "workstation_removed": (
        lazy_gettext("Workstation removed"),
        lazy_gettext("Removed the workstation %(what)s."),
    ),
}
"""Changes of accounts, rights and settings: the kind's name, and a sentence about one thing."""

KINDS: dict[str, Kind] = {
    "signed_in": Kind("sign_in", lazy_gettext("Successful sign-in"), _signed_in),
    "sign_in_failed": Kind("sign_in", lazy_gettext("Failed sign-in"), _sign_in_failed),
    "sign_in_failures_left_out": Kind(
        "sign_in", lazy_gettext("More failed sign-ins"), _failures_left_out
    ),
    "sign_in_locked": Kind(
        "sign_in", lazy_gettext("Sign-in locked after failures"), _sign_in_locked
    ),
    "signed_out": Kind("sign_in", lazy_gettext("Sign-out"), _signed_out),
    "screen_opened": Kind("look", lazy_gettext("Screen opened"), _screen_opened),
    "screen_closed": Kind("look", lazy_gettext("Screen left"), _screen_closed),
    "screen_refused": Kind("look", lazy_gettext("Screen that did not open"), _screen_refused),
    "wall_opened": Kind("look", lazy_gettext("Wall opened"), _wall_opened),
    "wall_shown": Kind("look", lazy_gettext("Wall with more people"), _wall_shown),
    "wall_closed": Kind("look", lazy_gettext("Wall left"), _wall_closed),
    "rewind_looked": Kind("look", lazy_gettext("Last minutes looked at"), _rewind_looked),
    "action": Kind("action", lazy_gettext("Action"), _action),
    "room_setting_on": Kind(
        "configuration",
        lazy_gettext("Setting of a room switched on"),
        _room_setting(lazy_gettext("Switched “%(setting)s” on in room %(room)s.")),
    ),
    "room_setting_off": Kind(
        "configuration",
        lazy_gettext("Setting of a room switched off"),
        _room_setting(lazy_gettext("Switched “%(setting)s” off in room %(room)s.")),
    ),
    "lesson_started": Kind("lesson", lazy_gettext("Lesson begun"), _lesson_started),
    "lesson_ended": Kind("lesson", lazy_gettext("Lesson ended"), _lesson_ended),
    "lesson_preset_saved": Kind("lesson", lazy_gettext("Lesson preset kept"), _preset_saved),
    "lesson_preset_removed": Kind("lesson", lazy_gettext("Lesson preset removed"), _preset_removed),
    **{
        kind: Kind("document", kind_name, _document(text))
        for kind, (kind_name, text) in _DOCUMENTS.items()
    },
    **{
        kind: Kind("configuration", kind_name, _told(text))
        for kind, (kind_name, text) in _CHANGES.items()
    },
    "passwords_batch": Kind(
        "configuration", lazy_gettext("Passwords of a class set"), _passwords_batch
    ),
    "password_file_read": Kind(
        "configuration",
        lazy_gettext("File of passwords fetched"),
        _password_file(lazy_gettext("Fetched the file of new passwords %(name)s.")),
    ),
    "password_file_removed": Kind(
        "configuration",
        lazy_gettext("File of passwords deleted"),
        _password_file(lazy_gettext("Deleted the file of new passwords %(name)s.")),
    ),
    "room_renamed": Kind("configuration", lazy_gettext("Room renamed"), _room_renamed),
    "workstation_changed": Kind(
        "configuration", lazy_gettext("Workstation changed"), _workstation_changed
    ),
    "workstation_trust_learnt": Kind(
        "configuration",
        lazy_gettext("Key of a VNC server remembered"),
        _key_told(lazy_gettext("The VNC server of %(what)s is remembered by %(shown)s.")),
    ),
    "workstation_key_changed": Kind(
        "configuration",
        lazy_gettext("Another key of a VNC server"),
        _key_told(
            lazy_gettext(
                "The VNC server of %(what)s shows %(shown)s. It is known by %(known)s: nothing was "
                "sent to it."
            )
        ),
    ),
    "workstations_imported": Kind(
        "configuration", lazy_gettext("File of workstations"), _workstations_imported
    ),
    "people_imported": Kind("configuration", lazy_gettext("Import of people"), _people_imported),
    "people_changed": Kind(
        "configuration", lazy_gettext("Accounts changed by an import"), _people_changed
    ),
    "import_braked": Kind(
        "configuration", lazy_gettext("Import stopped by the brake"), _import_braked
    ),
    "import_failed": Kind("configuration", lazy_gettext("Import that failed"), _import_failed),
    "audit_exported": Kind("audit", lazy_gettext("Export"), _audit_exported),
    "audit_purged": Kind("audit", lazy_gettext("Old events removed"), _audit_purged),
}
"""Every kind that is recorded."""
