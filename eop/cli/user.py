"""`eopctl user`: local accounts."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eop.cli.output import json_option, read_password, table, tell
from eop.cli.site import open_database
from eop.errors import InvalidError

if TYPE_CHECKING:
    from eop.aaa.password_policy import PasswordPolicy
    from eop.directory.users import User

# the roles of eop.directory.users; repeated so that --help needs no database library
ROLES = ("student", "teacher", "head_teacher", "administrator", "security_officer")
PASSWORD_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=False)
CHANGE = click.option(
    "--change/--no-change",
    default=None,
    help="Whether it must be changed at the first sign-in; by default as PASSWORD_INITIAL says.",
)


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
@click.option(
    "--head",
    "heads",
    multiple=True,
    help="A class of a head teacher; may be repeated. By default those of --class.",
)
@click.option("--replace", is_flag=True, help="Change the user where there is one of that name.")
@CHANGE
@json_option
def add(**options: Any) -> None:
    """Add a user. A teacher without any --room and --class is granted all of them."""
    from eop.aaa import accounts
    from eop.directory import users
    from eop.directory.users import EVERYTHING, NewUser

    if options["no_password"] == (options["password_file"] is not None):
        raise click.UsageError("give --password-file or --no-password, one of the two")
    if options["heads"] and options["role"] != "head_teacher":
        raise click.UsageError("--head is for --role head_teacher")
    policy = _policy()
    rooms, classes = tuple(options["rooms"]), tuple(options["classes"])
    is_teacher = options["role"] in ("teacher", "head_teacher")
    sees_all = is_teacher and not rooms and not classes
    new = NewUser(
        login=options["name"],
        role=options["role"],
        name=options["display_name"] or _name_of(options["name"]),
        password=None,
        rooms=(EVERYTHING,) if sees_all else rooms,
        classes=(EVERYTHING,) if sees_all else classes,
        must_change=_must_change(options["change"], policy),
        heads=tuple(options["heads"]) or None,
    )
    hashed = None
    if not options["no_password"]:
        hashed = accounts.check_password(policy, new, read_password(options["password_file"]))
    new = replace(new, password=hashed)
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


def _policy() -> "PasswordPolicy":
    from eop import services, settings

    return services.password_policy_of(settings.load())


def _must_change(asked: bool | None, policy: "PasswordPolicy") -> bool:
    return policy.initial if asked is None else asked


def _described(user: Any) -> dict[str, Any]:
    return {
        "login": user.login,
        "name": user.name,
        "role": user.role,
        "rooms": list(user.rooms),
        "classes": list(user.classes),
        **({"heads": list(user.heads)} if user.role == "head_teacher" else {}),
        "state": user.state,
    }


@user.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List every user."""
    from eop.directory import users

    with open_database() as (database, _), database.read() as connection:
        found = users.list_all(connection)
    rows = [
        [one.login, one.name, one.role, one.state, ", ".join(one.rooms), ", ".join(one.classes)]
        for one in found
    ]
    text = table(["login", "name", "role", "state", "rooms", "classes"], rows)
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
@CHANGE
@json_option
def passwd(name: str, password_file: Path, change: bool | None, as_json: bool) -> None:
    """Give a user another password, here or in the directory; locks are lifted, sessions end."""
    from eop.aaa import accounts
    from eop.directory import users

    policy, password = _policy(), read_password(password_file)
    must_change = _must_change(change, policy)
    with open_database() as (database, sessions):
        with database.read() as connection:
            user = users.get(connection, name)
        is_noted = True
        if user.source == "ldap":
            must_change, is_noted = _in_directory(user, password, policy, must_change=must_change)
        else:
            terms = accounts.Terms(policy, must_change=must_change)
            now_ms = int(time.time() * 1000)
            accounts.set_password(database, sessions, name, password, now_ms, terms)
    text = f"changed the password of {name}"
    if must_change:
        text += "; it must be changed at the first sign-in"
    if not is_noted:
        text += "; sessions that are open stay so, see the log"
    tell({"login": name, "must_change": must_change}, text, as_json=as_json)


def _in_directory(
    user: "User", password: str, policy: "PasswordPolicy", *, must_change: bool
) -> tuple[bool, bool]:
    """The same where a directory keeps it; whether it must be changed, and is noted here."""
    from eop.aaa.password_policy import Subject
    from eop.audit.console import at_the_console
    from eop.cli.password import open_services
    from eop.passwords import changing

    policy.check(password, Subject(user.login, user.name, user.role))
    with open_services() as parts:
        office = changing.office(parts, at_the_console())
        gift = office.give(user, None, password, must_change=must_change)
    if gift.code:
        raise InvalidError(
            f"the password of {user.login} is not changed: {changing.reason(gift.code, gift.words)}"
        )
    return gift.must_change, gift.is_noted


@user.command("totp-reset")
@click.argument("name")
@json_option
def totp_reset(name: str, as_json: bool) -> None:
    """Forget a user's second factor (a lost phone); open sessions end."""
    from eop.aaa import accounts

    with open_database() as (database, sessions):
        had = accounts.reset_second_factor(database, sessions, name, int(time.time() * 1000))
    text = f"{name} has no second factor any more" if had else f"{name} had no second factor"
    tell({"login": name, "had_second_factor": had}, text, as_json=as_json)


@user.command()
@click.argument("name")
@json_option
def unlock(name: str, as_json: bool) -> None:
    """Lift a lock: that of too many failures, and one that was set by hand."""
    from eop.aaa import accounts

    with open_database() as (database, sessions):
        found = accounts.unlock(database, sessions, name, int(time.time() * 1000))
    tell(_described(found), f"unlocked {found.login} ({found.state})", as_json=as_json)


@user.command()
@click.argument("name")
@json_option
def lock(name: str, as_json: bool) -> None:
    """Lock an account until it is unlocked or enabled; open sessions end."""
    _set_state(name, "locked", as_json)


@user.command()
@click.argument("name")
@json_option
def enable(name: str, as_json: bool) -> None:
    """Open an account again that was disabled, expired or locked."""
    _set_state(name, "active", as_json)


def _set_state(name: str, state: str, as_json: bool) -> None:
    from eop.aaa import accounts

    with open_database() as (database, sessions):
        found = accounts.set_state(database, sessions, name, state, int(time.time() * 1000))
    tell(_described(found), f"{found.login} is {found.state}", as_json=as_json)
