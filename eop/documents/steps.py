"""One step: what is said for one student of a job, and what is kept of the answer.

Every step may be said twice: controle-vnc-files does what is missing and nothing else, and a mail
has the same Message-ID each time.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from controle_vnc.control import messages
from eop import mail
from eop.documents import jobs, rights, store
from eop.documents.jobs import Job, Step
from eop.documents.store import Document, DocumentFile, Student
from eop.errors import RefusedError
from eop.mail import Letter, MailError
from eop.services import Services

MAX_SKIPPED_KEPT = 50  # of one student: names of files that were left out, for the page
EVERYTHING: tuple[messages.What, ...] = (
    "documents", "annexes", "notice", "corrections", "collected",
)  # fmt: skip
GONE = {"unknown_document", "unknown_person"}
"""Refusals that leave nothing to clean up."""


class HoldError(Exception):
    """Nothing can be done for anybody just now; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StepError(Exception):
    """It cannot be done for this student; `code` says why, and trying again does not help."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AgainError(Exception):
    """It was not done, for a reason that may pass; `code` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Task:
    """A step with all it needs to know."""

    step: Step
    document: Document
    student: Student
    files: Sequence[DocumentFile]
    refused: str | None = None  # why it may not be carried out any more: a code

    @property
    def job(self) -> Job:
        return self.step.job

    @property
    def key(self) -> tuple[str, str]:
        """Which folder it is about: of a document at a student."""
        return self.document.id, self.step.login

    def __str__(self) -> str:
        """For a log: nobody's name."""
        return f"job {self.job.id} ({self.job.kind}) of document {self.document.id}"


def task(connection: Connection, step: Step, now_ms: int) -> Task:
    """What a step needs to know."""
    document_id = step.job.document_id
    student = store.student(connection, document_id, step.login)
    assert student is not None  # noqa: S101 - steps are made of a document's students
    document = store.get(connection, document_id)
    refused = rights.refusal(connection, document, student, now_ms)
    files = store.files(connection, document_id)
    if jobs.took_annexes(connection, document_id):
        files = [one for one in files if not one.is_annex]
    return Task(step, document, student, files, refused)


def trouble(task: Task, code: str) -> Mapping[str, Any]:
    """What to keep of a student for whom a step failed."""
    return {} if _is_ungiven(task) else {"trouble": code, "trouble_step": task.job.kind}


def _is_ungiven(task: Task) -> bool:
    """Whether giving had failed, and it is still to be told: that can be tried again."""
    forgets = bool(task.job.options.get("forget"))
    return task.student.trouble_step == "place" and task.job.kind != "place" and not forgets


HOLDING = {"daemon_down", "files_down"}
PASSING = {"daemon_refused"}


def carry_out(parts: Services, task: Task) -> Mapping[str, Any]:
    """Do it; what to keep of the student. Raises `HoldError`, `AgainError` and `StepError`.

    Taking back is always allowed: nothing goes but what was put there.
    """
    if task.refused and task.job.kind != "remove":
        raise StepError(task.refused)
    try:
        kept = _DO[task.job.kind](parts, task)
        return kept if _is_ungiven(task) else {**kept, **WELL}
    except RefusedError as error:
        if error.code in HOLDING:
            raise HoldError(error.code) from error
        if error.code in PASSING:
            raise AgainError(error.code) from error
        raise StepError(error.code) from error


def require_files(parts: Services) -> None:
    """Raise `HoldError` where the files cannot be reached for anybody."""
    try:
        parts.daemon.files_status()
    except RefusedError as error:
        raise HoldError(error.code) from error


WELL: Mapping[str, Any] = {"trouble": None, "trouble_step": None}


def _place(parts: Services, task: Task) -> Mapping[str, Any]:
    if not task.files:
        raise StepError("upload_unknown")  # they were annexes alone, and are taken back
    files = [
        messages.File(one.upload, one.name, one.size, one.sha256, one.is_annex)
        for one in task.files
    ]
    document = task.document
    parts.daemon.place(
        messages.PlaceDocument(
            login=task.student.login,
            teacher=document.teacher,
            folder=document.folder,
            files=files,
            owner_key=document.id,
        )
    )
    return {"placed_at": task.student.placed_at or parts.now_ms()}


def _collect(parts: Services, task: Task) -> Mapping[str, Any]:
    document, student = task.document, task.student
    done = parts.daemon.collect(
        messages.CollectDocument(
            login=student.login,
            teacher=document.teacher,
            folder=document.folder,
            owner_key=document.id,
            notice_name=task.job.options["notice_name"],
            notice=task.job.options["notice"],
            round=task.job.round,
        )
    )
    if not done.is_there:
        raise StepError("folder_gone")
    if not done.files:
        raise StepError("nothing_there")
    is_first = student.collected_at is None
    kept: dict[str, Any] = {
        "files": done.files,
        "skipped": [[one.name, one.why] for one in done.skipped[:MAX_SKIPPED_KEPT]],
    }
    if is_first or done.copied:
        kept["collected_at"] = parts.now_ms()
    if is_first:
        kept["is_late"] = task.job.round > 1

    return kept


def _give_back(parts: Services, task: Task) -> Mapping[str, Any]:
    document = task.document
    done = parts.daemon.give_back(
        messages.ReturnDocument(
            login=task.student.login,
            teacher=document.teacher,
            folder=document.folder,
            owner_key=document.id,
            round=task.job.round,
        )
    )
    if not done.files:
        raise StepError("nothing_there")
    return {"returned_at": parts.now_ms()}


def _remove(parts: Services, task: Task) -> Mapping[str, Any]:
    document, options = task.document, task.job.options
    with_changed = bool(options["with_changed"]) and not task.refused
    if options["forget"] and not with_changed and not task.refused:
        _check_way_in(parts, task)
    request = messages.RemoveDocument(
        login=task.student.login,
        teacher=document.teacher,
        folder=document.folder,
        owner_key=document.id,
        what=list(options["what"]),
        with_changed=with_changed,
    )
    try:
        parts.daemon.clean_up(request)
    except RefusedError as error:
        if error.code not in GONE:
            raise
    return {}


def _check_way_in(parts: Services, task: Task) -> None:
    """Who has no home reaches what he wrote by the document alone: it stays, with the document."""
    document = task.document
    (look,) = parts.daemon.look_at(
        [task.student.login], document.teacher, document.folder, document.id
    )
    if look.is_there and look.was_changed and not look.has_home:
        raise StepError("work_there")


def _mail(parts: Services, task: Task) -> Mapping[str, Any]:
    site, options = parts.site, task.job.options
    address = mail.address_of(site, task.student.login)
    if address is None:
        raise StepError("no_address")
    key = f"{task.document.id} {task.job.id} {task.student.login}"
    letter = Letter(
        to=address,
        title=options["title"],
        body=options["body"],
        number=hashlib.sha256(key.encode()).hexdigest()[:32],
        sender_name=task.document.teacher_name,
        reply_to=mail.address_of(site, task.document.login) or "",
    )
    try:
        with mail.line(site) as server:
            mail.send(server, site, letter, parts.now_ms())
    except MailError as error:
        if error.is_lasting:
            raise StepError(error.code) from error
        raise AgainError(error.code) from error
    return {"mailed_at": parts.now_ms()}


_DO: Mapping[str, Callable[[Services, Task], Mapping[str, Any]]] = {
    "place": _place,
    "collect": _collect,
    "return": _give_back,
    "mail": _mail,
    "remove": _remove,
}
