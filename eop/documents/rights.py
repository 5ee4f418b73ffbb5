"""Whether a step may still be carried out: it may be said long after it was asked for."""

from sqlalchemy import Connection, select

from eop.aaa import identity as identities
from eop.aaa.policy import Target, may
from eop.directory import classes, substitutes, users
from eop.directory.tables import user
from eop.documents.store import Document, Student


def refusal(
    connection: Connection, document: Document, student: Student, now_ms: int
) -> str | None:
    """Why nothing is to be done in this student's folder any more: a code; None where it may."""
    if document.login != document.teacher:
        return "login_changed"  # its folders are named for, or at, somebody else
    owner = connection.scalar(select(user.c.id).where(user.c.login == student.login))
    if owner != student.user_id:
        return "other_person"
    if not _has_class(connection, document, now_ms):
        return "grant"
    group = classes.find(connection, document.class_name)
    if group is None or student.login not in group.students:
        return "left_class"
    return None


def _has_class(connection: Connection, document: Document, now_ms: int) -> bool:
    """Whether its teacher may give to its class at this moment, and not only when he asked."""
    found = users.get(connection, document.login)
    identity = identities.of_user(found, substitutes.grants_at(connection, found.id, now_ms))
    return may(identity, "distribute", Target(classes=frozenset({document.class_name}))).allowed
