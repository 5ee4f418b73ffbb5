"""The pages of the audit: searching it, and everyone's own page."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, render_template, request
from flask_babel import format_datetime, format_time
from sqlalchemy import Row
from werkzeug.wrappers import Response as AnyResponse

from eop import replies
from eop.aaa import guard, room_settings
from eop.audit import chain, events, export, filters, looks, sentences
from eop.audit.export import FORMATS, LAST_MOMENT_MS, MEDIA_TYPES
from eop.audit.filters import Filters
from eop.audit.search import OLDEST, Criteria, Cursor, count, search
from eop.directory import users
from eop.errors import N_, DaemonDownError, InvalidError
from eop.services import services

MAX_EXPORT_ROWS = 200_000  # some hundred MB; `eopctl audit export` knows no limit
SHOWN_NAMES = 5  # of those an event is about; the others unfold

blueprint = Blueprint("audit_pages", __name__)


@dataclass(frozen=True)
class Shown:
    """One event as the page tells it."""

    id: int
    when: str
    moment: str
    who: str
    login: str
    kind: str
    sentence: str
    whom: list[str]
    workstation: str
    workstation_id: str


@blueprint.get("/admin/audit")
@guard.page_required("read_audit")
def audit() -> AnyResponse:
    """One page of what is found."""
    asked = filters.read(request.args)
    try:
        found, error = _criteria(asked), None
    except InvalidError as wrong:
        found, error = None, replies.in_words(wrong)
    shown, beside = [], _beside(asked.given, None, None)
    if found is not None:
        before, after = (filters.cursor(request.args.get(name)) for name in ("before", "after"))
        with services().database.read() as connection:
            page = search(connection, found, before=before, after=after)
            names = users.names(connection, _logins(page.rows))
        shown = [_shown(row, names) for row in page.rows]
        beside = _beside(asked.given, page.older, page.newer)
    words = {
        "section": "admin", "filters": asked, "rows": shown, "error": error,
        "groups": _groups(), "formats": FORMATS, "shown_names": SHOWN_NAMES,
    }  # fmt: skip
    return make_response(render_template("audit.html", **words, **beside), 422 if error else 200)


@blueprint.post("/admin/audit/export")
@guard.page_required("export_audit")
def export_found() -> AnyResponse:
    """Everything that is found, as a file; that it was exported is an event, too."""
    parts, asked = services(), filters.read(request.form)
    form = next((one for one in FORMATS if one == request.form.get("format")), None)
    if form is None:
        raise InvalidError("no such format")
    now_ms = parts.now_ms()
    found = _criteria(asked)
    # the event of this export, and what comes while it is read, are not in it
    until_ms = min(found.until_ms if found.until_ms is not None else now_ms, now_ms)
    found = replace(found, until_ms=until_ms)
    with parts.database.read() as connection:  # counting takes a while: who writes waits for nobody
        rows = count(connection, found, MAX_EXPORT_ROWS)
    if rows > MAX_EXPORT_ROWS:
        raise InvalidError(N_("More than %(num)s events: choose fewer days."), num=MAX_EXPORT_ROWS)
    with parts.database.write() as connection:
        events.record(
            connection, "audit_exported", now_ms, user=g.session.login, session=g.session.id,
            details={"format": form, "rows": rows, "filters": asked.given},
        )  # fmt: skip
    response = Response(export.lines(parts.database, found, form), mimetype=MEDIA_TYPES[form])
    day = _local(now_ms).date().isoformat()
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{day}.{form}"'
    return response


@blueprint.get("/mine")
@guard.page_required("account")
def mine() -> AnyResponse:
    """Who looked at the screen of who is signed in."""
    parts = services()
    before, after = (filters.cursor(request.args.get(name)) for name in ("before", "after"))
    with parts.database.read() as connection:
        page = looks.at(
            connection,
            guard.who().login,
            parts.site.SESSION_EXPIRES * 60_000,
            parts.now_ms(),
            before=before,
            after=after,
        )
        settings = room_settings.listed(connection)
    words = {
        "section": "mine",
        "rewinds": any(one.is_on and one.name == room_settings.REWIND for one in settings),
        "looks": [_told(look) for look in page.looks],
        "days": parts.site.AUDIT_DAYS,
        **_beside({}, page.older, page.newer),
    }
    return make_response(render_template("mine.html", **words))


def _criteria(asked: Filters) -> Criteria:
    ids = _ids_of(asked.workstation) if asked.workstation else None
    with services().database.read() as connection:
        return filters.criteria(connection, asked, ids)


def _ids_of(text: str) -> tuple[str, ...]:
    """The workstation of that name, as far as controle-vnc knows it, and of that id."""
    try:
        listed = services().daemon.workstations()
    except DaemonDownError:
        listed = []  # what was typed may still be an id
    named = [one.id for one in listed if one.name.casefold() == text.casefold()]
    return tuple(dict.fromkeys([text[:64], *named]))


def _groups() -> list[tuple[str, Any, list[tuple[str, Any]]]]:
    """Every group with its kinds, for the list of filters."""
    return [
        (group, name, [(k, one.name) for k, one in sentences.KINDS.items() if one.group == group])
        for group, name in sentences.GROUPS.items()
    ]


def _logins(rows: Iterable[Row[Any]]) -> set[str]:
    return {login for row in rows for login in (row.user, *chain.whom_of(row.details)) if login}


def _shown(row: Row[Any], names: dict[str, str]) -> Shown:
    whom = [login for login in chain.whom_of(row.details) if login != row.user]
    return Shown(
        id=row.id,
        when=_when(row.at),
        moment=_local(row.at).isoformat(),
        who=names.get(row.user, row.user),
        login=row.user,
        kind=sentences.name(row.kind),
        sentence=sentences.sentence(row.kind, row.details),
        whom=[names.get(login, login) for login in whom],
        workstation=str(row.details.get("workstation") or row.workstation or ""),
        workstation_id=row.workstation or "",
    )


def _told(look: looks.Look) -> dict[str, Any]:
    """A look in the words of the watched person's page."""
    lasted = ""
    if look.until is not None:
        lasted = sentences.duration(max(0, look.until - look.at) // 1000)
    return asdict(look) | {
        "when": _when(look.at),
        "moment": _local(look.at).isoformat(),
        "end": _time(look.until) if look.until is not None else "",
        "lasted": lasted,
    }


def _local(at: int) -> datetime:
    """A moment on the school's clock; one that no clock can tell becomes the nearest it can."""
    return datetime.fromtimestamp(min(max(at, 0), LAST_MOMENT_MS) / 1000).astimezone()


def _when(at: int) -> str:
    return str(format_datetime(_local(at), "medium", rebase=False))  # type: ignore[no-untyped-call]


def _time(at: int) -> str:
    return str(format_time(_local(at), "short", rebase=False))  # type: ignore[no-untyped-call]


def _address(given: dict[str, str], **places: Cursor) -> str:
    """The address of a page of this search."""
    cursors = {name: f"{one.at}-{one.id}" for name, one in places.items()}
    return "?" + urlencode(given | cursors)


def _beside(given: dict[str, str], older: Cursor | None, newer: Cursor | None) -> dict[str, Any]:
    """The addresses of the pages beside this one."""
    return {
        "older": _address(given, before=older) if older is not None else None,
        "newer": _address(given, after=newer) if newer is not None else None,
        "newest": _address(given),
        "oldest": _address(given, after=OLDEST),
        "is_inside": "before" in request.args or "after" in request.args,
    }
