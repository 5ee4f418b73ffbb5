"""`eopctl user`: local accounts."""

import time
from pathlib import Path
from typing import Any

import click

from eop.cli.output import json_option, read_password, table, tell
from eop.cli.site import open_database

# the roles of eop.directory.users; repeated so that --help needs no database library
ROLES = ("student", "teacher", "head_teacher", "administrator", "security_officer")
PASSWORD_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=False)


@click.group()
def user() -> None:
    """Local accounts and what they were granted."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--password-file", type=PASSWORD_FILE, help="Its first line.")
@click.option(
    "--no-password", is_flag=True, help="The password is kept elsewhere: see AUTHENTICATORS."
)
@click.option("--display-name", help="Name shown to others; by default made from the login.")
@click.option("--room", "rooms", multiple=True, help="A room to watch; may be repeated.")
@click.option("--class", "classes", multiple=True, help="A class to watch; may be repeated.")
@click.option("--replace", is_flag=True, help="Change the user where there is one of that name.")
@json_option
def add(**options: Any) -> None:
    """Add a user. A teacher without any --room and --class is granted all of them."""
    from eop.aaa import accounts, passwords
    from eop.directory import users
    from eop.directory.users import EVERYTHING, NewUser

    if options["no_password"] == (options["password_file"] is not None):
        raise click.UsageError("give --password-file or --no-password, one of the two")
    hashed = None
    if not options["no_password"]:
        hashed = passwords.hashed(read_password(options["password_file"]))
    rooms, classes = tuple(options["rooms"]), tuple(options["classes"])
    is_teacher = options["role"] in ("teacher", "head_teacher")
    sees_all = is_teacher and not rooms and not classes
    new = NewUser(
        login=options["name"],
        role=options["role"],
        name=options["display_name"] or _name_of(options["name"]),
        password=hashed,
        rooms=(EVERYTHING,) if sees_all else rooms,
        classes=(EVERYTHING,) if sees_all else classes,
    )
    now_ms = int(time.time() * 1000)
    with open_database() as (database, sessions):
        with database.read() as connection:
            exists = users.find(connection, new.login) is not None
            has_password = users.password_of(connection, new.login) is not None
        if has_password and options["no_password"] and options["replace"]:
            raise click.UsageError(
                f"{new.login} has a password here, which --no-password does not take away; "
                f"run first: eopctl user remove {new.login}"
            )
        if exists and options["replace"]:
            saved = accounts.change(database, sessions, new, now_ms)
        else:
            saved = accounts.add(database, new, now_ms)
    text = f"{'changed' if exists else 'added'} {saved.login} ({saved.role})"
    if sees_all:
        text += "; no room and no class was named: every room and every class is granted"
    tell(_described(saved), text, as_json=options["as_json"])


def _name_of(login: str) -> str:
    """camille.lefevre → Camille Lefevre."""
    parts = login.split("@")[0].replace("_", ".").split(".")
    return " ".join(part.capitalize() for part in parts if part) or login


def _described(user: Any) -> dict[str, Any]:
    return {
        "login": user.login,
        "name": user.name,
        "role": user.role,
        "rooms": list(user.rooms),
        "classes": list(user.classes),
    }


@user.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List every user."""
    from eop.directory import users

    with open_database() as (database, _), database.read() as connection:
        found = users.list_all(connection)
    rows = [
        [one.login, one.name, one.role, ", ".join(one.rooms), ", ".join(one.classes)]
        for one in found
    ]
    text = table(["login", "name", "role", "rooms", "classes"], rows)
    tell([_described(one) for one in found], text, as_json=as_json)


@user.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Remove a user; open screens close."""
    from eop.aaa import accounts

    with open_database() as (database, sessions):
        removed = accounts.remove(database, sessions, name, int(time.time() * 1000))
    tell(_described(removed), f"removed {removed.login}", as_json=as_json)


@user.command()
@click.argument("name")
@click.option("--password-file", type=PASSWORD_FILE, required=True, help="Its first line.")
@json_option
def passwd(name: str, password_file: Path, as_json: bool) -> None:
    """Give a user another password; locks are lifted, open sessions end."""
    from eop.aaa import accounts

    password = read_password(password_file)
    with open_database() as (database, sessions):
        accounts.set_password(database, sessions, name, password, int(time.time() * 1000))
    tell({"login": name}, f"changed the password of {name}", as_json=as_json)
