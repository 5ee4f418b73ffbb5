"""What follows when a job is over."""

from sqlalchemy import Connection

from eop.audit import events
from eop.documents import jobs, store
from eop.documents.jobs import Job, NewJob
from eop.documents.store import Document


def follow(connection: Connection, document: Document, ended: Job, now_ms: int) -> None:
    """In the transaction that ended it: mail after returning; a removed document is forgotten."""
    if ended.kind == "return" and ended.options.get("mail"):
        written_to = jobs.logins(connection, ended.id, jobs.DONE)
        job = NewJob(
            document.id, "mail", written_to, now_ms,
            round=ended.round, options=ended.options["mail"],
        )  # fmt: skip
        jobs.add(connection, job)
    if ended.kind == "remove" and ended.options.get("forget") and not ended.failed:
        details = {
            "reference": document.reference,
            "class": document.class_name,
            "login": " ".join(jobs.logins(connection, ended.id, jobs.DONE)),
            "students": ended.total,
        }
        store.remove(connection, document.id)
        by = ended.options.get("by", document.login)
        events.record(connection, "document_removed", now_ms, user=by, details=details)
