"""`eopctl demo`: a whole school to try: a teacher, two rooms, two classes, live desktops."""

import json
import os
import secrets
import subprocess
import sys
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import click

from controle_vnc import settings as shared_settings
from controle_vnc.control.messages import SaveWorkstation
from eop.audit.console import at_the_console
from eop.cli.db import bring_up_to_date
from eop.cli.init import initialise
from eop.cli.serve import (
    DEMO_PASSWORD,
    enabled_site,
    short_folder,
    site_url,
    start,
    supervised,
    tell,
)
from eop.cli.site import open_daemon
from eop.cli.supervisor import Program, Supervisor

LOGIN, NAME = "camille.lefevre", "Camille Lefèvre"
ROOMS = ("S12", "S14")
CLASSES = ("3eB", "4eC")
STUDENTS = (
    ("Zoé Martin", "Malo Colin", "Inès Bernard", "Adam Petit", "Lina Robert", "Hugo Moreau",
     "Chloé Garcia", "Yanis Roux", "Manon Fournier", "Théo Girard", "Sarah Bonnet", "Noé Lambert"),
    ("Rose Lambert", "Gabin Mercier", "Alice Blanc", "Ilyès Faure", "Jade André", "Louis Guérin",
     "Éva Chevalier", "Sacha Robin", "Lou Masson", "Tom Gauthier", "Nora Perrin", "Léo Morin"),
)  # fmt: skip
"""For each room its class; a student sits at the workstation of the same place in the list."""

WORKSTATIONS = 6
MAX_WORKSTATIONS = 60  # what controle_vnc.demo starts at most
DESKTOPS_SECONDS = 60.0  # a slow machine starts an Xvnc in ten
CLEAN_SECONDS = 20
PASSWORD_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105 - none that look alike
PASSWORD_PARTS, PASSWORD_PART_SIGNS = 3, 4  # 59 bits, and short enough to type


@dataclass(frozen=True)
class Desktop:
    """One demonstration desktop: where it is, and who sits there."""

    room: str
    user: str
    address: str
    password: str | None


@click.command()
def demo() -> None:
    """Run everything with a demonstration class, until Ctrl-C.

    Prints one line on standard output when everything answers. EOP_DEMO_PASSWORD and
    EOP_DEMO_WORKSTATIONS choose the teacher's password and the number of desktops.
    """
    count = workstations()
    password = teacher_password()
    initialise(os.environ)
    bring_up_to_date(enabled_site().database_url)
    home = shared_settings.home()
    directory = short_folder("demo")
    if not shared_settings.load().FILES_HOMES:  # its people have no accounts on this machine
        os.environ["EOP_FILES_HOMES"] = str(home / "homes")
    with supervised(logs=home / "var/log/eop-demo") as supervisor:
        clean(directory)
        prepare_school(password)
        site = enabled_site()
        if count:
            supervisor.start(desktops_program(count, directory))
        if start(supervisor, site) and register(supervisor, directory, count):
            url = site_url(shared_settings.load(), site)
            click.echo(f"EOP is ready: {url}  login: {LOGIN}  password: {password}")
            sys.stdout.flush()
            supervisor.run()


def workstations() -> int:
    """The number of desktops wanted; raises a usage error."""
    text = os.environ.get("EOP_DEMO_WORKSTATIONS", str(WORKSTATIONS))
    if not text.isdecimal() or int(text) > MAX_WORKSTATIONS:
        raise click.UsageError(
            f"EOP_DEMO_WORKSTATIONS must be between 0 and {MAX_WORKSTATIONS}, not {text!r}"
        )
    return int(text)


def teacher_password() -> str:
    """The one that was asked for, else a new one; raises a usage error."""
    password = os.environ.get(DEMO_PASSWORD) or new_password()
    if not password.isprintable():
        raise click.UsageError(f"{DEMO_PASSWORD} must be one line of printable characters")
    return password


def new_password() -> str:
    """One that can be read out and typed."""
    return "-".join(
        "".join(secrets.choice(PASSWORD_SIGNS) for _ in range(PASSWORD_PART_SIGNS))
        for _ in range(PASSWORD_PARTS)
    )


