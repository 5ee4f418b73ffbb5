"""`eopctl audit`: read, verify, export and purge what happened."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eop import settings as site_settings
from eop.audit.console import at_the_console
from eop.cli.output import FAILED, json_option, table, tell
from eop.cli.site import open_database

if TYPE_CHECKING:
    from eop.audit.search import Criteria
    from eop.audit.verification import Link, Report

PRIVATE = 0o600  # who watched whom
MAX_LISTED = 10_000  # on a screen; more is an export
DIGITS_OF_HASH = 64

SINCE = click.option("--from", "since", default="", help="First day, as 2026-09-01.")
UNTIL = click.option("--to", "until", default="", help="Last day.")


@click.group()
def audit() -> None:
    """What happened: sign-ins, looks at screens, changes."""


@audit.command()
@click.option("--known", help="ID:HASH that was noted earlier; it must still be in the chain.")
@json_option
def verify(known: str | None, as_json: bool) -> int:
    """Check that nothing in the audit was changed, removed, inserted or reordered.

    Note the last line's ID:HASH elsewhere, on paper or in a mail: with --known a later check also
    finds out whether the whole chain was written anew.
    """
    from eop.audit import verification

    link = _link(known) if known else None
    with open_database() as (database, _), database.snapshot() as connection:
        report = verification.verify(connection, link, _progress())
    if sys.stderr.isatty():
        click.echo(err=True)
    tell(_described(report), _told(report), as_json=as_json)
    return FAILED if report.damage else 0


def _link(text: str) -> "Link":
    from eop.audit.verification import Link

    number, _, digits = text.partition(":")
    if not (number.isascii() and number.isdigit() and len(digits) == DIGITS_OF_HASH):
        raise click.UsageError("--known: ID:HASH, as `eopctl audit verify` prints it")
    return Link(int(number), digits.lower())


def _progress() -> Callable[[int], None]:
    if not sys.stderr.isatty():
        return lambda rows: None
    return lambda rows: click.echo(f"\r{rows} events", nl=False, err=True)


def _described(report: "Report") -> dict[str, Any]:
    damage = report.damage
    return {
        "whole": damage is None,
        "rows": report.rows,
        "from": {"id": report.start.id, "hash": report.start.hash},
        "to": {"id": report.end.id, "hash": report.end.hash},
        "damage": damage and {"row": damage.row, "what": damage.what, "message": damage.sentence},
    }


def _told(report: "Report") -> str:
    if report.damage is not None:
        return f"row {report.damage.row}: {report.damage.what}: {report.damage.sentence}"
    return (
        f"the audit is whole: {report.rows} events after row {report.start.id}\n"
        f"{report.end.id}:{report.end.hash}"
    )


@audit.command("list")
@click.option("--person", default="", help="User name, or a part of the name.")
@click.option(
    "--part", type=click.Choice(["any", "who", "whom"]), default="any", help="Of --person."
)
@click.option("--kind", default="", help="A kind, or sign_in, look, action, configuration, audit.")
@click.option("--workstation", default="", help="Its id.")
@SINCE
@UNTIL
@click.option("--limit", type=click.IntRange(1, MAX_LISTED), default=50, show_default=True)
@json_option
def list_events(limit: int, as_json: bool, **given: str) -> None:
    """List events, the newest first."""
    from eop.audit.search import search

    with open_database() as (database, _):
        criteria = _criteria(database, given)
        with database.read() as connection:
            found = search(connection, criteria, limit=limit).rows
    names = ("id", "at", "kind", "user", "workstation", "details")
    value = [{name: getattr(row, name) for name in names} for row in found]
    rows = [
        [_moment(row.at), row.user, row.kind, row.workstation or "", _words(row.details)]
        for row in found
    ]
    tell(value, table(["when", "who", "what", "workstation", "details"], rows), as_json=as_json)


def _criteria(database: Any, given: dict[str, str]) -> "Criteria":
    from eop.audit import filters
    from eop.errors import InvalidError

    workstation = given.get("workstation", "")
    try:
        with database.read() as connection:
            asked = filters.read(given)
            return filters.criteria(connection, asked, (workstation,) if workstation else None)
    except InvalidError as error:
        raise click.UsageError(str(error)) from error


def _moment(at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at / 1000))


def _words(details: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in details.items())


@audit.command("export")
@click.option("--person", default="", help="Only what he did, and what is about him (a login).")
@SINCE
@UNTIL
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="jsonl")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True)
@json_option
def export_file(form: Any, output: Path, as_json: bool, **given: str) -> None:
    """Write the events of some days to a new file that only its owner reads.

    JSON Lines carry all that is needed to verify the chain (docs/privacy.md).
    """
    from eop.audit import events, export

    now_ms = int(time.time() * 1000)
    with open_database() as (database, _):
        criteria = _criteria(database, given)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        rows = 0
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            for part in export.lines(database, criteria, form):
                file.write(part)
                rows += part.count("\n")
        rows -= form == "csv"  # its heads
        details = {
            "format": form,
            "rows": rows,
            "filters": {key: value for key, value in given.items() if value},
        }
        with database.write() as connection:
            events.record(
                connection, "audit_exported", now_ms, user=at_the_console(), details=details
            )
    tell({"file": str(output), "rows": rows}, f"{rows} events in {output}", as_json=as_json)


@audit.command()
@click.option("--days", type=click.IntRange(1), help="Keep so many; by default AUDIT_DAYS.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@json_option
def purge(days: int | None, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Remove old events for good; a checkpoint and an event of the audit say so."""
    from eop.audit import purging

    kept = days or site_settings.load().AUDIT_DAYS
    now_ms = int(time.time() * 1000)
    with open_database() as (database, _):
        with database.read() as connection:
            due = purging.due(connection, kept, now_ms)
        if due.removed and not (yes or dry_run):
            question = f"Remove {due.removed} events older than {kept} days?"
            click.confirm(question, abort=True, err=True)
        done = due if dry_run else purging.purge(database, kept, at_the_console(), now_ms)
    value = {"removed": done.removed, "last_id": done.last_id, "days": kept, "dry_run": dry_run}
    text = f"{'would remove' if dry_run else 'removed'} {done.removed} events"
    tell(value, text, as_json=as_json)
