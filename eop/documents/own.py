"""What a request does with documents: who may, what is asked of it, and what is written down.

A document is its teacher's alone; another's is not there for him. Whatever touches students' files
needs the right over their class at that moment; looking, stopping and taking back what nobody has
changed do not. `eop.documents.rights` asks once more when a step is carried out.
"""

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import g
from flask_babel import gettext
from sqlalchemy import Connection

from controle_vnc.control import messages
from eop import mail, moments
from eop.aaa import guard
from eop.aaa.access import Directory
from eop.aaa.policy import Target
from eop.audit import events
from eop.directory import users
from eop.documents import jobs, names, steps, store, uploads
from eop.documents.jobs import Job, NewJob
from eop.documents.store import Document, DocumentFile
from eop.errors import N_, DaemonDownError, InvalidError, NotFoundError, RefusedError
from eop.mail import MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS
from eop.services import services

MAX_REFERENCE_CHARACTERS = 100
MAX_HIDDEN_MS = 366 * 24 * 3600 * 1000  # a test is prepared within a school year
MAX_NUMBER = 2**31 - 1  # what PostgreSQL compares with the number of a job
ID_BYTES = 16
SPACE_SECONDS = 4.0  # of asking every home: who is not asked by then is told by his step
DAY_MS = 24 * 3600 * 1000
MAX_MAILS_A_DAY = 1000  # of one teacher: two amphitheatres, or ten classes three times
ANNEXES, EVERYTHING = "annexes", "everything"

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Order:
    """What is to be given to whom. `logins` None: the whole class. `files`: (upload, is annex).

    `is_sure`: also to those where it was seen not to fit; they are told as failed.
    """

    reference: str
    class_name: str
    files: Sequence[tuple[str, bool]]
    logins: Sequence[str] | None = None
    is_collected: bool = True
    hidden_until: int | None = None
    is_sure: bool = False


@dataclass(frozen=True)
class Letter:
    """A mail to those whose documents are returned."""

    title: str
    body: str


class NoRoomError(InvalidError):
    """It would not fit at some students; `troubles`: their names, and the code of each."""

    def __init__(self, troubles: Sequence[tuple[str, str]]) -> None:
        super().__init__(N_("It does not fit at every student."))
        self.troubles = troubles


class ReferenceUsedError(RefusedError):
    """The teacher has a document with that folder; `document` is that one."""

    def __init__(self, document: Document) -> None:
        super().__init__("reference_used")
        self.document = document


@dataclass(frozen=True)
class _Checked:
    """An order that can be carried out."""

    document: Document
    files: list[DocumentFile]
    students: list[tuple[str, str]] = field(default_factory=list)


def distribute(order: Order) -> Document:
    """Give a document; raises `InvalidError`, `NoRoomError` and `RefusedError`."""
    parts, who = services(), guard.who()
    checked = _checked(order)
    if not order.is_sure:
        _check_room(checked)
    document, logins = checked.document, [login for login, _ in checked.students]
    with parts.database.write() as connection:
        used = store.with_folder(connection, who.login, document.folder)
        if used is not None:
            raise ReferenceUsedError(used)
        # once more, in this transaction: no upload is in two documents
        files = uploads.take(connection, who.login, order.files)
        store.add(connection, document, files, checked.students)
        uploads.forget(connection, [one.upload for one in files])
        job = NewJob(document.id, "place", logins, document.created_at, document.hidden_until or 0)
        jobs.add(connection, job)
        _record(
            connection, "document_given", document, logins,
            files=[one.name for one in files], collect=int(document.is_collected),
        )  # fmt: skip
        return store.get(connection, document.id)


def collect(document_id: str, *, only_late: bool = False) -> Document:
    """Collect from everybody, or from those alone from whom nothing was collected."""
    parts = services()
    with parts.database.write() as connection:
        document = _mine_for_students(connection, document_id)
        if not document.is_collected:
            raise RefusedError("not_collected")
        _check_login(document)
        _check_idle(connection, document)
        logins = [
            one.login
            for one in store.students(connection, document.id)
            if one.placed_at and not (only_late and one.collected_at)
        ]
        if not logins:
            raise RefusedError("nobody_due")
        number = document.round + 1
        store.change(connection, document.id, round=number)
        job = NewJob(
            document.id, "collect", logins, parts.now_ms(), round=number, options=_notice(document)
        )
        jobs.add(connection, job)
        _record(connection, "documents_collected", document, logins)
        return store.get(connection, document.id)


def give_back(document_id: str, letter: Letter | None = None) -> Document:
    """Return what was collected; then write to those to whom it was returned."""
    parts = services()
    options = {} if letter is None else {"mail": _checked_letter(letter)}
    with parts.database.write() as connection:
        document = _mine_for_students(connection, document_id)
        _check_login(document)
        _check_idle(connection, document)
        logins = [one.login for one in store.students(connection, document.id) if one.collected_at]
        if not logins:
            raise RefusedError("nobody_due")
        if letter is not None:
            _check_mails(connection, document, len(logins))
        found = jobs.of_document(connection, document.id)
        last = max((one.round for one in found if one.kind == "return"), default=0)
        job = NewJob(document.id, "return", logins, parts.now_ms(), round=last + 1, options=options)
        jobs.add(connection, job)
        _record(connection, "documents_returned", document, logins, mail=int(letter is not None))
        return store.get(connection, document.id)


