"""What browsers send up: its parts go on to controle-vnc-files, a row says whose it is."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from controle_vnc.control import messages
from controle_vnc.settings import Settings
from eop.directory.tables import user
from eop.documents import names, store
from eop.documents.store import DocumentFile
from eop.documents.tables import document_file, document_upload
from eop.errors import N_, InvalidError, NotFoundError, RefusedError
from eop.services import Services

PART_BYTES = messages.MAX_PART_BYTES
MAX_BODY_BYTES = 4 * PART_BYTES  # of one request: fewer of them, each soon said again when cut
MEGABYTE = 1_000_000  # as controle-vnc-files counts UPLOAD_LIMIT
MAX_AT_ONCE = 2 * messages.MAX_FILES_A_DOCUMENT  # of one person: two documents being made
MAX_OF_STUDENT = 10  # of one student: what he hands in at once, and what he began and left
LARGEST_OF_STUDENT = 2  # as many times UPLOAD_LIMIT in bytes, together
SHARE = 4  # of the space and of the count: all students together have a quarter, one teacher, too
MAX_OF_STUDENTS = 1000 // SHARE  # controle-vnc-files holds a thousand
MAX_MOMENT = 2**53  # ms; what a browser's number can be
ID_BYTES = 16


@dataclass(frozen=True)
class Upload:
    """One file that is sent up: bytes held so far of its size; `sha256` once it is whole."""

    id: str
    name: str
    size: int
    changed_at: int
    received: int
    sha256: str | None

    @property
    def is_whole(self) -> bool:
        return self.sha256 is not None


def begin(parts: Services, login: str, name: str, size: int, changed_at: int) -> Upload:
    """Take up a file of that name, size and moment of change: a new one, or where it was cut."""
    safe = names.safe(name)
    if not safe:
        raise InvalidError(N_("This file has no name that can be kept."))
    if size > parts.shared.UPLOAD_LIMIT * MEGABYTE:
        raise RefusedError("file_too_large")
    with parts.database.write() as connection:
        known = _alike(connection, login, safe, size, changed_at)
        if known is None:
            known = _add(connection, login, Upload("", safe, size, changed_at, 0, None), parts)
    if known.is_whole:
        return known
    return _noted(parts, known, parts.daemon.keep_part(known.id, 0, b""))


def held(parts: Services, login: str, upload_id: str) -> Upload:
    """One's own upload with what is held of it now."""
    known = get(parts, login, upload_id)
    if known.is_whole:
        return known
    return _noted(parts, known, parts.daemon.keep_part(known.id, 0, b""))


def add(parts: Services, login: str, upload_id: str, offset: int, data: bytes) -> Upload:
    """Pass a piece on; the upload with what is held now, which says where to go on."""
    known = get(parts, login, upload_id)
    if known.is_whole:
        return known
    if offset + len(data) > known.size:
        raise RefusedError("file_too_large")
    held = offset
    for first in range(0, len(data), PART_BYTES):
        piece = data[first : first + PART_BYTES]
        held = parts.daemon.keep_part(known.id, offset + first, piece)
        if held != offset + first + len(piece):
            break  # it holds another number of bytes: the sender goes on from there
    return _noted(parts, known, held)


def finish(parts: Services, login: str, upload_id: str, sha256: str) -> Upload:
    """Have a file proven to be what was sent; from then on it can be given."""
    known = get(parts, login, upload_id)
    if not known.is_whole:
        parts.daemon.check_upload(known.id, known.size, sha256)
        with parts.database.write() as connection:
            _change(connection, known.id, parts.now_ms(), received=known.size, sha256=sha256)
    return get(parts, login, upload_id)


def get(parts: Services, login: str, upload_id: str) -> Upload:
    """One's own upload; raises `RefusedError("upload_unknown")`."""
    with parts.database.read() as connection:
        row = connection.execute(
            _of(login).where(document_upload.c.id == upload_id[: 2 * ID_BYTES])
        ).first()
    if row is None:
        raise RefusedError("upload_unknown")
    return _upload(row)


def drop(parts: Services, login: str, upload_id: str) -> None:
    """Forget one's own upload; raises `NotFoundError`."""
    try:
        known = get(parts, login, upload_id)
    except RefusedError as error:
        raise NotFoundError("there is no such upload") from error
    with parts.database.write() as connection:
        forget(connection, [known.id])
    parts.daemon.drop_upload(known.id)


def take(
    connection: Connection, login: str, wanted: Iterable[tuple[str, bool]]
) -> list[DocumentFile]:
    """The whole uploads of these ids as files of a document; (id, whether it is an annex)."""
    found = {row.id: _upload(row) for row in connection.execute(_of(login))}
    files = []
    for upload_id, is_annex in wanted:
        one = found.get(upload_id)
        if one is None or one.sha256 is None:
            raise RefusedError("upload_unknown")
        files.append(DocumentFile(one.id, one.name, one.size, one.sha256, is_annex))
    return files


def forget(connection: Connection, ids: Iterable[str]) -> None:
    """Nobody's any more: a document has them, or nothing does."""
    connection.execute(delete(document_upload).where(document_upload.c.id.in_(list(ids))))


