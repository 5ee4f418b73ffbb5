"""`eopctl workstation`: the workstations that controle-vnc knows."""

import shlex
from pathlib import Path
from typing import Any

import click

from eop.cli.output import FAILED, json_option, read_password, table, tell
from eop.cli.site import open_daemon

PROBE_SECONDS = 40.0  # a whole handshake with a slow workstation
PATH = click.Path(path_type=Path, dir_okay=False)


@click.group()
def workstation() -> None:
    """Workstations: add, list, remove, test."""


@workstation.command()
@click.option("--name", required=True)
@click.option("--room", required=True)
@click.option("--vnc", "address", required=True, help="host:port, [v6]:port or unix:/path.")
@click.option("--password-file", type=PATH, help="Its first line; left out: no password.")
@click.option("--user", help="Login of who sits there, for walls by class.")
@click.option("--vnc-user", help="As whom to sign in where the server asks; empty: no name.")
@click.option(
    "--trust",
    help="Known by x509-sha256:HEX, rsa-sha256:HEX (rsa-ne-sha256:HEX: its screen may be "
    "unencrypted) or ca:/path; any: whoever answers may read the password; empty: forget it.",
)
@click.option("--replace", is_flag=True, help="Change the workstation of that name.")
@json_option
def add(**options: Any) -> None:
    """Add a workstation. With --replace, what is left out of password, VNC user and trust stays."""
    from controle_vnc.control.messages import SaveWorkstation
    from eop.audit.console import at_the_console

    file = options["password_file"]
    request = SaveWorkstation(
        name=options["name"],
        room=options["room"],
        address=options["address"],
        password=read_password(file) if file is not None else None,
        user=options["user"],
        replace=options["replace"],
        by=at_the_console(),
        vnc_user=options["vnc_user"],
        trust=options["trust"],
    )
    with open_daemon() as daemon:
        saved = daemon.save(request)
    text = f"{'added' if saved.created else 'changed'} {request.name} ({saved.id})"
    value = {"id": saved.id, "name": request.name, "created": saved.created}
    tell(value, text, as_json=options["as_json"])


@workstation.command("import")
@click.argument("file", type=PATH)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
def import_file(file: Path, dry_run: bool, as_json: bool) -> int:
    """Add and change workstations from a CSV file: name,room,address,port,password,user.

    Further columns are vnc_user and trust. The column password_file may stand for password (a path
    beside the CSV file). All of it is carried out, or nothing.
    """
    from eop.administration import workstation_plan
    from eop.audit.console import at_the_console
    from eop.cli import import_csv

    found = import_csv.read(file)
    errors = import_csv.errors(found)
    with open_daemon() as daemon:
        plan = workstation_plan.make(found.rows, daemon.workstations(sign_in=True))
        if plan.requests and not errors and not dry_run:
            by = at_the_console()
            daemon.save_all(
                [one.request(by) for one in plan.requests], by, workstation_plan.SAVE_SECONDS
            )
    value = {
        "changes": [{"name": one.row.name, "change": one.kind} for one in plan.changes],
        "errors": errors,
        "applied": not errors and not dry_run,
    }
    lines = [*(import_csv.in_words(one) for one in plan.changes), *errors]
    tell(value, "\n".join(lines) or "nothing to do", as_json=as_json)
    return FAILED if errors else 0


@workstation.command("list")
@json_option
def list_workstations(as_json: bool) -> None:
    """List every workstation and how it is."""
    with open_daemon() as daemon:
        found = sorted(daemon.workstations(sign_in=True), key=lambda one: (one.room, one.name))
    value = [
        {
            "id": one.id,
            "number": one.number,
            "name": one.name,
            "room": one.room,
            "address": one.address,
            "kind": one.kind,
            "user": one.user,
            "vnc_user": one.vnc_user,
            "trust": one.trust,
            "state": one.state,
            "reason": one.reason.code if one.reason else None,
            "checked_at": one.checked_at,
        }
        for one in found
    ]
    heads = ["name", "room", "address", "user", "state", "id"]
    rows = [[one.name, one.room, one.address, one.user or "", one.state, one.id] for one in found]
    tell(value, table(heads, rows), as_json=as_json)


@workstation.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Forget a workstation, by name or id; its screens close."""
    from eop.audit.console import at_the_console

    with open_daemon() as daemon:
        daemon.remove(name, at_the_console())
    tell({"name": name}, f"removed {name}", as_json=as_json)


@workstation.command()
@click.argument("name")
@json_option
def test(name: str, as_json: bool) -> int:
    """Make one whole handshake and time each step; exit 1 where one fails."""
    with open_daemon(PROBE_SECONDS) as daemon:
        probe = daemon.probe(name)
        reason = probe.reason
        is_unconfirmed = reason is not None and reason.code == "unconfirmed"
        known = daemon.workstations() if is_unconfirmed else []
    value = {
        "name": name,
        "state": probe.state,
        "reason": probe.reason.code if probe.reason else None,
        "shown": probe.reason.arguments.get("shown") if probe.reason else None,
        "steps": [
            {
                "name": step.name,
                "ok": step.ok,
                "milliseconds": step.milliseconds,
                "detail": step.detail,
            }
            for step in probe.steps
        ],
    }
    rows = [
        [step.name, "ok" if step.ok else "failed", f"{step.milliseconds:.0f} ms", step.detail]
        for step in probe.steps
    ]
    why = f" ({probe.reason.code})" if probe.reason else ""
    text = table(["step", "result", "time", "detail"], rows) + f"\n{name}: {probe.state}{why}"
    if (shown := value["shown"]) and (one := _named(known, name)):
        text += f"\ncompare it with the machine; to trust it: {_trusting(one, str(shown))}"
    tell(value, text, as_json=as_json)
    is_well = all(step.ok for step in probe.steps) and probe.reason is None
    return 0 if is_well else FAILED


def _named(known: list[Any], name: str) -> Any:
    """The workstation of that name or id, as controle-vnc finds it."""
    return next((one for one in known if name in (one.id, one.name)), None)


def _trusting(one: Any, shown: str) -> str:
    """The command that confirms what the server of a workstation shows."""
    words = ["eopctl", "workstation", "add", "--replace", "--name", one.name, "--room", one.room]
    words += ["--vnc", one.address, *(["--user", one.user] if one.user else []), "--trust", shown]
    return shlex.join(words)


@workstation.command()
@click.argument("name")
@json_option
def retry(name: str, as_json: bool) -> None:
    """Try a refused or failed workstation again at once."""
    with open_daemon() as daemon:
        daemon.retry(name)
    tell({"name": name}, f"{name} is tried again", as_json=as_json)
