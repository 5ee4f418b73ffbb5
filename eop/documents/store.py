"""Documents and their students, as they are kept: adding, finding, counting. No rights here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from eop.directory.tables import user
from eop.documents import names
from eop.documents.tables import document, document_file, document_job, document_student
from eop.errors import NotFoundError, RefusedError

MAX_LISTED = 1000  # documents of one teacher on the page: five a school day
MAX_ID_CHARACTERS = 32
KEPT_MS = 14 * 24 * 3600 * 1000  # the files of what was stopped or failed: over a holiday


@dataclass(frozen=True)
class DocumentFile:
    """One file of a document, by the upload that holds it."""

    upload: str
    name: str
    size: int
    sha256: str
    is_annex: bool


@dataclass(frozen=True)
class Counts:
    """Of its students, how many have it, have opened it, and so on."""

    students: int = 0
    placed: int = 0
    opened: int = 0
    collected: int = 0
    returned: int = 0
    troubles: int = 0


@dataclass(frozen=True)
class Document:
    """One document. Moments are ms since 1970; `round`: how often it was collected."""

    id: str
    login: str  # whose it is, now
    teacher: str  # the login under which its folders are
    teacher_name: str
    reference: str
    class_name: str
    is_whole: bool
    folder: str
    is_collected: bool
    created_at: int
    hidden_until: int | None = None
    round: int = 0
    looked_at: int | None = None
    counts: Counts = Counts()

    @property
    def next_step(self) -> str:
        """What its teacher would do next: retry, collect, return, or nothing."""
        counts = self.counts
        if counts.troubles and not counts.placed:
            return "retry"
        if not self.is_collected or not counts.placed:
            return ""
        if counts.collected < counts.placed and not self.round:
            return "collect"
        if counts.returned < counts.collected:
            return "return"
        return "collect" if counts.collected < counts.placed else ""


@dataclass(frozen=True)
class Student:
    """How a document is at one student; moments are None until they come."""

    login: str
    name: str
    user_id: int | None = None  # whose the login was when it was given
    placed_at: int | None = None
    opened_at: int | None = None
    changed_at: int | None = None
    collected_at: int | None = None
    returned_at: int | None = None
    mailed_at: int | None = None
    is_late: bool = False
    files: int = 0
    skipped: tuple[tuple[str, str], ...] = ()
    trouble_step: str | None = None
    trouble: str | None = None


def add(
    connection: Connection,
    new: Document,
    files: Sequence[DocumentFile],
    students: Sequence[tuple[str, str]],
) -> None:
    """Keep a new document; `RefusedError("reference_used")` where its folder is another's."""
    owner = connection.scalar(select(user.c.id).where(user.c.login == new.login))
    values = {
        "id": new.id,
        "user_id": owner,
        "teacher": new.teacher,
        "reference": new.reference,
        "class_name": new.class_name,
        "is_whole": new.is_whole,
        "folder": new.folder,
        "folder_key": names.key(new.folder),
        "is_collected": new.is_collected,
        "created_at": new.created_at,
        "hidden_until": new.hidden_until,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(document).values(values))
    except IntegrityError as error:
        raise RefusedError("reference_used") from error
    connection.execute(
        insert(document_file),
        [
            {
                "document_id": new.id, "number": number, "upload": one.upload, "name": one.name,
                "size": one.size, "sha256": one.sha256, "is_annex": one.is_annex,
            }
            for number, one in enumerate(files)
        ],
    )  # fmt: skip
    logins = [login for login, _ in students]
    found = select(user.c.login, user.c.id).where(user.c.login.in_(logins))
    ids = {row.login: row.id for row in connection.execute(found)}
    connection.execute(
        insert(document_student),
        [
            {"document_id": new.id, "login": login, "user_id": ids.get(login), "name": name}
            for login, name in students
        ],
    )


def with_folder(connection: Connection, login: str, folder: str) -> Document | None:
    """The document of a teacher that has this folder."""
    key = names.key(folder)
    row = connection.execute(
        _documents().where(user.c.login == login, document.c.folder_key == key)
    ).first()
    return None if row is None else _document(row)


