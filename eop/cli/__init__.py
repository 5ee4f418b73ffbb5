"""`eopctl`: every command, each loaded only when it is called."""

import importlib
from typing import Any

import click

from eop import __version__
from eop.cli.output import run

COMMANDS = {
    "audit": "eop.cli.audit:audit",
    "class": "eop.cli.klass:klass",
    "db": "eop.cli.db:db",
    "demo": "eop.cli.demo:demo",
    "diagnose": "eop.cli.diagnose:diagnose",
    "directory": "eop.cli.directory:directory",
    "document": "eop.cli.document:document",
    "import": "eop.cli.import_people:import_people",
    "init": "eop.cli.init:init",
    "lesson": "eop.cli.lesson:lesson",
    "mail": "eop.cli.mail:mail",
    "password": "eop.cli.password:password",
    "policy": "eop.cli.policy:policy",
    "room": "eop.cli.room:room",
    "screens": "eop.cli.screens:screens",
    "serve": "eop.cli.serve:serve",
    "session": "eop.cli.session:session",
    "substitute": "eop.cli.substitute:substitute",
    "user": "eop.cli.user:user",
    "workstation": "eop.cli.workstation:workstation",
}
"""Name → where its command is."""

SUMMARIES = {
    "audit": "What happened: read, verify, export, purge.",
    "class": "Classes: each a name and a list of logins.",
    "db": "The databases of the site and of controle-vnc.",
    "demo": "The whole product with a demonstration class.",
    "diagnose": "Check ports, secrets and configuration.",
    "directory": "The school's directory (LDAP, Active Directory): test it.",
    "document": "Documents that teachers gave, and how far each is.",
    "import": "Import people, classes and rooms; the history of imports.",
    "init": "Make what an installation needs.",
    "lesson": "Lessons that are open, and ending them.",
    "mail": "Mail: send a test.",
    "password": "New passwords for the students of a class.",
    "policy": "Who may do what, and why.",
    "room": "Rooms and their settings.",
    "screens": "Close all screens at once, and allow them again.",
    "serve": "Run the whole product, or a part of it, until Ctrl-C.",
    "session": "Sessions: who is signed in, and ending it.",
    "substitute": "Substitute teachers: rooms and classes for some days.",
    "user": "Local accounts and what they were granted.",
    "workstation": "Workstations: add, import, list, remove, test.",
}
"""What `eopctl --help` says of each, without loading it."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(SUMMARIES.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="eopctl")
def cli() -> None:
    """Set up and look after EOP.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done in part.
    """


def main(arguments: list[str] | None = None) -> Any:
    """The program `eopctl`."""
    return run(cli, arguments)
