"""The page that closes all screens at once, and allows them again."""

from typing import Any

from flask import Blueprint, render_template
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import guard, switches
from eop.administration import forms
from eop.errors import N_, DaemonDownError
from eop.services import services

PATH = "/admin/screens"
DONE = {
    "closed": N_("All screens are closed, new ones are refused."),
    "opened": N_("Screens may be opened again."),
    "waiting": N_("This is kept, and told to controle-vnc as soon as it answers."),
}

blueprint = Blueprint("administration_screens", __name__, url_prefix=PATH)


@blueprint.get("")
@guard.page_required("close_screens")
def page() -> str:
    """Whether all screens are closed, how many are open, and the way to change it."""
    return _page("admin_screens.html", done=forms.done(DONE))


@blueprint.get("/close")
@guard.page_required("close_screens")
def confirm() -> str:
    """Asks before everybody's screens close."""
    return _page("admin_screens_close.html")


@blueprint.post("")
@guard.page_required("close_screens")
def turn() -> AnyResponse:
    """Close all screens (`closed=yes`), or allow them again."""
    parts = services()
    closed = forms.field("closed") == "yes"
    switches.turn(parts.database, closed, guard.who().login, parts.now_ms())
    if switches.tell(parts.database, parts.daemon) is None:
        return forms.go_on(PATH, "waiting")
    return forms.go_on(PATH, "closed" if closed else "opened")


def _page(template: str, **more: Any) -> str:
    parts = services()
    with parts.database.read() as connection:
        state = switches.screens(connection)
    try:
        status = parts.daemon.status()
    except DaemonDownError:
        status = None  # the page says so
    return render_template(template, section="admin", state=state, status=status, **more)