def get(connection: Connection, document_id: str) -> Document:
    """A document by its id, whosever it is; raises `NotFoundError`."""
    query = _documents().where(document.c.id == document_id[:MAX_ID_CHARACTERS])
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError("there is no such document")
    return with_counts(connection, [_document(row)])[0]


def of_teacher(connection: Connection, login: str | None = None) -> list[Document]:
    """The documents of a teacher, or of all, the newest first, with their counts."""
    query = _documents().order_by(document.c.created_at.desc(), document.c.id).limit(MAX_LISTED)
    if login is not None:
        query = query.where(user.c.login == login)
    return with_counts(connection, [_document(row) for row in connection.execute(query)])


def of_student(connection: Connection, login: str) -> list[tuple[Document, Student]]:
    """What a student was given and can have by now, the newest first; whatever his login was."""
    is_his = _of_person(login), document_student.c.placed_at.is_not(None)
    students = {
        row.document_id: _student(row)
        for row in connection.execute(select(document_student).where(*is_his))
    }
    query = (
        _documents()
        .join(document_student, document_student.c.document_id == document.c.id)
        .where(*is_his)
        .order_by(document.c.created_at.desc(), document.c.id)
        .limit(MAX_LISTED)
    )
    found = [_document(row) for row in connection.execute(query)]
    return [(one, students[one.id]) for one in found]


def hands_in(connection: Connection, login: str) -> bool:
    """Whether a student has been given anything that will be collected."""
    query = (
        select(document.c.id)
        .join(document_student, document_student.c.document_id == document.c.id)
        .where(
            _of_person(login),
            document_student.c.placed_at.is_not(None),
            document.c.is_collected,
        )
        .limit(1)
    )
    return connection.scalar(query) is not None


def files(connection: Connection, document_id: str) -> list[DocumentFile]:
    """The files of a document: first those to work on, then annexes, each as they were chosen."""
    query = select(document_file).where(document_file.c.document_id == document_id)
    rows = connection.execute(query.order_by(document_file.c.is_annex, document_file.c.number))
    return [_file(row) for row in rows]


def files_of_all(connection: Connection, ids: Iterable[str]) -> dict[str, list[DocumentFile]]:
    """The same of several documents."""
    wanted = list(ids)
    found: dict[str, list[DocumentFile]] = {one: [] for one in wanted}
    query = select(document_file).where(document_file.c.document_id.in_(wanted))
    for row in connection.execute(query.order_by(document_file.c.is_annex, document_file.c.number)):
        found[row.document_id].append(_file(row))
    return found


def students(connection: Connection, document_id: str) -> list[Student]:
    """Everybody a document is for, by login."""
    query = select(document_student).where(document_student.c.document_id == document_id)
    return [_student(row) for row in connection.execute(query.order_by(document_student.c.login))]


def student(connection: Connection, document_id: str, login: str) -> Student | None:
    """One of them."""
    query = select(document_student).where(
        document_student.c.document_id == document_id[:MAX_ID_CHARACTERS],
        document_student.c.login == login,
    )
    row = connection.execute(query).first()
    return None if row is None else _student(row)


def of_person(connection: Connection, document_id: str, login: str) -> Student | None:
    """How a document is at who has this login now; not at who had it when it was given."""
    query = select(document_student).where(
        document_student.c.document_id == document_id[:MAX_ID_CHARACTERS], _of_person(login)
    )
    row = connection.execute(query).first()
    return None if row is None else _student(row)


def _of_person(login: str) -> ColumnElement[bool]:
    """Rows of who has this login now: logins are changed, and given to others."""
    person = select(user.c.id).where(user.c.login == login).scalar_subquery()
    return document_student.c.user_id == person


def change_student(
    connection: Connection, document_id: str, login: str, values: Mapping[str, Any]
) -> None:
    """Keep what became of a document at one student."""
    if not values:
        return
    connection.execute(
        update(document_student)
        .where(document_student.c.document_id == document_id, document_student.c.login == login)
        .values(dict(values))
    )


