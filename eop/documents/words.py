"""What pages say of documents: why something failed, how far a job is, how a student has it."""

from dataclasses import dataclass
from typing import Any

from flask_babel import format_decimal, gettext, lazy_gettext, ngettext

from eop import moments, replies
from eop.documents import jobs
from eop.documents.jobs import Job
from eop.documents.store import Document, Student

KILOBYTE, MEGABYTE = 1000, 1_000_000
SMALL = 10  # below, a number has a decimal

TROUBLES: dict[str, Any] = {
    "no_space": lazy_gettext("Disk full; nothing is lost"),
    "quota": lazy_gettext("Quota used up; nothing is lost"),
    "unknown_person": lazy_gettext("Not known on the server with the files"),
    "unknown_document": lazy_gettext("The document is not there any more"),
    "upload_unknown": lazy_gettext("The files were dropped: give the document anew"),
    "upload_damaged": lazy_gettext("The files are damaged: give the document anew"),
    "folder_taken": lazy_gettext("Its folder belongs to another document"),
    "not_a_folder": lazy_gettext("A link or a file stands where a folder must be"),
    "name_refused": lazy_gettext("The disk does not take a name"),
    "folder_gone": lazy_gettext("The student has removed the folder"),
    "nothing_there": lazy_gettext("The folder is empty"),
    "no_address": lazy_gettext("No mail address"),
    "mail_refused": lazy_gettext("The mail server refused the mail"),
    "mail_account": lazy_gettext("The mail server does not accept our account"),
    "mail_certificate": lazy_gettext("The certificate of the mail server is not trusted"),
    "mail_down": lazy_gettext("The mail server does not answer"),
    "mail_not_set": lazy_gettext("This server sends no mail"),
    "daemon_refused": lazy_gettext("It could not be carried out"),
    "login_changed": lazy_gettext("Your login has changed since this was given"),
    "grant": lazy_gettext("You do not have this class any more"),
    "left_class": lazy_gettext("Not in the class any more"),
    "other_person": lazy_gettext("This login belongs to somebody else now"),
    "work_there": lazy_gettext("Has work here and no home: remove what was changed, or keep it"),
    "no_answer": lazy_gettext("No answer about this folder: there may be too much in it"),
    "internal": lazy_gettext("The server failed; it was written down"),
}
"""Code of a step that failed → what the table says."""

LEFT_OUT: dict[str, Any] = {
    "link": lazy_gettext("a link"),
    "special": lazy_gettext("not a file"),
    "shared": lazy_gettext("a file with a second name elsewhere"),
    "foreign": lazy_gettext("belongs to somebody else"),
    "too_large": lazy_gettext("too large"),
    "too_many": lazy_gettext("too many files"),
    "too_deep": lazy_gettext("in too many folders"),
    "changing": lazy_gettext("was being written"),
    "changed": lazy_gettext("changed by the student"),
    "unreadable": lazy_gettext("cannot be read"),
    "taken": lazy_gettext("its name is taken"),
    "no_space": lazy_gettext("disk full"),
    "quota": lazy_gettext("quota used up"),
}
"""Why a file was left out of what was collected."""

KINDS: dict[str, Any] = {
    "place": lazy_gettext("Giving “%(reference)s” to %(class)s"),
    "collect": lazy_gettext("Collecting “%(reference)s” from %(class)s"),
    "return": lazy_gettext("Returning “%(reference)s” to %(class)s"),
    "mail": lazy_gettext("Mail about “%(reference)s” to %(class)s"),
    "remove": lazy_gettext("Removing “%(reference)s” at %(class)s"),
}

HELD: dict[str, Any] = {
    "daemon_down": lazy_gettext("controle-vnc does not answer; it goes on by itself"),
    "files_down": lazy_gettext("the service of documents does not answer; it goes on by itself"),
}

SORTS = ("trouble", "name", "placed", "opened", "collected", "returned")
STATES = ("trouble", "unopened", "opened", "uncollected", "collected", "returned")


@dataclass(frozen=True)
class State:
    """How a student has a document: a tone, an icon, a word, and what more there is to say."""

    tone: str
    icon: str
    word: str
    more: str = ""


def title(job: Job, document: Document) -> str:
    """What a job does, to what, where."""
    words = {"reference": document.reference, "class": document.class_name}
    return str(KINDS[job.kind]) % words


def progress(job: Job) -> str:
    """How far a job is, in words."""
    count = ngettext(
        "%(done)s of %(num)s student", "%(done)s of %(num)s students", job.total, done=job.over
    )
    parts = [str(count)]
    if job.failed:
        parts.append(str(ngettext("%(num)s failed", "%(num)s failed", job.failed)))
    if job.state == jobs.STOPPED:
        parts.append(str(gettext("stopped: what is done stays")))
    elif job.state == jobs.OPEN and job.held:
        parts.append(str(HELD.get(job.held, job.held)))
    return ", ".join(parts)


def trouble(code: str) -> str:
    """Why a step failed."""
    return str(TROUBLES.get(code, code))


def refusal(code: str) -> str:
    """The sentence of a refusal."""
    known = replies.SENTENCES.get(code)
    return str(known[1]) if known else code


def state(student: Student, document: Document, now_ms: int) -> State:
    """How a student has a document: the last thing that happened, or what is wrong."""
    if student.trouble:
        return State("bad", "bad", trouble(student.trouble))
    return _reached(student, now_ms) or _ahead(document, now_ms)


def _reached(student: Student, now_ms: int) -> State | None:
    if student.returned_at:
        return State("ok", "check", gettext("Returned"), _at(student.returned_at, now_ms))
    if student.collected_at:
        word = gettext("Collected, late") if student.is_late else gettext("Collected")
        return State("ok", "check", word, _at(student.collected_at, now_ms))
    if student.opened_at:
        at = _at(student.changed_at or student.opened_at, now_ms)
        more = gettext("changed, seen %(at)s", at=at) if student.changed_at else at
        return State("info", "eye", gettext("Opened"), more)
    if student.placed_at:
        more = gettext("given %(at)s", at=_at(student.placed_at, now_ms))
        return State("warn", "clock", gettext("Not opened yet"), more)
    return None


def _ahead(document: Document, now_ms: int) -> State:
    if document.hidden_until and document.hidden_until > now_ms:
        more = gettext("until %(at)s", at=moments.told(document.hidden_until))
        return State("", "eyeoff", gettext("Hidden"), more)
    return State("", "clock", gettext("Not given yet"))


def _at(milliseconds: int, now_ms: int) -> str:
    return moments.told_lately(milliseconds, now_ms)


def size(count: int) -> str:
    """Bytes as people say them."""
    if count >= MEGABYTE:
        return str(gettext("%(number)s MB", number=_number(count / MEGABYTE)))
    if count >= KILOBYTE:
        return str(gettext("%(number)s kB", number=_number(count / KILOBYTE)))
    return str(ngettext("%(num)s byte", "%(num)s bytes", count))


def _number(number: float) -> str:
    """Two figures where it is small."""
    return str(format_decimal(round(number, 1 if number < SMALL else 0)))
