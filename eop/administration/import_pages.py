"""The page of imports: what is set, what would change, what was done."""

from typing import Any

from flask import Blueprint, Response, abort, g, jsonify, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from eop import moments
from eop.aaa import guard
from eop.administration import import_lock, import_store, import_words
from eop.administration.import_store import BRAKED, MAX_QUEUED, PLANNED, QUEUED, Order, Run
from eop.errors import RefusedError
from eop.services import services

SHOWN_RUNS = 20
UNTAKEN_MS = 10_000  # the worker looks every second: by then it is known not to run

blueprint = Blueprint("imports", __name__, url_prefix="/admin/import")


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {"import_words": import_words, "moment": moment}


def moment(at_ms: int) -> str:
    """A time, in the user's words."""
    return moments.told(at_ms)


@blueprint.get("/")
@guard.page_required("import_people")
def overview() -> str:
    """The sources that are set, and the last runs."""
    parts = services()
    with parts.database.read() as connection:
        runs = import_store.recent(connection, SHOWN_RUNS)
        sources = [
            {"name": name, "last": import_store.last_of(connection, name)}
            for name in parts.site.IMPORT_SOURCES
        ]
    return render_template(
        "imports.html", section="admin", runs=runs, sources=sources, site=parts.site
    )


@blueprint.post("/")
@guard.page_required("import_people")
def begin() -> AnyResponse:
    """Ask the worker for an import or a dry run, and show how it goes."""
    parts = services()
    source = request.form.get("source", "")
    if source not in parts.site.IMPORT_SOURCES:
        abort(404)
    order = Order(
        source=source,
        by=g.session.login,
        dry_run=request.form.get("do") != "import",
        confirmed=_confirmed(source),
        adopt=request.form.get("adopt") == "yes",
    )
    with parts.database.write() as connection:
        if import_store.count_open(connection) >= MAX_QUEUED:
            raise RefusedError("import_busy")
        number = import_store.add(connection, order, QUEUED, parts.now_ms())
    return _redirected(f"{parts.site.MOUNT_POINT}/admin/import/{number}")


def _confirmed(source: str) -> str:
    """The digest of what was shown and confirmed: nothing else can be."""
    text = request.form.get("confirms", "")
    if request.form.get("sure") != "yes" or not text.isdecimal() or len(text) > len(str(2**31)):
        return ""
    shown = _found(int(text))
    if shown.source != source or shown.outcome not in (BRAKED, PLANNED):
        return ""
    return str(shown.summary["digest"])


@blueprint.get("/<int:number>")
@guard.page_required("import_people")
def one(number: int) -> str:
    """One run: how far it is, or what it did."""
    run = _found(number)
    return render_template(
        "import_run.html", section="admin", run=run, waits=_waits(run), site=services().site
    )


@blueprint.get("/<int:number>/status")
@guard.page_required("import_people")
def status(number: int) -> Response:
    """How far a run is, for the page's script."""
    run = _found(number)
    text = import_words.progress(run, _waits(run))
    return jsonify({"outcome": run.outcome, "over": run.is_over, "text": text})


def _found(number: int) -> Run:
    if number >= 2**31:  # more than a number of a row can be
        abort(404)
    with services().database.read() as connection:
        run = import_store.find(connection, number)
    if run is None:
        abort(404)
    return run


def _waits(run: Run) -> str:
    """Why a run does not begin: another goes on, or nobody takes it up."""
    if run.outcome != QUEUED:
        return ""
    if import_lock.is_held():
        return "another"
    return "worker" if services().now_ms() - run.at > UNTAKEN_MS else ""


def _redirected(address: str) -> Response:
    response = make_response("")
    response.status_code = 303
    response.headers["Location"] = address
    return response
