"""The page of help, and the accessibility statement, which everyone may read."""

from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, g, render_template, request
from flask_babel import format_date

from eop import __version__
from eop.aaa import guard
from eop.aaa.policy import Action, may
from eop.assistance import howto, shortcuts
from eop.assistance.howto import Place
from eop.assistance.shortcuts import Group
from eop.services import services

PATH = "/accessibility"
DOOR_PATH = "/login" + PATH  # where the sign-in service is alone, or beside another application
STATEMENT = "EOP_STATEMENT"  # in the configuration: where this application's pages find it
PREPARED = date(2026, 11, 21)  # when what the statement says was last checked

blueprint = Blueprint("assistance", __name__)
door = Blueprint("assistance_door", __name__)


def init_app(app: Flask, statement: str) -> None:
    """Give templates the help of the page, and the address of the statement."""
    app.config[STATEMENT] = statement
    app.jinja_env.globals.update(page_help=page_help, key_name=shortcuts.key_name)
    app.context_processor(lambda: {"statement_path": current_app.config[STATEMENT]})


@blueprint.get("/help")
@guard.page_required("sign_in")
def help_page() -> str:
    """Every shortcut and answer, for browsers without script and for printing."""
    return render_template("help.html", section="help", help=_shown(shortcuts.GROUPS, howto.PLACES))


@blueprint.get(PATH)
@door.get(DOOR_PATH)
def statement() -> str:
    """What was checked, what does not work, and whom to tell."""
    contact = services().site.ACCESSIBILITY_CONTACT
    return render_template(
        "accessibility.html",
        section="accessibility",
        contact=contact,
        contact_address=address_of(contact),
        prepared=format_date(PREPARED, format="long"),  # type: ignore[no-untyped-call]
        version=__version__,
    )


def address_of(contact: str) -> str:
    """The link of a contact: a page's or a mail's; nothing where it is neither."""
    if urlsplit(contact).scheme in {"http", "https"}:
        return contact
    is_mail = contact.count("@") == 1 and " " not in contact
    return f"mailto:{contact}" if is_mail else ""


def page_help() -> dict[str, Any]:
    """What the help of the page that is made now shows."""
    endpoint = request.endpoint or ""
    return _shown(
        shortcuts.groups_of(endpoint), tuple(one for one in howto.PLACES if one.is_of(endpoint))
    )


def _shown(groups: tuple[Group, ...], places: tuple[Place, ...]) -> dict[str, Any]:
    """Groups with the shortcuts of who is asking, and the answers that belong to them."""
    allowed = [group for group in groups if _may(group.needs)]
    answers = places if _may("observe") else ()
    return {"groups": [_for_me(group) for group in allowed], "answers": answers}


def _for_me(group: Group) -> Group:
    return replace(group, shortcuts=tuple(one for one in group.shortcuts if _may(one.needs)))


def _may(needed: Action | None) -> bool:
    return needed is None or may(g.identity, needed).allowed