def retry(document_id: str) -> Document:
    """Try again what failed, each as the same step of the same round."""
    parts = services()
    with parts.database.write() as connection:
        document = _mine_for_students(connection, document_id)
        _check_idle(connection, document)
        again = _failed(connection, document)
        if not again:
            raise RefusedError("nobody_due")
        for kind, logins in again.items():
            last = next(
                one for one in jobs.of_document(connection, document.id) if one.kind == kind
            )
            job = NewJob(
                document.id, last.kind, logins, parts.now_ms(),
                round=last.round, options=last.options,
            )  # fmt: skip
            jobs.add(connection, job)
        return store.get(connection, document.id)


def open_now(document_id: str) -> Document:
    """Give a hidden document at once."""
    parts = services()
    with parts.database.write() as connection:
        document = _mine_for_students(connection, document_id)
        now_ms = parts.now_ms()
        waiting = [
            one for one in jobs.open_of(connection, document.id)
            if one.kind == "place" and one.from_at > now_ms
        ]  # fmt: skip
        for one in waiting:
            jobs.begin_now(connection, one.id, now_ms)
        store.change(connection, document.id, hidden_until=None)
        if waiting:
            logins = jobs.logins(connection, waiting[0].id, jobs.DUE)
            _record(connection, "document_opened", document, logins)
        return store.get(connection, document.id)


def remove(document_id: str, what: str, *, with_collected: bool, with_changed: bool) -> None:
    """Take annexes back (`annexes`), or all that was put there, and forget the document."""
    parts = services()
    if what not in (ANNEXES, EVERYTHING):
        raise InvalidError(N_("Choose what is to be removed."))
    with parts.database.write() as connection:
        document = mine(connection, document_id)
        if with_changed:  # that is students' work
            _require(document)
        now_ms = parts.now_ms()
        if what == ANNEXES:  # a document that waits must be given all the same
            _check_idle(connection, document)
        else:
            for one in jobs.open_of(connection, document.id):
                jobs.stop(connection, one.id, now_ms)
        if with_collected:
            _check_login(document)
        removed: list[messages.What] = list(steps.EVERYTHING)
        if what == ANNEXES:
            removed = ["annexes"]
        elif not with_collected:
            removed.remove("collected")
        options = {
            "what": removed, "with_changed": with_changed and what == EVERYTHING,
            "forget": what == EVERYTHING, "by": guard.who().login,
        }  # fmt: skip
        logins = [one.login for one in store.students(connection, document.id)]
        job = NewJob(document.id, "remove", logins, now_ms, options=options)
        jobs.add(connection, job)
        if what == ANNEXES:
            _record(connection, "document_annexes_removed", document, logins)


def stop(job_id: int) -> Job:
    """Stop a job: what it did stays."""
    return _change_job(job_id, is_open=False)


def go_on(job_id: int) -> Job:
    """Carry a stopped job on."""
    return _change_job(job_id, is_open=True)


def _change_job(job_id: int, *, is_open: bool) -> Job:
    parts = services()
    with parts.database.write() as connection:
        found, document = my_job(connection, job_id)
        if is_open:
            _require(document)
            if jobs.open_of(connection, document.id):
                raise RefusedError("document_busy")
            jobs.go_on(connection, found.id)
        else:
            jobs.stop(connection, found.id, parts.now_ms())
        return jobs.get(connection, found.id)


def mine(connection: Connection, document_id: str) -> Document:
    """A document of who asks; another's is not there for him."""
    if not _ID.fullmatch(document_id):
        raise NotFoundError("there is no such document")
    found = store.get(connection, document_id)
    if found.login != guard.who().login:
        raise NotFoundError("there is no such document")
    return found


def my_job(connection: Connection, job_id: int) -> tuple[Job, Document]:
    """A job of a document of who asks."""
    if job_id > MAX_NUMBER:
        raise NotFoundError("there is no such job")
    found = jobs.get(connection, job_id)
    return found, mine(connection, found.document_id)


def _mine_for_students(connection: Connection, document_id: str) -> Document:
    document = mine(connection, document_id)
    _require(document)
    return document


def _require(document: Document) -> None:
    guard.require("distribute", Target(classes=frozenset({document.class_name})))


def _check_mails(connection: Connection, document: Document, more: int) -> None:
    """Who returns again and again must not flood the students, nor the mail server."""
    since = services().now_ms() - DAY_MS
    if jobs.mails_since(connection, document.login, since) + more > MAX_MAILS_A_DAY:
        raise RefusedError("too_many_mails")