def change(connection: Connection, document_id: str, **values: Any) -> None:
    """Change columns of a document."""
    connection.execute(update(document).where(document.c.id == document_id).values(values))


def remove(connection: Connection, document_id: str) -> None:
    """Forget a document, its jobs and its students."""
    connection.execute(delete(document).where(document.c.id == document_id))


def uploads_in_use(connection: Connection, now_ms: int) -> set[str]:
    """Every upload that a document may still need: it is placed, or will be."""
    query = select(document_file.c.upload).where(_may_be_placed(now_ms))
    return set(connection.scalars(query))


def bytes_in_use(connection: Connection, user_id: int, now_ms: int) -> int:
    """The bytes of those of one teacher."""
    query = (
        select(func.sum(document_file.c.size))
        .join(document, document_file.c.document_id == document.c.id)
        .where(document.c.user_id == user_id, _may_be_placed(now_ms))
    )
    return int(connection.scalar(query) or 0)


def _may_be_placed(now_ms: int) -> ColumnElement[bool]:
    """Files of documents that wait for their moment, or were stopped or failed not long ago."""
    placing = select(document_job.c.document_id).where(document_job.c.kind == "place")
    is_late = document_job.c.ended_at > now_ms - KEPT_MS
    failed = select(document_student.c.document_id).where(
        document_student.c.placed_at.is_(None), document_student.c.trouble.is_not(None)
    )
    is_open = placing.where(document_job.c.state == "open")
    is_stopped = placing.where(document_job.c.state == "stopped", is_late)
    has_failed = placing.where(is_late, document_job.c.document_id.in_(failed))
    return document_file.c.document_id.in_(is_open.union(is_stopped, has_failed))


def with_counts(connection: Connection, found: list[Document]) -> list[Document]:
    """The documents with their counts as they are now."""
    moments = ("placed", "opened", "collected", "returned")
    columns = [func.count(document_student.c[f"{name}_at"]).label(name) for name in moments]
    troubles = func.sum(case((document_student.c.trouble.is_not(None), 1), else_=0))
    query = (
        select(
            document_student.c.document_id,
            func.count().label("students"),
            *columns,
            troubles.label("troubles"),
        )
        .where(document_student.c.document_id.in_([one.id for one in found]))
        .group_by(document_student.c.document_id)
    )
    counts = {
        row.document_id: Counts(
            row.students, row.placed, row.opened, row.collected, row.returned, int(row.troubles)
        )
        for row in connection.execute(query)
    }
    return [replace(one, counts=counts.get(one.id, Counts())) for one in found]


def _documents() -> Select[Any]:
    return select(document, user.c.login, user.c.name.label("teacher_name")).join(
        user, document.c.user_id == user.c.id
    )


def _document(row: Row[Any]) -> Document:
    return Document(
        id=row.id,
        login=row.login,
        teacher=row.teacher,
        teacher_name=row.teacher_name,
        reference=row.reference,
        class_name=row.class_name,
        is_whole=row.is_whole,
        folder=row.folder,
        is_collected=row.is_collected,
        created_at=row.created_at,
        hidden_until=row.hidden_until,
        round=row.round,
        looked_at=row.looked_at,
    )


def _file(row: Row[Any]) -> DocumentFile:
    return DocumentFile(row.upload, row.name, row.size, row.sha256, row.is_annex)


def _student(row: Row[Any]) -> Student:
    return Student(
        login=row.login,
        name=row.name,
        user_id=row.user_id,
        placed_at=row.placed_at,
        opened_at=row.opened_at,
        changed_at=row.changed_at,
        collected_at=row.collected_at,
        returned_at=row.returned_at,
        mailed_at=row.mailed_at,
        is_late=row.is_late,
        files=row.files,
        skipped=tuple((str(name), str(why)) for name, why in row.skipped or ()),
        trouble_step=row.trouble_step,
        trouble=row.trouble,
    )
