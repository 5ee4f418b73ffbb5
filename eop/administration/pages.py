"""The administration page: every function this user may open."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, make_response, render_template
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import guard
from eop.aaa.policy import Action, may

blueprint = Blueprint("administration", __name__, url_prefix="/admin")


@dataclass(frozen=True)
class Function:
    """One function: the right it needs, its path below the site, an icon, and what it is for."""

    action: Action
    path: str
    icon: str
    title: Any
    sentence: Any


FUNCTIONS: tuple[Function, ...] = (
    Function(
        "account",
        "/account",
        "user",
        lazy_gettext("My account"),
        lazy_gettext("Password, second factor, where you are signed in."),
    ),
    Function(
        "manage_workstations",
        "/admin/rooms",
        "room",
        lazy_gettext("Rooms"),
        lazy_gettext("Their workstations, who is given them, their names."),
    ),
    Function(
        "manage_workstations",
        "/admin/workstations",
        "monitor",
        lazy_gettext("Workstations"),
        lazy_gettext("How each is and what to do; add, change, import."),
    ),
    Function(
        "import_people",
        "/admin/import/",
        "people",
        lazy_gettext("Import people"),
        lazy_gettext("People, classes and rooms from where the school keeps them."),
    ),
    Function(
        "manage_people",
        "/admin/people",
        "people",
        lazy_gettext("People"),
        lazy_gettext("Accounts: roles, grants, sessions."),
    ),
    Function(
        "substitute",
        "/admin/substitutes",
        "clock",
        lazy_gettext("Substitute teachers"),
        lazy_gettext("Rooms and classes for some days."),
    ),
    Function(
        "close_screens",
        "/admin/screens",
        "eyeoff",
        lazy_gettext("Close all screens"),
        lazy_gettext("At once, for everybody, until they are allowed again."),
    ),
    Function(
        "set_rooms",
        "/admin/rewind",
        "rewind",
        lazy_gettext("The last five minutes"),
        lazy_gettext("In which rooms a screen can be looked at as it was a moment ago."),
    ),
    Function(
        "explain_policy",
        "/admin/policy",
        "shield",
        lazy_gettext("Rights"),
        lazy_gettext("Who may do what, and why."),
    ),
    Function(
        "manage_sessions",
        "/admin/sessions",
        "user",
        lazy_gettext("Sessions"),
        lazy_gettext("Who is signed in, from where; ending it."),
    ),
    Function(
        "read_audit",
        "/admin/audit",
        "history",
        lazy_gettext("Audit"),
        lazy_gettext("Who signed in, who looked at whose screen, what was changed."),
    ),
    Function(
        "read_settings",
        "/admin/settings",
        "gear",
        lazy_gettext("Settings"),
        lazy_gettext("What each is for, what it is, where that comes from."),
    ),
    Function(
        "test_mail",
        "/admin/mail",
        "message",
        lazy_gettext("Mail"),
        lazy_gettext("By which server it is sent; a test."),
    ),
    Function(
        "check_health",
        "/admin/health",
        "pulse",
        lazy_gettext("Health"),
        lazy_gettext("Whether everything works, and what to do where it does not."),
    ),
)
"""In the order of the page. `/account` is the sign-in service's, wherever that is."""


@blueprint.app_context_processor
def _sections() -> dict[str, Any]:
    return {"admin_sections": sections}


def allowed() -> list[Function]:
    """The functions this user may open."""
    return [one for one in FUNCTIONS if may(g.identity, one.action).allowed]


def sections() -> list[Function]:
    """Those of the administration itself, for the list beside its pages."""
    return [one for one in allowed() if one.path.startswith(blueprint.url_prefix or "/")]


@blueprint.get("/")
@guard.page_required("administer")
def functions() -> AnyResponse:
    """What this user may open."""
    return make_response(render_template("admin.html", section="admin", listed=allowed()))
