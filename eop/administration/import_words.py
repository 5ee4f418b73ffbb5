"""What an import did, in the user's words."""

from typing import Any

from flask_babel import gettext, lazy_gettext

from eop import counts as written
from eop.administration.import_store import COMMAND, SCHEDULE

KINDS: dict[str, Any] = {
    "new": lazy_gettext("New people"),
    "adopted": lazy_gettext("Local accounts taken over"),
    "renamed": lazy_gettext("Logins changed"),
    "changed": lazy_gettext("Name, role or grants changed"),
    "disabled": lazy_gettext("Disabled"),
    "enabled": lazy_gettext("Enabled again"),
    "moved": lazy_gettext("Moved to another class"),
    "released": lazy_gettext("Gave up a login to somebody new"),
    "deleted": lazy_gettext("Deleted"),
    "class_new": lazy_gettext("New classes"),
    "class_renamed": lazy_gettext("Classes renamed"),
    "class_changed": lazy_gettext("Lists of classes changed"),
    "class_removed": lazy_gettext("Classes removed"),
    "room": lazy_gettext("Workstations changed"),
}
FIELDS: dict[str, Any] = {
    "login": lazy_gettext("login"),
    "state": lazy_gettext("state"),
    "source": lazy_gettext("source"),
    "name": lazy_gettext("name"),
    "role": lazy_gettext("role"),
    "rooms": lazy_gettext("rooms"),
    "classes": lazy_gettext("classes"),
    "heads": lazy_gettext("head teacher of"),
    "birth_date": lazy_gettext("birth date"),
    "students": lazy_gettext("students"),
    "members": lazy_gettext("left → entered"),
    "room": lazy_gettext("room"),
    "user": lazy_gettext("who sits there"),
}
OUTCOMES: dict[str, tuple[str, str, Any]] = {
    "queued": ("info", "clock", lazy_gettext("Waiting")),
    "running": ("info", "refresh", lazy_gettext("Going on")),
    "planned": ("info", "eye", lazy_gettext("Dry run")),
    "done": ("ok", "check", lazy_gettext("Done")),
    "partly": ("warn", "alert", lazy_gettext("Done in part")),
    "braked": ("warn", "pause", lazy_gettext("Stopped by the brake")),
    "failed": ("bad", "bad", lazy_gettext("Failed")),
}
"""Outcome → tone, icon and word."""

SOURCES: dict[str, Any] = {
    "file": lazy_gettext("File"),
    "ldap": lazy_gettext("Directory (LDAP)"),
}


def source(name: str) -> str:
    """A source as people call it."""
    return str(SOURCES.get(name, name))


def state(name: str) -> str:
    """The state of an account."""
    known = {
        "active": gettext("active"),
        "disabled": gettext("disabled"),
        "expired": gettext("expired"),
        "locked": gettext("locked"),
    }
    return known.get(name, name)


def by(text: str) -> str:
    """Who asked for an import."""
    known = {SCHEDULE: gettext("the schedule"), COMMAND: gettext("the command line")}
    return known.get(text, text)


def brake(one: dict[str, Any]) -> str:
    """Why the brake stopped an import."""
    if one["code"] == "empty":
        return gettext("The source names nobody at all. That is a fault of the source.")
    if one["code"] == "people":
        return gettext("%(lost)s of %(of)s people would be disabled.", **_numbers(one))
    return gettext(
        "%(lost)s of %(of)s students would leave the class %(name)s.",
        name=one["name"], **_numbers(one),
    )  # fmt: skip


def _numbers(one: dict[str, Any]) -> dict[str, int]:
    return {"lost": one["lost"], "of": one["of"]}


def conflict(one: dict[str, str]) -> str:
    """Why someone or something was left as it is."""
    sentences = {
        "local": gettext("This name belongs to one that is kept here."),
        "other_source": gettext("This name belongs to one of the source %(name)s.",
                                name=source(one["detail"])),
        "waits": gettext("This name belongs to one that could not be changed."),
        "login_twice": gettext("The source has this login twice."),
        "name_twice": gettext("The source has this name twice."),
        "id_twice": gettext("The source has the id of this one twice."),
    }  # fmt: skip
    return sentences.get(one["code"], one["detail"])


def progress(run: Any, waits: str) -> str:
    """How far a run is; `waits` says for what it waits: `another`, `worker` or nothing."""
    if waits == "another":
        return gettext("Another import is going on; this one follows.")
    if waits == "worker":
        return gettext("Nobody takes it up. An administrator can look at the service eop-worker.")
    read = run.summary.get("read")
    return gettext("%(count)s entries read", count=read) if read else ""


def headline(run: Any) -> str:
    """A run in one line: how many of what, or why not."""
    summary = run.summary
    if "error" in summary:
        return str(summary["error"]).split("\n", 1)[0]
    if not run.is_over:
        return progress(run, "")
    counts = summary["counts"]
    parts = [f"{KINDS[kind]}: {written.number(count)}" for kind, count in counts.items()]
    if summary["conflicts"]["count"]:
        parts.append(gettext("left as they are: %(count)s", count=summary["conflicts"]["count"]))
    return " · ".join(parts) or gettext("Nothing changes.")
