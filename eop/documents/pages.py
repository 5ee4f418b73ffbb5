"""The pages of documents: giving, the table of all, one of them, returning, removing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, g, jsonify, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from controle_vnc.control.messages import MAX_FILES_A_DOCUMENT
from eop import i18n, mail, moments, replies
from eop.aaa import guard
from eop.aaa.access import Directory
from eop.aaa.policy import Target, may
from eop.directory import classes, users
from eop.directory.classes import SchoolClass
from eop.documents import jobs, looks, own, status, store, uploads, words
from eop.documents.own import Letter, NoRoomError, Order, ReferenceUsedError
from eop.documents.status import Wanted
from eop.documents.store import Document
from eop.errors import N_, InvalidError, RefusedError
from eop.services import services

PATH = "/documents/"
MAX_FIELD_CHARACTERS = 128  # of a reference, a class, a login
MAX_ENDED = 3  # jobs that are over and still told of
ASIDE = 10  # students beside the table; the document's own page has all
DONE = {
    "given": N_("The document is being given."),
    "collecting": N_("The documents are being collected."),
    "returning": N_("The documents are being returned."),
    "opened": N_("The document is given now."),
    "again": N_("It is tried again."),
    "removing": N_("The document is being removed."),
    "stopped": N_("It is stopped: what is done stays."),
    "removed": N_("The document is removed."),
}

blueprint = Blueprint("document_pages", __name__, url_prefix="/documents")


@blueprint.context_processor
def _helpers() -> dict[str, Any]:
    return {
        "document_words": words,
        "now_ms": services().now_ms(),
        "told_lately": moments.told_lately,
    }


@blueprint.get("/")
@guard.page_required("documents")
def overview() -> AnyResponse:
    """Every document of who asks, with what comes next; and the jobs that go on."""
    parts, who = services(), guard.who()
    wanted = _wanted(status.SORTS, status.STATES)
    with parts.database.read() as connection:
        all_of_mine = store.of_teacher(connection, who.login)
    seen = looks.refresh(parts, all_of_mine)
    with parts.database.read() as connection:
        mine = store.of_teacher(connection, who.login)
        running = jobs.shown(connection, [one.id for one in mine], parts.now_ms())
        files = store.files_of_all(connection, [one.id for one in mine])
        listed = status.documents(mine, wanted, parts.now_ms(), i18n.language())
        chosen = next((one for one in listed if one.id == request.args.get("show")), None)
        chosen = chosen or (listed[0] if listed else None)
        beside = store.students(connection, chosen.id) if chosen else []
    return make_response(
        render_template(
            "documents.html",
            section="documents",
            documents=listed,
            total=len(mine),
            files=files,
            wanted=wanted,
            classes=i18n.by_name({one.class_name for one in mine}, ""),
            states=status.STATES,
            counts={
                name: sum(one.next_step == name for one in mine) for name in ("collect", "return")
            },
            running=_running(running, mine),
            chosen=chosen,
            beside=status.students(beside, Wanted(), i18n.language())[:ASIDE],
            is_seen=seen,
            state_of=status.state_of,
            done=_done(),
        )
    )


@blueprint.get("/new")
@guard.page_required("documents")
def new() -> AnyResponse:
    """The form that gives a document."""
    return _form()


@blueprint.post("/")
@guard.page_required("documents")
def distribute() -> AnyResponse:
    """Give a document, or say on the form why not."""
    try:
        made = own.distribute(_order())
    except NoRoomError as error:
        troubles = [(name, words.trouble(code)) for name, code in error.troubles]
        return _form(troubles=troubles, code=409)
    except InvalidError as error:
        return _form(error=replies.in_words(error), code=422)
    except ReferenceUsedError as error:
        return _form(used=error.document, code=409)
    except RefusedError as error:
        return _form(error=replies.told(error), code=replies.SENTENCES[error.code][0])
    return _go(f"?show={made.id}", "given")


@blueprint.get("/students")
@guard.page_required("documents")
def students() -> AnyResponse:
    """The students of a class, to choose from: a part of the form."""
    group = _class(request.args.get("class", "")[:MAX_FIELD_CHARACTERS])
    return make_response(render_template("_document_students.html", people=_people(group)))


@blueprint.get("/<document_id>")
@guard.page_required("documents")
def one(document_id: str) -> AnyResponse:
    """One document: how each student has it."""
    parts = services()
    with parts.database.read() as connection:
        found = own.mine(connection, document_id)
    seen = looks.refresh(parts, [found])
    wanted = _wanted(status.STUDENT_SORTS, status.STUDENT_STATES)
    with parts.database.read() as connection:
        found = own.mine(connection, document_id)
        people = store.students(connection, found.id)
        running = jobs.shown(connection, [found.id], parts.now_ms())
        files = store.files(connection, found.id)
    return make_response(
        render_template(
            "document.html",
            section="documents",
            document=found,
            files=files,
            students=status.students(people, wanted, i18n.language()),
            total=len(people),
            wanted=wanted,
            running=_running(running, [found]),
            is_seen=seen,
            state=status.state_of(found, parts.now_ms()),
            done=_done(),
        )
    )


@blueprint.post("/<document_id>/collect")
@guard.page_required("documents")
def collect(document_id: str) -> AnyResponse:
    """Collect it from everybody, or from those who are late."""
    made = own.collect(document_id, only_late=request.form.get("who") == "late")
    return _back(made, "collecting")


@blueprint.post("/<document_id>/retry")
@guard.page_required("documents")
def retry(document_id: str) -> AnyResponse:
    """Try again what failed."""
    return _back(own.retry(document_id), "again")


@blueprint.post("/<document_id>/open")
@guard.page_required("documents")
def open_now(document_id: str) -> AnyResponse:
    """Give a hidden document now."""
    return _back(own.open_now(document_id), "opened")


@blueprint.get("/<document_id>/return")
@guard.page_required("documents")
def ask_return(document_id: str) -> AnyResponse:
    """Asks whether to write to the students, too."""
    return _return_page(document_id, _usual_letter)


@blueprint.post("/<document_id>/return")
@guard.page_required("documents")
def give_back(document_id: str) -> AnyResponse:
    """Return what was collected; `do=preview` shows the mail first."""
    letter = Letter(
        request.form.get("title", "")[: mail.MAX_TITLE_CHARACTERS + 1],
        request.form.get("body", "")[: mail.MAX_BODY_CHARACTERS + 1],
    )
    is_mail = request.form.get("mail") == "yes"
    if request.form.get("do") == "preview":
        return _return_page(document_id, lambda _: letter, is_mail=True, preview=True)
    try:
        made = own.give_back(document_id, letter if is_mail else None)
    except InvalidError as error:
        told = replies.in_words(error)
        return _return_page(document_id, lambda _: letter, is_mail=True, error=told, code=422)
    except RefusedError as error:
        if error.code != "too_many_mails":
            raise
        told = replies.told(error)
        return _return_page(document_id, lambda _: letter, is_mail=True, error=told, code=429)
    return _back(made, "returning")


@blueprint.get("/<document_id>/remove")
@guard.page_required("documents")
def ask_remove(document_id: str) -> AnyResponse:
    """Asks what is to be removed, and says what stays."""
    with services().database.read() as connection:
        found = own.mine(connection, document_id)
        files = store.files(connection, found.id)
    page = render_template("document_remove.html", section="documents", document=found, files=files)
    return make_response(page)


@blueprint.post("/<document_id>/remove")
@guard.page_required("documents")
def remove(document_id: str) -> AnyResponse:
    """Remove annexes, or everything."""
    own.remove(
        document_id,
        request.form.get("what", ""),
        with_collected=request.form.get("collected") == "yes",
        with_changed=request.form.get("changed") == "yes",
    )
    return _go("", "removing")


@blueprint.post("/jobs/<int:number>/stop")
@guard.page_required("documents")
def stop(number: int) -> AnyResponse:
    """Stop a job."""
    own.stop(number)
    return redirect(guard.safe_next(request.form.get("next")), 303)


@blueprint.post("/jobs/<int:number>/go-on")
@guard.page_required("documents")
def go_on(number: int) -> AnyResponse:
    """Carry a stopped job on."""
    own.go_on(number)
    return redirect(guard.safe_next(request.form.get("next")), 303)


@blueprint.get("/jobs/<int:number>")
@guard.page_required("documents")
def progress(number: int) -> AnyResponse:
    """How far a job is, for the page's script; 404 once its document is removed."""
    with services().database.read() as connection:
        job, _ = own.my_job(connection, number)
    told = {
        "over": job.state != jobs.OPEN,
        "done": job.over,
        "total": job.total,
        "text": words.progress(job),
    }
    return jsonify(told)


