"""The pages of workstations: the list, one to add or change, to look at again, to remove."""

import threading
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from controle_vnc.control.messages import Probe, SaveWorkstation, Workstation
from eop import moments
from eop.aaa import guard
from eop.administration import forms, workstation_csv, workstation_list, workstation_words
from eop.administration import workstation_fields as fields
from eop.administration.workstation_fields import Typed
from eop.administration.workstation_list import MAX_TEXT_CHARACTERS, SORTS, Wanted
from eop.directory import days, users
from eop.errors import N_, DaemonDownError, RefusedError
from eop.i18n import by_name, language
from eop.replies import told, told_in_full
from eop.services import services

PATH = "/admin/workstations"
MAX_ID_CHARACTERS = 64
MAX_PROBES = 2  # at once: each holds a thread of the site for as long as a slow handshake takes
AGAIN_MS = 1500  # how soon a page that waits for a look asks again
AGAIN_TIMES = 20  # by then every look has ended: a handshake has 30 s

DONE = {
    "added": N_("The workstation was added."),
    "changed": N_("The workstation was changed."),
    "removed": N_("The workstation was removed."),
    "moved": N_(
        "The workstation was changed. EOP still knows it by the key of its former address: where "
        "another machine answers now, forget that below."
    ),
    "confirmed": N_("EOP trusts that key from now on."),
    "looking": N_("They are being looked at; this list renews itself."),
    "imported": N_("The file was carried out."),
}

_probes = threading.BoundedSemaphore(MAX_PROBES)

blueprint = Blueprint("administration_workstations", __name__, url_prefix=PATH)


@dataclass(frozen=True)
class Form:
    """The page of one workstation: what is typed, what is wrong, and which one it is."""

    typed: Typed
    stored: Workstation | None = None
    wrong: dict[str, str] | None = None
    error: str = ""


@blueprint.context_processor
def _words() -> dict[str, Any]:
    now_ms = services().now_ms()
    return {
        "words": workstation_words,
        "fields": fields,
        "seen": lambda at_ms: moments.told_lately(at_ms, now_ms),
    }


@blueprint.get("")
@guard.page_required("manage_workstations")
def page() -> AnyResponse:
    """Workstations, the worst first, fifty at a time."""
    wanted, number = _wanted(), forms.number(request.args.get("page"))
    try:
        # those nobody watches are looked at, as a wall would: the list is not older than a minute
        known = services().daemon.workstations(refresh=True)
    except DaemonDownError as error:
        return make_response(_list([], wanted, number, str(told(error))), 503)
    return make_response(_list(known, wanted, number))


@blueprint.get("/export")
@guard.page_required("manage_workstations")
def export() -> Response:
    """What the list shows, of every page, as CSV without passwords."""
    found = workstation_list.search(
        services().daemon.workstations(sign_in=True), _wanted(), language=language()
    )
    response = Response("".join(workstation_csv.export(found.everyone)), mimetype="text/csv")
    day = days.today(services().now_ms())
    response.headers["Content-Disposition"] = f'attachment; filename="workstations-{day}.csv"'
    return response


@blueprint.post("/look")
@guard.page_required("manage_workstations")
def look_all() -> AnyResponse:
    """Look again at every workstation of a room, or at all of them."""
    parts, room = services(), forms.field("room")
    for one in parts.daemon.workstations(room=room or None):
        if one.state not in workstation_words.WELL:
            try:
                parts.daemon.retry(one.id)
            except RefusedError as error:
                if error.code != "unknown_workstation":  # one that was removed meanwhile
                    raise
    return _to_list("looking", room)


@blueprint.get("/new")
@guard.page_required("manage_workstations")
def new() -> AnyResponse:
    """An empty form."""
    room = request.args.get("room", "")[: fields.MAX_ROOM_CHARACTERS]
    return _form(Form(Typed(room=room, port=str(fields.DEFAULT_PORT))))


@blueprint.post("/new")
@guard.page_required("manage_workstations")
def add() -> AnyResponse:
    """Add a workstation."""
    return _save(Form(_typed()), "added")


