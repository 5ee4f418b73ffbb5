"""Jobs as they are kept: which students are due, done or failed. Nothing else knows how far one is.

A job is open from when it was asked for until no student is due, or it is stopped.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, case, delete, func, insert, select, update

from eop.directory.tables import user
from eop.documents.tables import document, document_job, document_step
from eop.errors import NotFoundError

Kind = Literal["place", "collect", "return", "mail", "remove"]
KINDS: tuple[Kind, ...] = ("place", "collect", "return", "mail", "remove")
OPEN, DONE, STOPPED = "open", "done", "stopped"
DUE, FAILED = "due", "failed"
MAX_KEPT = 100  # jobs of one document: one a day of half a year's collecting
SHOWN_MS = 5 * 60 * 1000  # how long a job that is over is still told of

_NUMBERS = (
    func.count().label("total"),
    func.sum(case((document_step.c.state == DUE, 1), else_=0)).label("due"),
    func.sum(case((document_step.c.state == FAILED, 1), else_=0)).label("failed"),
)


@dataclass(frozen=True)
class Job:
    """One job, and how far it is. `held`: why nothing of it goes on just now."""

    id: int
    document_id: str
    kind: Kind
    state: str
    from_at: int
    created_at: int
    ended_at: int | None
    round: int
    options: Mapping[str, Any]
    held: str | None
    total: int = 0
    due: int = 0
    failed: int = 0

    @property
    def over(self) -> int:
        """For how many students it is over, well or not."""
        return self.total - self.due


@dataclass(frozen=True)
class NewJob:
    """A job to be kept; `from_at`: the moment it waits for, if any."""

    document_id: str
    kind: Kind
    logins: Sequence[str]
    created_at: int
    from_at: int = 0
    round: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """What is to be done for one student."""

    job: Job
    login: str
    tries: int
    holds: int = 0


def add(connection: Connection, new: NewJob) -> int:
    """Keep a new job; its number."""
    values = {
        "document_id": new.document_id,
        "kind": new.kind,
        "state": OPEN if new.logins else DONE,
        "created_at": new.created_at,
        "from_at": max(new.created_at, new.from_at),
        "ended_at": None if new.logins else new.created_at,
        "round": new.round,
        "options": dict(new.options),
    }
    result = connection.execute(insert(document_job).values(values))
    assert result.inserted_primary_key is not None  # noqa: S101 - an insert of one row
    job_id = int(result.inserted_primary_key[0])
    if new.logins:
        rows = [{"job_id": job_id, "login": login, "state": DUE} for login in new.logins]
        connection.execute(insert(document_step), rows)
    _forget_old(connection, new.document_id)
    return job_id


def _forget_old(connection: Connection, document_id: str) -> None:
    """Forget what is over, but the last jobs and the last of each kind, which is tried again."""
    number, of_document = document_job.c.id, document_job.c.document_id == document_id
    newest = select(number).where(of_document).order_by(number.desc()).limit(MAX_KEPT)
    last = select(func.max(number)).where(of_document).group_by(document_job.c.kind)
    connection.execute(
        delete(document_job).where(
            of_document,
            document_job.c.state != OPEN,
            number.not_in(newest),
            number.not_in(last),
        )
    )


def mails_since(connection: Connection, login: str, since_ms: int) -> int:
    """To how many students mails went, or will go, for what a teacher has returned since then."""
    query = (
        select(document_job.c.options, func.count().label("students"))
        .join(document, document_job.c.document_id == document.c.id)
        .join(user, document.c.user_id == user.c.id)
        .join(document_step, document_step.c.job_id == document_job.c.id)
        .where(
            user.c.login == login,
            document_job.c.kind == "return",
            document_job.c.created_at > since_ms,
        )
        .group_by(document_job.c.id)
    )
    rows = connection.execute(query)
    return sum(int(row.students) for row in rows if row.options.get("mail"))


def get(connection: Connection, job_id: int) -> Job:
    """A job by its number; raises `NotFoundError`."""
    found = _jobs(connection, select(document_job).where(document_job.c.id == job_id))
    if not found:
        raise NotFoundError("there is no such job")
    return found[0]


def of_document(connection: Connection, document_id: str) -> list[Job]:
    """Every job of a document, the newest first."""
    return _jobs(connection, select(document_job).where(document_job.c.document_id == document_id))[
        ::-1
    ]


def open_of(connection: Connection, document_id: str) -> list[Job]:
    """Those that are not over."""
    return [one for one in of_document(connection, document_id) if one.state == OPEN]


def took_annexes(connection: Connection, document_id: str) -> bool:
    """Whether the annexes of a document were taken back: nobody is given them any more."""
    query = select(document_job.c.options).where(
        document_job.c.document_id == document_id, document_job.c.kind == "remove"
    )
    return any(options["what"] == ["annexes"] for options in connection.scalars(query))


def shown(connection: Connection, ids: Collection[str], now_ms: int) -> list[Job]:
    """Of these documents the jobs that go on, wait or are stopped, or were over a moment ago."""
    is_new = document_job.c.ended_at > now_ms - SHOWN_MS
    query = select(document_job).where(
        document_job.c.document_id.in_(ids), (document_job.c.state != DONE) | is_new
    )
    return _jobs(connection, query)


def ready(connection: Connection, now_ms: int) -> list[Job]:
    """Open jobs whose time has come, the oldest first; without how far they are."""
    query = (
        select(document_job)
        .where(document_job.c.state == OPEN, document_job.c.from_at <= now_ms)
        .order_by(document_job.c.id)
    )
    return [_job(row) for row in connection.execute(query)]


def due(connection: Connection, job: Job, but: Collection[str]) -> Step | None:
    """A student for whom it is to be done, none of those in `but`; who held it up comes last."""
    query = (
        select(document_step.c.login, document_step.c.tries, document_step.c.holds)
        .where(document_step.c.job_id == job.id, document_step.c.state == DUE)
        .order_by(document_step.c.holds, document_step.c.tries, document_step.c.login)
        .limit(len(but) + 1)
    )
    for row in connection.execute(query):
        if row.login not in but:
            return Step(job, row.login, row.tries, row.holds)
    return None


def settle(connection: Connection, step: Step, state: str, code: str | None = None) -> None:
    """Keep what became of a step."""
    _change_step(connection, step, state=state, code=code)


def try_again(connection: Connection, step: Step) -> None:
    """Leave a step due, one try later."""
    _change_step(connection, step, tries=step.tries + 1)


def held_up(connection: Connection, step: Step) -> None:
    """Leave a step due, and count that nobody answered."""
    _change_step(connection, step, holds=step.holds + 1)


def _change_step(connection: Connection, step: Step, **values: Any) -> None:
    connection.execute(
        update(document_step)
        .where(document_step.c.job_id == step.job.id, document_step.c.login == step.login)
        .values(values)
    )


def end_if_over(connection: Connection, job_id: int, now_ms: int) -> Job | None:
    """End a job for which nothing is due any more; it, if this call ended it.

    One after the other: on PostgreSQL the last two steps, settled at once, would each see the other
    as due still, and the job would stay open for ever.
    """
    of_job = select(document_job.c.id).where(document_job.c.id == job_id)
    connection.execute(of_job.with_for_update())
    found = get(connection, job_id)
    if found.due or found.state != OPEN:
        return None
    ended = connection.execute(
        update(document_job)
        .where(document_job.c.id == job_id, document_job.c.state == OPEN)
        .values(state=DONE, ended_at=now_ms, held=None)
    )
    return found if ended.rowcount else None


def stop(connection: Connection, job_id: int, now_ms: int) -> None:
    """What is done stays done; nothing further begins."""
    connection.execute(
        update(document_job)
        .where(document_job.c.id == job_id, document_job.c.state == OPEN)
        .values(state=STOPPED, ended_at=now_ms, held=None)
    )


def go_on(connection: Connection, job_id: int) -> None:
    """Carry a stopped job on."""
    connection.execute(
        update(document_job)
        .where(document_job.c.id == job_id, document_job.c.state == STOPPED)
        .values(state=OPEN, ended_at=None)
    )


def begin_now(connection: Connection, job_id: int, now_ms: int) -> None:
    """Have a job begin that waits for its moment."""
    connection.execute(
        update(document_job).where(document_job.c.id == job_id).values(from_at=now_ms)
    )


def hold(connection: Connection, job_id: int, code: str | None) -> None:
    """Keep why a job waits; None: it goes on."""
    of_job = document_job.c.id == job_id, document_job.c.state == OPEN
    connection.execute(update(document_job).where(*of_job).values(held=code))


def failures(connection: Connection, job_id: int) -> list[tuple[str, str]]:
    """Login and code of everybody for whom it failed."""
    query = select(document_step.c.login, document_step.c.code).where(
        document_step.c.job_id == job_id, document_step.c.state == FAILED
    )
    return [(row.login, row.code or "") for row in connection.execute(query)]


def logins(connection: Connection, job_id: int, state: str) -> list[str]:
    """The students of a job in that state."""
    query = select(document_step.c.login).where(
        document_step.c.job_id == job_id, document_step.c.state == state
    )
    return list(connection.scalars(query.order_by(document_step.c.login)))


def _jobs(connection: Connection, query: Select[Any]) -> list[Job]:
    rows = connection.execute(query.order_by(document_job.c.id)).all()
    numbers = {
        row.job_id: row
        for row in connection.execute(
            select(document_step.c.job_id, *_NUMBERS)
            .where(document_step.c.job_id.in_([row.id for row in rows]))
            .group_by(document_step.c.job_id)
        )
    }
    return [_job(row, numbers.get(row.id)) for row in rows]


def _job(row: Row[Any], numbers: Row[Any] | None = None) -> Job:
    return Job(
        id=row.id,
        document_id=row.document_id,
        kind=row.kind,
        state=row.state,
        from_at=row.from_at,
        created_at=row.created_at,
        ended_at=row.ended_at,
        round=row.round,
        options=row.options,
        held=row.held,
        total=int(numbers.total) if numbers else 0,
        due=int(numbers.due) if numbers else 0,
        failed=int(numbers.failed) if numbers else 0,
    )