def _form(
    error: str = "",
    troubles: Sequence[tuple[str, str]] = (),
    used: Document | None = None,
    code: int = 200,
) -> AnyResponse:
    """The form, with what was sent and what is wrong with it."""
    parts, who = services(), guard.who()
    given = request.form if request.method == "POST" else request.args
    groups = [one for one in Directory(parts.database).classes if _may_give(one)]
    name = given.get("class", "")[:MAX_FIELD_CHARACTERS]
    group = next((one for one in groups if one.name == name), None)
    sent = request.form.getlist("file")[:MAX_FILES_A_DOCUMENT]
    page = render_template(
        "document_new.html",
        section="documents",
        classes=i18n.by_name(groups),
        chosen=group,
        people=_people(group) if group else [],
        ticked=set(request.form.getlist("student")),
        reference=given.get("reference", "")[: own.MAX_REFERENCE_CHARACTERS],
        is_some=given.get("who") == "some",
        is_simple=given.get("kind") == "simple",
        is_hidden=given.get("hidden") == "yes",
        until=given.get("until", "")[:MAX_FIELD_CHARACTERS],
        files=[(one, one_id in request.form.getlist("annex")) for one_id, one in _sent(sent)],
        limit=words.size(parts.shared.UPLOAD_LIMIT * uploads.MEGABYTE),
        teacher=who.login,
        error=error,
        troubles=troubles,
        used=used,
        page_data={
            "csrf": g.csrf_token,
            "api": parts.site.MOUNT_POINT + "/api/v1",
            "students": parts.site.MOUNT_POINT + "/documents/students",
            "limit": parts.shared.UPLOAD_LIMIT * uploads.MEGABYTE,
            "most": MAX_FILES_A_DOCUMENT,
            "body": uploads.MAX_BODY_BYTES,
            "folder": f"devoirs/{who.login}/",
        },
    )
    return make_response(page, code)