@blueprint.get("/<workstation>")
@guard.page_required("manage_workstations")
def one(workstation: str) -> AnyResponse:
    """One workstation, and what may be done with it."""
    stored = _stored(workstation, refresh=True)
    host, port = fields.split(stored.address)
    vnc_user = stored.vnc_user or ""
    typed = Typed(stored.name, stored.room, host, port, stored.user or "", vnc_user=vnc_user)
    return _form(Form(typed, stored))


@blueprint.post("/<workstation>")
@guard.page_required("manage_workstations")
def change(workstation: str) -> AnyResponse:
    """Change a workstation, its name included."""
    return _save(Form(_typed(), _stored(workstation)), "changed")


@blueprint.post("/<workstation>/look")
@guard.page_required("manage_workstations")
def look(workstation: str) -> AnyResponse:
    """Forget waits and look at one workstation now."""
    stored = _stored(workstation)
    services().daemon.retry(stored.id)
    if forms.field("from") == "one":
        return forms.go_on(f"{PATH}/{stored.id}", "looking")
    return _to_list("looking", forms.field("room"))


@blueprint.post("/<workstation>/trust")
@guard.page_required("manage_workstations")
def trust(workstation: str) -> AnyResponse:
    """Confirm what the VNC server showed: that very key, not the one it shows by then."""
    stored, shown = _stored(workstation), forms.field("shown")
    if not fields.is_pin(shown):
        raise RefusedError("invalid")
    save = SaveWorkstation(
        name=stored.name,
        room=stored.room,
        address=stored.address,
        user=stored.user,
        by=guard.who().login,
        id=stored.id,
        trust=shown,
    )
    services().daemon.save(save)
    services().daemon.retry(stored.id)
    return forms.go_on(f"{PATH}/{stored.id}", "confirmed")


@blueprint.post("/<workstation>/probe")
@guard.page_required("manage_workstations")
def probe(workstation: str) -> AnyResponse:
    """Make one whole handshake, and show how each step went."""
    stored = _stored(workstation)
    if not _probes.acquire(blocking=False):
        sentence = gettext("Others are being diagnosed just now. Try again in a moment.")
        return _probed(stored, None, sentence)
    try:
        result = services().daemon.probe(stored.id)
    finally:
        _probes.release()
    return _probed(_stored(workstation), result)


@blueprint.get("/<workstation>/remove")
@guard.page_required("manage_workstations")
def confirm(workstation: str) -> str:
    """Asks before a workstation is forgotten."""
    return render_template(
        "admin_workstation_remove.html", section="admin", stored=_stored(workstation)
    )


@blueprint.post("/<workstation>/remove")
@guard.page_required("manage_workstations")
def remove(workstation: str) -> AnyResponse:
    """Forget a workstation; what is open of it closes."""
    stored = _stored(workstation)
    services().daemon.remove(stored.id, guard.who().login)
    return _to_list("removed", "")


def _wanted() -> Wanted:
    given = request.args
    asked = given.get("sort") or given.get(
        "sorted", ""
    )  # a head that is pressed, or the present one
    sort = asked.removeprefix("-")
    return Wanted(
        text=given.get("text", "")[:MAX_TEXT_CHARACTERS],
        room=given.get("room", "")[: fields.MAX_ROOM_CHARACTERS],
        state=given.get("state", "")[:20],
        sort=sort if sort in SORTS else "state",
        is_reversed=asked.startswith("-"),
    )


def _list(known: list[Workstation], wanted: Wanted, number: int, error: str = "") -> str:
    found = workstation_list.search(known, wanted, number, language())
    with services().database.read() as connection:
        names = users.names(connection, [one.user for one in found.listed if one.user])
    is_looking = request.args.get("done") == "looking"
    unsettled = any(one.state in workstation_words.UNSETTLED for one in found.listed)
    return render_template(
        "admin_workstations.html",
        section="admin",
        wanted=wanted,
        found=found,
        known=known,
        names=names,
        rooms=by_name({one.room for one in known}, ""),
        states=[one for one in workstation_words.LOOKS if any(w.state == one for w in known)],
        answering=sum(one.state in workstation_words.WELL for one in known),
        troubles=sum(one.state in workstation_words.FAULTS for one in known),
        again_ms=AGAIN_MS if is_looking or unsettled else 0,
        again_times=AGAIN_TIMES,
        error=error,
        done=forms.done(DONE),
    )


