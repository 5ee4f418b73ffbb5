"""`eopctl import`: people, classes and rooms from the school's directory or file."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from eop.cli.output import DONE, FAILED, PARTIAL, json_option, table, tell
from eop.errors import EopError

if TYPE_CHECKING:
    from eop.services import Services

HISTORY = "history"
SHOWN_RUNS = 20
PROGRESS_SECONDS = 0.2

WORDS = {
    "new": "new", "adopted": "taken over", "renamed": "renamed", "changed": "changed",
    "disabled": "disabled", "enabled": "enabled again", "moved": "moved",
    "released": "gave up a login", "deleted": "deleted",
    "class_new": "new classes", "class_renamed": "renamed classes",
    "class_changed": "changed classes", "class_removed": "removed classes",
    "room": "workstations moved",
}  # fmt: skip
CONFLICTS = {
    "local": "the name belongs to one that is kept here",
    "other_source": "the name belongs to one of the source {detail}",
    "waits": "its name belongs to one that could not be changed",
    "login_twice": "the source has this login twice",
    "name_twice": "the source has this name twice",
    "id_twice": "the source has its id twice",
    "invalid": "{detail}",
}
BRAKES = {
    "empty": "the source says nothing: that is a fault, and cannot be forced",
    "people": "{lost} of {of} people would be disabled",
    "class": "{lost} of {of} students would leave the class {name}",
}
SIGNS = {"new": "+", "class_new": "+", "deleted": "-", "disabled": "-", "class_removed": "-"}


@click.command("import")
@click.argument("source", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--force", is_flag=True, help="Import even what the brake would stop.")
@click.option("--adopt", is_flag=True, help="Take over local accounts of the same login.")
@json_option
def import_people(
    source: str | None, dry_run: bool, force: bool, adopt: bool, as_json: bool
) -> int:
    """Import people, classes and rooms from SOURCE, or from every one of IMPORT_SOURCES.

    `eopctl import history` lists the last imports. Exit code 3: the brake stopped it, or a part was
    left out.
    """
    with _services() as parts:
        if source == HISTORY:
            _tell_history(parts, as_json)
            return DONE
        ended = [
            _import_one(parts, name, dry_run=dry_run, force=force, adopt=adopt)
            for name in _sources(parts, source)
        ]
    text = "\n".join(line for one in ended for line in _lines(one))
    tell(ended if source is None else ended[0], text, as_json=as_json)
    for one in ended:
        if one["outcome"] == "failed":
            click.echo(f"eopctl: {one['source']}: {one['summary']['error']}", err=True)
    codes = {_code(one) for one in ended}
    return FAILED if FAILED in codes else PARTIAL if PARTIAL in codes else DONE


def _sources(parts: "Services", source: str | None) -> list[str]:
    from eop.directory import sources

    if source is not None:
        return [source]
    if not parts.site.IMPORT_SOURCES:
        sources.make("", parts.site)  # says what to set
    return parts.site.IMPORT_SOURCES


@contextmanager
def _services() -> "Iterator[Services]":
    from controle_vnc import settings as shared_settings
    from eop import services
    from eop import settings as site_settings

    parts = services.make(site_settings.load(), shared_settings.load())
    try:
        parts.database.check()
        yield parts
    finally:
        parts.close()


def _import_one(
    parts: "Services", source: str, *, dry_run: bool, force: bool, adopt: bool
) -> dict[str, Any]:
    from eop.administration import import_run, import_store
    from eop.administration.import_store import Order
    from eop.directory import sources

    confirmed = import_store.ANYTHING if force else ""
    order = Order(source, import_store.COMMAND, dry_run, confirmed, adopt)
    sources.make(source, parts.site)  # a name that is none is no run
    with _progress(source) as progress:
        if not dry_run:
            return _described(import_run.run(parts, order, progress))
        try:
            summary = import_run.preview(parts, order, progress)
        except EopError as error:
            return {"source": source, "outcome": "failed", "summary": {"error": str(error)}}
    return {"source": source, "outcome": "planned", "summary": summary}


@contextmanager
def _progress(source: str) -> Iterator[Any]:
    """How many entries were read, on a terminal alone, in a line that is wiped at the end."""
    shown_at = 0.0

    def show(count: int) -> None:
        nonlocal shown_at
        if sys.stderr.isatty() and time.monotonic() - shown_at >= PROGRESS_SECONDS:
            shown_at = time.monotonic()
            click.echo(f"\r{source}: {count} entries read", nl=False, err=True)

    yield show
    if shown_at:
        click.echo("\r\x1b[K", nl=False, err=True)


def _described(run: Any) -> dict[str, Any]:
    return {
        "id": run.id, "at": run.at, "by": run.by, "source": run.source, "outcome": run.outcome,
        "summary": {name: value for name, value in run.summary.items() if name != "order"},
    }  # fmt: skip


def _code(one: dict[str, Any]) -> int:
    if one["outcome"] == "failed":
        return FAILED
    if one["outcome"] in ("braked", "partly"):
        return PARTIAL
    summary = one["summary"]
    is_whole = not summary["brakes"] and not summary["conflicts"]["count"]
    return (
        DONE if one["outcome"] == "done" or (is_whole and not summary["room_errors"]) else PARTIAL
    )


def _lines(one: dict[str, Any]) -> Iterator[str]:
    """A run as people read it, each hostile name on its own line."""
    if one["outcome"] == "failed":
        return
    summary = one["summary"]
    yield f"{one['source']}: {_headline(one['outcome'], summary)}"
    for kind, entries in summary["groups"].items():
        yield f"{WORDS[kind]}:"
        for entry in entries:
            yield "  " + _clean(_entry(SIGNS.get(kind, "~"), entry))
        if summary["counts"][kind] > len(entries):
            yield f"  … and {summary['counts'][kind] - len(entries)} more"
    yield from _told(summary["conflicts"], "left as they are", _conflict)
    yield from _told(summary["warnings"], "left out", str)
    for error in summary.get("room_errors", []):
        yield f"not told to controle-vnc: {_clean(error)}"
    yield from _brake_lines(one["outcome"], summary)


def _headline(outcome: str, summary: dict[str, Any]) -> str:
    counts = _counts(summary)
    done = {"planned": "would change: ", "braked": "nothing was changed; it would be: "}
    return done.get(outcome, "") + (counts or "nothing changes")


def _counts(summary: dict[str, Any]) -> str:
    """Such as "3 new, 1 disabled, 2 moved"."""
    parts = []
    for kind, count in summary.get("counts", {}).items():
        word = WORDS[kind]
        if count == 1:
            word = word.replace("classes", "class").replace("workstations", "workstation")
        parts.append(f"{count} {word}")
    return ", ".join(parts)


def _entry(sign: str, entry: dict[str, Any]) -> str:
    changes = ", ".join(
        f"{what} {before or '-'} → {after or '-'}" if before else f"{what} {after or '-'}"
        for what, before, after in entry["changes"]
    )
    return "  ".join(part for part in (sign, entry["name"], entry["label"], changes) if part)


def _conflict(one: dict[str, str]) -> str:
    why = CONFLICTS[one["code"]].format(detail=one["detail"])
    return f"{one['what']} {one['name']}: {why}"


def _told(found: dict[str, Any], title: str, line: Any) -> Iterator[str]:
    if not found["count"]:
        return
    yield f"{found['count']} {title}:"
    for entry in found["listed"]:
        yield "  " + _clean(line(entry))
    if found["count"] > len(found["listed"]):
        yield f"  … and {found['count'] - len(found['listed'])} more"


def _brake_lines(outcome: str, summary: dict[str, Any]) -> Iterator[str]:
    for brake in summary["brakes"]:
        yield _clean(f"brake: {BRAKES[brake['code']].format(**brake)}")
    if summary["brakes"] and summary["confirmable"] and outcome in ("planned", "braked"):
        yield "If that is right, import with --force."


def _clean(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def _tell_history(parts: "Services", as_json: bool) -> None:
    from eop.administration import import_store

    with parts.database.read() as connection:
        runs = import_store.recent(connection, SHOWN_RUNS)
    rows = [
        [
            str(run.id), time.strftime("%Y-%m-%d %H:%M", time.localtime(run.at / 1000)), run.by,
            run.source, run.outcome, _short(run.summary),
        ]
        for run in runs
    ]  # fmt: skip
    text = table(["run", "at", "by", "source", "outcome", "what"], rows)
    tell([_described(run) for run in runs], text, as_json=as_json)


def _short(summary: dict[str, Any]) -> str:
    if "error" in summary:
        return str(summary["error"]).split("\n", 1)[0]
    return _counts(summary)