def _check_login(document: Document) -> None:
    """What was collected is in the home of who has its teacher's login: that must be he."""
    if document.login != document.teacher:
        raise RefusedError("login_changed")


def _check_idle(connection: Connection, document: Document) -> None:
    if [one for one in jobs.open_of(connection, document.id) if one.kind != "mail"]:
        raise RefusedError("document_busy")


def _failed(connection: Connection, document: Document) -> dict[str, list[str]]:
    """What failed → at whom; removing comes first, and then there is nothing else to do."""
    found: dict[str, list[str]] = {}
    for one in store.students(connection, document.id):
        if one.trouble and one.trouble_step:
            found.setdefault(one.trouble_step, []).append(one.login)
    return {"remove": found["remove"]} if "remove" in found else found


def _checked(order: Order) -> _Checked:
    parts, who, now_ms = services(), guard.who(), services().now_ms()
    reference = users.checked_line(order.reference, gettext("Reference"), MAX_REFERENCE_CHARACTERS)
    students = Directory(parts.database).students("distribute", order.class_name)
    chosen = students if order.logins is None else tuple(dict.fromkeys(order.logins))
    if set(chosen) - set(students):
        raise RefusedError("grant")
    if not chosen:
        raise InvalidError(N_("Choose at least one student."))
    folder = names.folder(reference, order.class_name)
    if not folder:
        raise InvalidError(N_("No folder can be named by this reference."))
    hidden = order.hidden_until
    if hidden is not None and not now_ms < hidden <= now_ms + MAX_HIDDEN_MS:
        raise InvalidError(N_("The moment must be ahead of us, and within a year."))
    if not 1 <= len(order.files) <= messages.MAX_FILES_A_DOCUMENT:
        most = messages.MAX_FILES_A_DOCUMENT
        raise InvalidError(N_("Add a document first; at most %(most)s files."), most=most)
    with parts.database.read() as connection:
        files = uploads.take(connection, who.login, order.files)
        named = users.names(connection, chosen)
    _check_names(files)
    document = Document(
        id=secrets.token_hex(ID_BYTES),
        login=who.login,
        teacher=who.login,
        teacher_name=who.name,
        reference=reference,
        class_name=order.class_name,
        is_whole=order.logins is None,
        folder=folder,
        is_collected=order.is_collected,
        created_at=now_ms,
        hidden_until=hidden,
    )
    return _Checked(document, files, [(login, named.get(login, login)) for login in chosen])


def _check_names(files: Sequence[DocumentFile]) -> None:
    seen: set[str] = set()
    for one in files:
        key = names.key(one.name)
        if key in seen:
            raise InvalidError(N_("Two files are called “%(name)s”: rename one."), name=one.name)
        seen.add(key)


def _check_room(checked: _Checked) -> None:
    """Ask every home whether it fits, before anything is given to anybody."""
    parts, wanted = services(), sum(one.size for one in checked.files)
    deadline, troubles = time.monotonic() + SPACE_SECONDS, []
    for login, name in checked.students:
        if time.monotonic() > deadline:
            break
        try:
            space = parts.daemon.space(login, wanted)
        except DaemonDownError:
            raise
        except RefusedError as error:
            if error.code == "files_down":
                raise
            troubles.append((name, error.code))
        else:
            if not space.fits:
                troubles.append((name, space.limit or "no_space"))
    if troubles:
        raise NoRoomError(troubles)


def _notice(document: Document) -> dict[str, str]:
    """What is left for the student, in the teacher's language."""
    at = moments.told(services().now_ms())
    lines = [
        gettext(
            "“%(reference)s” was collected by %(name)s on %(at)s.",
            reference=document.reference, name=document.teacher_name, at=at,
        ),
        gettext("What you change from now on is collected only if your teacher collects again."),
    ]  # fmt: skip
    name = names.safe(gettext("Collected.txt")) or "Collected.txt"
    return {"notice_name": name, "notice": "\r\n".join([*map(str, lines), ""])}


def _checked_letter(letter: Letter) -> dict[str, str]:
    if not mail.is_set(services().site) or not services().site.MAIL_ADDRESS:
        raise RefusedError("mail_not_set")
    title = users.checked_line(letter.title, gettext("Title"), MAX_TITLE_CHARACTERS)
    body = letter.body.replace("\r\n", "\n").strip()
    if not body or len(body) > MAX_BODY_CHARACTERS:
        raise InvalidError(
            N_("The text of the mail has 1 to %(most)s characters."), most=MAX_BODY_CHARACTERS
        )
    return {"title": title, "body": body}


def _record(
    connection: Connection, kind: str, document: Document, logins: Sequence[str], **more: Any
) -> None:
    details = {
        "reference": document.reference,
        "class": document.class_name,
        "document": document.id,
        "login": " ".join(logins),
        "students": len(logins),
        **more,
    }
    events.record(
        connection, kind, services().now_ms(),
        user=g.session.login, session=g.session.id, details=details,
    )  # fmt: skip