def _sent(ids: Sequence[str]) -> list[tuple[str, uploads.Upload]]:
    """Those files of a form that are held still."""
    parts, found = services(), []
    for one in ids:
        try:
            found.append((one, uploads.get(parts, guard.who().login, one)))
        except RefusedError:
            continue  # it has expired: the form shows what is left
    return found


def _order() -> Order:
    annexes = set(request.form.getlist("annex"))
    some = request.form.getlist("student")[: classes.MAX_STUDENTS + 1]
    return Order(
        reference=_field("reference"),
        class_name=_field("class"),
        files=[(one, one in annexes) for one in request.form.getlist("file")],
        logins=[one[:MAX_FIELD_CHARACTERS] for one in some] if _field("who") == "some" else None,
        is_collected=_field("kind") != "simple",
        hidden_until=_moment(_field("until")) if _field("hidden") == "yes" else None,
        is_sure=_field("sure") == "yes",
    )


def _moment(text: str) -> int:
    """A moment as browsers send it (2026-11-21T08:10), on this machine's clock."""
    try:
        return int(datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise InvalidError(N_("Say the day and the time at which it is opened.")) from error


def _return_page(
    document_id: str,
    letter_for: Any,
    *,
    is_mail: bool = False,
    preview: bool = False,
    error: str = "",
    code: int = 200,
) -> AnyResponse:
    parts = services()
    with parts.database.read() as connection:
        found = own.mine(connection, document_id)
        people = [one for one in store.students(connection, found.id) if one.collected_at]
    addresses = [mail.address_of(parts.site, one.login) for one in people]
    page = render_template(
        "document_return.html",
        section="documents",
        document=found,
        count=len(people),
        letter=letter_for(found),
        is_mail=is_mail,
        has_mail=mail.is_set(parts.site) and bool(parts.site.MAIL_ADDRESS),
        preview=preview,
        sender=parts.site.MAIL_FROM,
        to=next((one for one in addresses if one), ""),
        most={"title": mail.MAX_TITLE_CHARACTERS, "body": mail.MAX_BODY_CHARACTERS},
        error=error,
    )
    return make_response(page, code)


def _usual_letter(document: Document) -> Letter:
    reference = document.reference
    return Letter(
        gettext("%(reference)s: your work is returned", reference=reference),
        gettext(
            "Your work “%(reference)s” is returned: it is in the folder “correction”.",
            reference=reference,
        ),
    )


def _running(found: Sequence[jobs.Job], documents: Sequence[Document]) -> list[dict[str, Any]]:
    """The jobs to tell of: open ones whose time has come, and those that ended just now."""
    by_id, now_ms = {one.id: one for one in documents}, services().now_ms()
    last = {one.document_id: one for one in found}.values()  # of each document
    ended = sorted(one.id for one in last if one.state == jobs.DONE)[-MAX_ENDED:]
    told = {*ended, *(one.id for one in last if one.state == jobs.STOPPED)}
    with services().database.read() as connection:
        return [
            {
                "job": one,
                "document": by_id[one.document_id],
                "title": words.title(one, by_id[one.document_id]),
                "text": words.progress(one),
                "failures": _failures(jobs.failures(connection, one.id)),
            }
            for one in found
            if one.from_at <= now_ms and (one.state == jobs.OPEN or one.id in told)
        ]


def _failures(found: Sequence[tuple[str, str]]) -> list[str]:
    """Why it failed, each reason once with how many."""
    codes = [code for _, code in found]
    return [f"{words.trouble(code)} ({codes.count(code)})" for code in dict.fromkeys(codes)]


def _people(group: SchoolClass) -> list[tuple[str, str]]:
    """Login and name of a class's students, by name."""
    with services().database.read() as connection:
        named = users.names(connection, group.students)
    people = [(login, named.get(login, login)) for login in group.students]
    order = {name: at for at, name in enumerate(i18n.by_name({n for _, n in people}, ""))}
    return sorted(people, key=lambda one: (order[one[1]], one[0]))


def _class(name: str) -> SchoolClass:
    found = Directory(services().database)
    return SchoolClass(name, found.students("distribute", name))


def _may_give(group: SchoolClass) -> bool:
    target = Target(classes=frozenset({group.name}))
    return bool(group.students) and may(guard.who(), "distribute", target).allowed


def _wanted(sorts: Sequence[str], states: Sequence[str]) -> Wanted:
    sort, state = request.args.get("sort", ""), request.args.get("state", "")
    return Wanted(
        sort=sort if sort.removeprefix("-") in sorts else "",
        state=state if state in states else "",
        class_name=request.args.get("class", "")[:MAX_FIELD_CHARACTERS],
        text=request.args.get("text", "")[:MAX_FIELD_CHARACTERS].strip(),
    )


def _field(name: str) -> str:
    return request.form.get(name, "")[:MAX_FIELD_CHARACTERS].strip()


def _done() -> str:
    sentence = DONE.get(request.args.get("done", ""))
    return str(gettext(sentence)) if sentence else ""


def _back(document: Document, done: str) -> AnyResponse:
    """To where the button was: the table, or the document's own page."""
    if request.form.get("from") == "list":
        return _go(f"?show={document.id}", done)
    return _go(document.id, done)


def _go(where: str, done: str) -> AnyResponse:
    mark = "&" if "?" in where else "?"
    return redirect(f"{services().site.MOUNT_POINT}{PATH}{where}{mark}done={done}", 303)