def clean_up(parts: Services) -> int:
    """Drop what was given to nobody in time, and what nobody needs any more; how many were held.

    Listed before the rows are read: what is begun meanwhile has its row first.
    """
    try:
        held = [one.upload for one in parts.daemon.uploads()]
    except RefusedError:
        with parts.database.read() as connection:
            if _has_any(connection):
                raise
        return 0  # a school that gives no documents has no service for them
    oldest = parts.now_ms() - parts.shared.UPLOAD_EXPIRES * 60_000
    with parts.database.write() as connection:
        is_old = document_upload.c.used_at < oldest
        connection.execute(delete(document_upload).where(is_old))
        needed = store.uploads_in_use(connection, parts.now_ms())
        needed |= set(connection.scalars(select(document_upload.c.id)))
    unneeded = [one for one in held if one not in needed]
    for one in unneeded:
        parts.daemon.drop_upload(one)
    return len(unneeded)


def _has_any(connection: Connection) -> bool:
    used = select(document_file.c.upload).limit(1)
    return any(
        connection.scalar(query) is not None for query in (select(document_upload.c.id), used)
    )


def _alike(
    connection: Connection, login: str, name: str, size: int, changed_at: int
) -> Upload | None:
    row = connection.execute(
        _of(login).where(
            document_upload.c.name == name,
            document_upload.c.size == size,
            document_upload.c.changed_at == changed_at,
        )
    ).first()
    return None if row is None else _upload(row)


def _add(connection: Connection, login: str, new: Upload, parts: Services) -> Upload:
    # held: two requests of one person must not both be counted as the last that fits
    held = select(user.c.id, user.c.role).where(user.c.login == login).with_for_update()
    owner, role = connection.execute(held).one()
    many, size = _held(connection, document_upload.c.user_id == owner)
    if role == "student":
        _check_student(connection, login, parts.shared, (many + 1, size + new.size), new.size)
    elif many >= MAX_AT_ONCE:
        raise RefusedError("too_many_uploads")
    else:
        _check_teacher(connection, owner, parts, size + new.size)
    upload_id = secrets.token_hex(ID_BYTES)
    values = {
        "id": upload_id, "user_id": owner, "name": new.name, "size": new.size,
        "changed_at": new.changed_at, "received": 0, "used_at": parts.now_ms(),
    }  # fmt: skip
    connection.execute(insert(document_upload).values(values))
    return Upload(upload_id, new.name, new.size, new.changed_at, 0, None)


def _check_student(
    connection: Connection, login: str, settings: Settings, own: tuple[int, int], size: int
) -> None:
    """Refuse what one student, or all of them, may not have under way; `own`: with the new one.

    The space is everybody's: whoever fills it keeps every teacher from giving anything.
    """
    if not store.hands_in(connection, login):
        raise RefusedError("not_collected")
    most = LARGEST_OF_STUDENT * settings.UPLOAD_LIMIT * MEGABYTE
    if own[0] > MAX_OF_STUDENT or own[1] > most:
        raise RefusedError("too_many_uploads")
    students = select(user.c.id).where(user.c.role == "student")
    many, held = _held(connection, document_upload.c.user_id.in_(students))
    if many >= MAX_OF_STUDENTS or held + size > _share(settings):
        raise RefusedError("uploads_busy")


def _check_teacher(connection: Connection, owner: int, parts: Services, size: int) -> None:
    """Refuse what one teacher may not have held, what waits in his documents included."""
    waiting = store.bytes_in_use(connection, owner, parts.now_ms())
    if waiting + size > _share(parts.shared):
        raise RefusedError("uploads_full")


def _share(settings: Settings) -> int:
    """Bytes: a part of the space, and at least one file of any size that is allowed."""
    return max(settings.UPLOAD_SPACE // SHARE, settings.UPLOAD_LIMIT) * MEGABYTE


def _held(connection: Connection, which: ColumnElement[bool]) -> tuple[int, int]:
    """How many uploads these are, and the bytes they will have."""
    numbers = select(func.count(), func.sum(document_upload.c.size)).where(which)
    many, size = connection.execute(numbers).one()
    return int(many), int(size or 0)


def _noted(parts: Services, known: Upload, received: int) -> Upload:
    with parts.database.write() as connection:
        _change(connection, known.id, parts.now_ms(), received=received)
    return Upload(known.id, known.name, known.size, known.changed_at, received, known.sha256)


def _change(connection: Connection, upload_id: str, now_ms: int, **values: Any) -> None:
    of_upload = document_upload.c.id == upload_id
    connection.execute(update(document_upload).where(of_upload).values(used_at=now_ms, **values))


def _of(login: str) -> Any:
    return (
        select(document_upload)
        .join(user, document_upload.c.user_id == user.c.id)
        .where(user.c.login == login)
        .order_by(document_upload.c.used_at)
    )


def _upload(row: Row[Any]) -> Upload:
    return Upload(row.id, row.name, row.size, row.changed_at, row.received, row.sha256)
