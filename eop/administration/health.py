"""The page of health: the checks of `eopctl diagnose`, read by people."""

import shutil
from typing import Any, NamedTuple, cast

from flask import Blueprint, current_app, make_response, render_template
from flask.blueprints import BlueprintSetupState
from flask_babel import format_decimal, gettext, lazy_gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from controle_vnc import settings as shared_settings
from eop import moments
from eop.aaa import guard
from eop.administration import forms, health_run, workstation_words
from eop.administration.health_run import Check, Health, Run
from eop.errors import N_, DaemonDownError
from eop.services import services

PATH = "/admin/health"
EXTENSION = "eop.health"
AGAIN_MS = 500  # a check takes some milliseconds, a bad one seconds
AGAIN_TIMES = 150  # beyond the deadline of a run
GIGABYTE = 1000**3

DONE = {
    "busy": N_("The checks are running already: this is how far they are."),
    "failed": N_("The checks could not be started; eop.log says why."),
}

SCREENS = frozenset(
    {
        "settings", "application", "secret", "controle-vnc", "controle-vnc (hello)", "websockify",
        "websockify (RFB)",
    }
)  # fmt: skip
"""Without any of these no screen opens."""

SIGN_IN = frozenset({"session store", "eop-pam", "gunicorn", "gunicorn (ping)"})

LABELS: dict[str, Any] = {
    "settings": lazy_gettext("The settings can be read"),
    "application": lazy_gettext("EOP is enabled, its settings are right"),
    "secret": lazy_gettext("Site and controle-vnc hold the same secret"),
    "session store": lazy_gettext("The store of sessions answers"),
    "controle-vnc": lazy_gettext("controle-vnc listens"),
    "controle-vnc (hello)": lazy_gettext("controle-vnc proves that it knows the secret"),
    "websockify": lazy_gettext("The gateway listens"),
    "websockify (RFB)": lazy_gettext("A screen opens through the gateway"),
    "gunicorn": lazy_gettext("The site listens"),
    "gunicorn (ping)": lazy_gettext("The site answers"),
    "eop-pam": lazy_gettext("eop-pam answers, for accounts of the machine"),
    "controle-vnc-files": lazy_gettext("controle-vnc-files answers, for documents"),
}

GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (lazy_gettext("Ports"), ("controle-vnc", "websockify", "gunicorn")),
    (
        lazy_gettext("What is behind them"),
        ("controle-vnc (hello)", "websockify (RFB)", "gunicorn (ping)", "controle-vnc-files"),
    ),
    (lazy_gettext("Secret, application, settings"), ("settings", "application", "secret")),
    (lazy_gettext("Signing in"), ("session store", "eop-pam")),
)
OTHER = lazy_gettext("Others")

blueprint = Blueprint("administration_health", __name__, url_prefix=PATH)


class Verdict(NamedTuple):
    """What is said on top: tone, icon, the sentence itself, and what it means."""

    tone: str
    icon: str
    sentence: str
    meaning: str


class Figure(NamedTuple):
    """A figure: its name, its value, and what follows it in small."""

    name: str
    value: str
    small: str = ""


@blueprint.record_once
def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions[EXTENSION] = Health()


def health() -> Health:
    """The runs of this application."""
    return cast(Health, current_app.extensions[EXTENSION])


@blueprint.get("")
@guard.page_required("check_health")
def page() -> AnyResponse:
    """How the last run went, or how far it is."""
    run = health().last
    now_ms = services().now_ms()
    html = render_template(
        "admin_health.html",
        section="admin",
        run=run,
        began=moments.told_lately(run.at, now_ms) if run else "",
        seconds=format_decimal(round(run.seconds, 1)) if run else "",
        verdict=verdict(run),
        failed=run.failed if run else [],
        groups=grouped(run.checks) if run else [],
        figures=_figures(),
        labels=LABELS,
        again_ms=AGAIN_MS if run and not run.is_over else 0,
        again_times=AGAIN_TIMES,
        error=forms.done(DONE),
    )
    return make_response(html)


@blueprint.post("")
@guard.page_required("check_health")
def start() -> AnyResponse:
    """Have everything checked; one run at a time."""
    try:
        is_new = health().start(guard.who().login, services().now_ms())
    except OSError:
        current_app.logger.exception("eopctl diagnose cannot be started")
        return forms.go_on(PATH, "failed")
    return forms.go_on(PATH, "new" if is_new else "busy")


def verdict(run: Run | None) -> Verdict:
    """Whether lessons can go on."""
    if run is None:
        sentence = gettext("Nothing was checked since the site was started.")
        return Verdict("info", "pulse", sentence, gettext("A check takes some seconds."))
    if not run.is_over:
        sentence = ngettext("%(num)s check done…", "%(num)s checks done…", len(run.checks))
        return Verdict("info", "pulse", str(sentence), "")
    if run.state != health_run.ENDED:
        return _unfinished(run)
    return _of_failed(run)


def _of_failed(run: Run) -> Verdict:
    """What the checks that failed mean for a lesson."""
    names = {one.name for one in run.failed}
    if not names:
        count = len(run.checks)
        sentence = gettext("Everything works: lessons can go on.")
        return Verdict("ok", "check", sentence, gettext("Checks that passed: %(num)s.", num=count))
    meaning = gettext(
        "Checks that failed: %(num)s of %(total)s.", num=len(names), total=len(run.checks)
    )
    if names & SCREENS:
        return Verdict("bad", "bad", gettext("Lessons cannot go on: screens do not open."), meaning)
    if names & SIGN_IN:
        sentence = gettext("Lessons that have begun can go on, but signing in does not work.")
        return Verdict("bad", "bad", sentence, meaning)
    sentence = gettext("Lessons can go on, but something is to be mended.")
    return Verdict("warn", "alert", sentence, meaning)


def _unfinished(run: Run) -> Verdict:
    command = gettext("On the server, the command eopctl diagnose says more.")
    if run.state == health_run.TOO_LONG:
        sentence = gettext("The checks took too long and were ended.")
    else:
        sentence = gettext("The checks ended before they were done.")
    return Verdict("bad", "bad", sentence, command)


def grouped(checks: tuple[Check, ...]) -> list[tuple[str, list[Check]]]:
    """The checks that passed, by group; those unknown here come last."""
    passed = [one for one in checks if one.ok]
    known = {name for _, names in GROUPS for name in names}
    made = [(str(title), [one for one in passed if one.name in names]) for title, names in GROUPS]
    made.append((str(OTHER), [one for one in passed if one.name not in known]))
    return [(title, members) for title, members in made if members]


def _figures() -> list[Figure]:
    """How much of everything there is now; what cannot be asked is left out."""
    parts = services()
    figures = []
    try:
        known, status = parts.daemon.workstations(), parts.daemon.status()
    except DaemonDownError:
        pass  # the checks say so
    else:
        answering = sum(one.state in workstation_words.WELL for one in known)
        total = gettext("of %(total)s", total=len(known))
        figures = [
            Figure(gettext("Workstations that answer"), str(answering), total),
            Figure(gettext("Screens open"), str(status.screens)),
            Figure(gettext("Walls open"), str(status.walls)),
        ]
    with parts.database.read() as connection:
        live = len(parts.door.sessions.live(connection, parts.now_ms()))
    free = shutil.disk_usage(shared_settings.home()).free / GIGABYTE
    return [
        *figures,
        Figure(gettext("Open sessions"), str(live)),
        Figure(gettext("Free on the disk"), str(format_decimal(round(free, 1))), gettext("GB")),
    ]