def login_of(name: str) -> str:
    """The login of a student: first name, point, last name, without accents."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.lower().replace(" ", ".")


def desktops_program(count: int, directory: Path) -> Program:
    """The program that runs the desktops."""
    command = (
        sys.executable, "-m", "controle_vnc.demo",
        "--desktops", str(count), "--directory", str(directory),
    )  # fmt: skip
    return Program("desktops", command)


def clean(directory: Path) -> None:
    """Remove what a killed demonstration left behind."""
    if directory.exists():
        subprocess.run(
            desktops_program(0, directory).command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=CLEAN_SECONDS,
            check=False,
        )


def prepare_school(password: str) -> None:
    """The teacher, with this password and without locks, and the classes."""
    from eop import services
    from eop.aaa import accounts, passwords
    from eop.database import Database
    from eop.directory import classes, users
    from eop.directory.users import EVERYTHING, NewUser

    site = enabled_site()
    database, now_ms = Database(site.database_url), int(time.time() * 1000)
    sessions = services.sessions_of(site)
    try:
        with database.read() as connection:
            stored = users.password_of(connection, LOGIN)
            known = {one.name for one in classes.list_all(connection)}
        if stored is None or not passwords.matches(stored, password):
            everything = (EVERYTHING,)  # workstations that are added to try are seen, too
            teacher = NewUser(
                LOGIN, "teacher", NAME, passwords.hash_of(password), everything, everything
            )
            if stored is None:
                accounts.add(database, teacher, now_ms)
            else:
                accounts.change(database, sessions, teacher, now_ms)
        accounts.open_to_password(database, sessions, LOGIN, now_ms)
        for name, students in zip(CLASSES, STUDENTS, strict=True):
            with database.write() as connection:
                for student in students:
                    if users.find(connection, login_of(student)) is None:
                        newcomer = NewUser(login_of(student), "student", student, None)
                        users.add(connection, newcomer, now_ms)
            if name not in known:
                logins = [login_of(student) for student in students]
                accounts.save_class(database, sessions, name, logins, now_ms, replace=False)
    finally:
        sessions.close()
        database.close()


def register(supervisor: Supervisor, directory: Path, count: int) -> bool:
    """Wait for the desktops and make workstations of them; False when asked to stop."""
    listed = directory / "desktops.json"
    if count and not supervisor.wait_until(
        listed.exists, DESKTOPS_SECONDS, "the desktops do not start"
    ):
        return False
    found = json.loads(listed.read_text(encoding="utf-8")) if count else {"desktops": []}
    if count and found["kind"] == "drawn":
        tell("there is no VNC server on this machine: the desktops are drawn")
    save(seat(found["desktops"]), directory)
    return True


def seat(desktops: list[dict[str, str | None]]) -> list[Desktop]:
    """The first half sits in the first room, the others in the second."""
    half = -(-len(desktops) // 2)
    seated = []
    for room, students, part in zip(
        ROOMS, STUDENTS, (desktops[:half], desktops[half:]), strict=True
    ):
        for place, desktop in enumerate(part):
            user = login_of(students[place % len(students)])
            if place >= len(students):
                user += str(place // len(students) + 1)
            seated.append(Desktop(room, user, str(desktop["address"]), desktop["password"]))
    return seated


def save(desktops: list[Desktop], directory: Path) -> None:
    """Make workstations pc-01… of them; names that somebody else's have are left out."""
    ours = f"unix:{directory}/"
    with open_daemon() as daemon:
        known = daemon.workstations()
        taken = {one.name for one in known if not one.address.startswith(ours)}
        numbers = range(1, len(desktops) + len(taken) + 1)
        names = [name for number in numbers if (name := f"pc-{number:02}") not in taken]
        wanted = names[: len(desktops)]
        for one in known:
            if one.address.startswith(ours) and one.name not in wanted:
                daemon.remove(one.id)
        for name, desktop in zip(wanted, desktops, strict=True):
            daemon.save(
                SaveWorkstation(
                    name=name,
                    room=desktop.room,
                    address=desktop.address,
                    password=desktop.password,
                    user=desktop.user,
                    replace=True,
                    by=at_the_console(),
                )
            )
