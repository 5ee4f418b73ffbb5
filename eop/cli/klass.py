"""`eopctl class`: classes, each a list of logins."""

import time

import click

from eop.cli.output import json_option, table, tell
from eop.cli.site import open_database


@click.group("class")
def klass() -> None:
    """Classes: each a name and a list of logins."""


@klass.command()
@click.argument("name")
@click.option("--users", required=True, help="Logins, with commas between.")
@click.option("--replace", is_flag=True, help="Change the class where there is one of that name.")
@json_option
def add(name: str, users: str, replace: bool, as_json: bool) -> None:
    """Add a class."""
    from eop.aaa import accounts

    logins = [login for login in (part.strip() for part in users.split(",")) if login]
    with open_database() as (database, sessions):
        now_ms = int(time.time() * 1000)
        saved = accounts.save_class(database, sessions, name, logins, now_ms, replace=replace)
    value = {"name": saved.name, "students": list(saved.students)}
    tell(value, f"class {saved.name}: {len(saved.students)} students", as_json=as_json)


@klass.command("list")
@json_option
def list_classes(as_json: bool) -> None:
    """List every class."""
    from eop.directory import classes

    with open_database() as (database, _), database.read() as connection:
        found = classes.list_all(connection)
    value = [{"name": one.name, "students": list(one.students)} for one in found]
    rows = [[one.name, ", ".join(one.students)] for one in found]
    tell(value, table(["class", "students"], rows), as_json=as_json)


@klass.command()
@click.argument("name")
@json_option
def remove(name: str, as_json: bool) -> None:
    """Remove a class; its students stay."""
    from eop.aaa import accounts

    with open_database() as (database, sessions):
        accounts.remove_class(database, sessions, name, int(time.time() * 1000))
    tell({"name": name}, f"removed class {name}", as_json=as_json)
