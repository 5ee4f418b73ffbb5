"""The page of a file of workstations: what it would change in words, then the change itself.

Between the two the file travels in the page, sealed with a key of the server: nobody reads its
passwords there, and nothing else than what was shown is carried out.
"""

import hmac
import json
import zlib
from dataclasses import dataclass

from cryptography.fernet import InvalidToken
from flask import Blueprint, g, make_response, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import guard
from eop.administration import forms, workstation_csv, workstation_plan
from eop.administration.workstation_csv import File
from eop.administration.workstation_plan import Change, Plan
from eop.administration.workstations import PATH as LIST
from eop.audit import events
from eop.errors import N_, DaemonDownError, InvalidError, RefusedError
from eop.replies import told, told_in_full
from eop.services import services

PATH = f"{LIST}/import"
PURPOSE = "workstation import"
MAX_REQUEST_BYTES = 120 * 1024  # a file and its form; below nginx's 128 KiB
MAX_SEALED_CHARACTERS = 118 * 1024
SEALED_SECONDS = 3600  # for whoever looks at the differences with a colleague
SHOWN = 200  # of each kind of change: more is not read

FIELDS = {
    "room": N_("room"),
    "address": N_("address"),
    "user": N_("who sits there"),
    "password": N_("password"),
    "vnc_user": N_("VNC user name"),
    "trust": N_("what the VNC server is known by"),
}

blueprint = Blueprint("administration_workstation_import", __name__, url_prefix=PATH)


@dataclass(frozen=True)
class Shown:
    """What the page says of a file: its plan, what is wrong, and the sealed file to go on with."""

    plan: Plan | None = None
    file: File | None = None
    sealed: str = ""
    error: str = ""
    note: str = ""


@blueprint.get("")
@guard.page_required("manage_workstations")
def page() -> AnyResponse:
    """What a file looks like, and where to choose it."""
    return _page(Shown())


@blueprint.post("")
@guard.takes_up_to(MAX_REQUEST_BYTES)
@guard.page_required("manage_workstations")
def preview() -> AnyResponse:
    """Say what a file would change; nothing is changed."""
    given = request.files.get("file")
    if given is None or not given.filename:
        return _page(Shown(error=gettext("Choose a file.")), 422)
    try:
        text = workstation_csv.text_of(given.stream.read(workstation_csv.MAX_FILE_BYTES + 1))
        return _looked_at(text)
    except InvalidError as error:
        return _page(Shown(error=forms.sentence(error)), 422)
    except DaemonDownError as error:
        return _page(Shown(error=told(error)), 503)


@blueprint.post("/carry-out")
@guard.takes_up_to(MAX_REQUEST_BYTES)
@guard.page_required("manage_workstations")
def carry_out() -> AnyResponse:
    """Do what was shown, all of it or nothing."""
    opened = _opened(request.form.get("sealed", ""))
    if opened is None:
        sentence = gettext("This took too long, or is not of this session: choose the file again.")
        return _page(Shown(error=sentence), 422)
    text, shown_digest = opened
    try:
        plan = _plan(workstation_csv.read(text))
        if not hmac.compare_digest(plan.digest, shown_digest):
            note = gettext("Workstations have changed meanwhile. Look at the differences again.")
            return _looked_at(text, note)
        _carry_out(plan)
    except InvalidError as error:
        return _page(Shown(error=forms.sentence(error)), 422)
    except RefusedError as error:
        return _page(Shown(error=told_in_full(error)), 503)
    return forms.go_on(LIST, "imported")


def _plan(file: File) -> Plan:
    return workstation_plan.make(file.rows, services().daemon.workstations(sign_in=True))


def _looked_at(text: str, note: str = "") -> AnyResponse:
    file = workstation_csv.read(text)
    plan = _plan(file)
    if file.wrong:
        return _page(Shown(plan, file, note=note), 422)
    sealed = _sealed(text, plan) if plan.requests else ""
    return _page(Shown(plan, file, sealed, note=note))


def _carry_out(plan: Plan) -> None:
    """Raises `RefusedError`; where controle-vnc was too slow to answer, it may be done yet."""
    parts, by = services(), guard.who().login
    changes = [change.request(by) for change in plan.requests]
    parts.daemon.save_all(changes, by, workstation_plan.SAVE_SECONDS)
    details = {"added": len(plan.of("add")), "changed": len(plan.of("change"))}
    with parts.database.write() as connection:
        events.record(
            connection, "workstations_imported", parts.now_ms(), user=by, session=g.session.id,
            details=details,
        )  # fmt: skip


def _sealed(text: str, plan: Plan) -> str:
    """The file for the page, readable here alone; raises `InvalidError` where it is too large."""
    value = {"text": text, "digest": plan.digest, "session": g.session.id}
    packed = zlib.compress(json.dumps(value).encode())
    sealed = services().door.keys.cipher(PURPOSE).encrypt(packed).decode()
    if len(sealed) > MAX_SEALED_CHARACTERS:
        raise InvalidError(
            N_("The file is larger than %(most)s KiB: split it, or use eopctl workstation import."),
            most=MAX_SEALED_CHARACTERS * 3 // 4096,
        )
    return sealed


def _opened(sealed: str) -> tuple[str, str] | None:
    """Text and digest of what this session was shown, if that is not too long ago."""
    cipher = services().door.keys.cipher(PURPOSE)
    now = services().now_ms() // 1000
    try:
        packed = cipher.decrypt_at_time(sealed.encode("ascii", "replace"), SEALED_SECONDS, now)
    except InvalidToken:
        return None
    value = json.loads(zlib.decompress(packed))
    if value["session"] != g.session.id:
        return None
    return value["text"], value["digest"]


def _in_words(change: Change) -> list[str]:
    """Each difference of a line: “room: S12 → S14”; a password is only said to be new."""
    told_words = []
    for one in change.differences:
        field = gettext(FIELDS[one.field])
        if one.field == "password":
            told_words.append(gettext("%(field)s: replaced", field=field))
        else:
            told_words.append(
                gettext(
                    "%(field)s: %(before)s → %(after)s",
                    field=field,
                    before=one.before or "–",
                    after=one.after or "–",
                )
            )
    return [str(one) for one in told_words]


def _page(shown: Shown, status: int = 200) -> AnyResponse:
    html = render_template(
        "admin_workstation_import.html",
        section="admin",
        shown=shown,
        plan=shown.plan,
        error=shown.error,
        done="",
        in_words=_in_words,
        sentence=forms.sentence,
        most=SHOWN,
        most_kib=workstation_csv.MAX_FILE_BYTES // 1024,
    )
    return make_response(html, status)
