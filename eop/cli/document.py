"""`eopctl document`: what teachers gave to whom, and how far each is."""

import time
from typing import Any

import click

from eop.cli.output import json_option, table, tell
from eop.cli.site import open_database


@click.group()
def document() -> None:
    """Documents that teachers gave, and how far each is."""


@document.command("list")
@click.option("--teacher", default="", help="Those of this login alone.")
@json_option
def list_documents(teacher: str, as_json: bool) -> None:
    """List documents with their counts, the newest first."""
    from eop.directory import days
    from eop.directory.users import canonical_login
    from eop.documents import jobs, status, store

    now_ms = int(time.time() * 1000)
    with open_database() as (database, _), database.read() as connection:
        found = store.of_teacher(connection, canonical_login(teacher) or None)
        running = jobs.shown(connection, [one.id for one in found], now_ms)
    open_jobs: dict[str, list[jobs.Job]] = {}
    for one in running:
        if one.state == jobs.OPEN:
            open_jobs.setdefault(one.document_id, []).append(one)
    values = [
        _described(one, status.state_of(one, now_ms), open_jobs.get(one.id, [])) for one in found
    ]
    rows = [
        [
            one.login, one.reference, one.class_name, days.told(one.created_at),
            *(str(number) for number in _numbers(one)), value["state"],
            ", ".join(f"{job['kind']} {job['done']}/{job['total']}" for job in value["jobs"]),
        ]
        for one, value in zip(found, values, strict=True)
    ]  # fmt: skip
    heads = [
        "teacher", "reference", "class", "given on", "students", "given", "opened", "collected",
        "returned", "failed", "state", "jobs",
    ]  # fmt: skip
    tell(values, table(heads, rows) if rows else "no documents", as_json=as_json)


def _numbers(one: Any) -> list[int]:
    counts = one.counts
    return [
        counts.students, counts.placed, counts.opened, counts.collected, counts.returned,
        counts.troubles,
    ]  # fmt: skip


def _described(one: Any, state: str, open_jobs: list[Any]) -> dict[str, Any]:
    names = ("students", "placed", "opened", "collected", "returned", "troubles")
    return {
        "id": one.id,
        "teacher": one.login,
        "reference": one.reference,
        "class": one.class_name,
        "folder": one.folder,
        "collect": one.is_collected,
        "created_at": one.created_at,
        "hidden_until": one.hidden_until,
        "state": state,
        "counts": dict(zip(names, _numbers(one), strict=True)),
        "jobs": [
            {
                "id": job.id, "kind": job.kind, "done": job.over, "failed": job.failed,
                "total": job.total, "held": job.held,
            }
            for job in open_jobs
        ],
    }  # fmt: skip