def _to_list(done: str, room: str) -> AnyResponse:
    known_room = room[: fields.MAX_ROOM_CHARACTERS]
    return forms.go_on(PATH + forms.query(room=known_room), done)


def _stored(workstation: str, *, refresh: bool = False) -> Workstation:
    """The workstation of that id; `refresh`: have it looked at if nobody did for a minute.

    Raises `RefusedError("unknown_workstation")`.
    """
    id_ = workstation[:MAX_ID_CHARACTERS]
    found = services().daemon.workstations(ids=[id_], refresh=refresh, sign_in=True)
    if not found:
        raise RefusedError("unknown_workstation")
    return found[0]


def _typed() -> Typed:
    names = ("name", "room", "address", "port", "user", "vnc_user", "trust")
    password = request.form.get("password", "")[: fields.MAX_PASSWORD_CHARACTERS + 1]
    return Typed(**{name: forms.field(name) for name in names}, password=password)


def _password(typed: Typed) -> str | None:
    """What is told of the password: an empty one forgets it, None keeps it."""
    if request.form.get("no_password") == "yes":
        return ""
    return typed.password or None


def _trust(typed: Typed) -> str | None:
    """What is told of the key the server is known by: as for the password."""
    if request.form.get("no_trust") == "yes":
        return ""
    return typed.trust or None


def _save(form: Form, done: str) -> AnyResponse:
    """Tell controle-vnc, or show the form again with what is wrong."""
    wrong = {name: forms.sentence(why) for name, why in fields.problems(form.typed).items()}
    if wrong:
        return _form(replace(form, wrong=wrong), 422)
    typed, by = form.typed, guard.who().login
    save = SaveWorkstation(
        name=typed.name,
        room=typed.room,
        address=typed.endpoint,
        password=_password(typed),
        user=typed.user or None,
        by=by,
        id=form.stored.id if form.stored else None,
        vnc_user=typed.vnc_user,
        trust=_trust(typed),
    )
    try:
        saved = services().daemon.save(save)
    except RefusedError as error:
        return _refused(form, error)
    services().daemon.retry(saved.id)  # so that its state is known when the page is shown
    is_moved = form.stored is not None and _keeps_key(form.stored, save)
    return forms.go_on(f"{PATH}/{saved.id}", "moved" if is_moved else done)


def _keeps_key(stored: Workstation, save: SaveWorkstation) -> bool:
    """Whether another address is to be known by the key of the former one."""
    key = (stored.trust or "").removeprefix(fields.LEARNT)
    return save.trust is None and fields.is_pin(key) and save.address != stored.address


def _refused(form: Form, error: RefusedError) -> AnyResponse:
    if error.code == "exists":
        wrong = {"name": gettext("There is a workstation of that name already.")}
        return _form(replace(form, wrong=wrong), 422)
    if error.code in ("invalid", "daemon_refused"):  # the rules above are those of the daemon
        return _form(replace(form, error=told_in_full(error)), 422)
    if isinstance(error, DaemonDownError):
        return _form(replace(form, error=told(error)), 503)
    raise error


def _form(form: Form, status: int = 200) -> AnyResponse:
    try:
        rooms = [room.name for room in services().daemon.rooms()]
    except DaemonDownError:
        rooms = []  # only suggestions
    stored = form.stored
    is_waiting = stored is not None and stored.state in workstation_words.UNSETTLED
    html = render_template(
        "admin_workstation.html",
        section="admin",
        form=form,
        typed=form.typed,
        stored=stored,
        wrong=form.wrong or {},
        error=form.error,
        rooms=by_name(rooms, ""),
        again_ms=AGAIN_MS if is_waiting else 0,
        again_times=AGAIN_TIMES,
        done=forms.done(DONE) if not form.wrong else "",
    )
    return make_response(html, status)


def _probed(stored: Workstation, result: Probe | None, error: str = "") -> AnyResponse:
    html = render_template(
        "admin_workstation_probe.html",
        section="admin",
        stored=stored,
        probe=result,
        probe_words={name: str(word) for name, word in workstation_words.PROBE_STEPS.items()},
        error=error,
    )
    return make_response(html, 503 if error else 200)
