"""A school in CSV files, which an installation imports."""

from dataclasses import replace
from pathlib import Path

from eop.administration import import_run
from eop.administration.import_store import Order

SETTINGS = ("IMPORT_SOURCES", "IMPORT_FILE")


class School:
    """The folder of an installation's source; `rows` is login → a line of people.csv."""

    def __init__(self, installation, folder: Path, monkeypatch) -> None:
        self.folder, self.house = folder, installation
        folder.mkdir(exist_ok=True)
        self.rows: dict[str, str] = {}
        for number in range(1, 11):
            self.student(number)
        self.teacher("t.one", rooms="*")
        self.set(monkeypatch, IMPORT_SOURCES=["file"], IMPORT_FILE=str(folder))

    def set(self, monkeypatch, **settings) -> None:
        """Give the installation settings, in this process and in those it starts."""
        for name, value in settings.items():
            text = ",".join(value) if isinstance(value, list) else str(value)
            monkeypatch.setenv(f"EOP_{name}", text)
        house = self.house
        house.site = replace(house.site, **settings)
        house.parts = replace(house.parts, site=house.site)

    def student(self, number: int, name: str = "", classes: str = "3eB") -> None:
        self.rows[f"p{number}"] = (
            f"{number};p{number};{name or f'Student {number}'};student;{classes};"
        )
        self.write()

    def teacher(self, login: str, rooms: str = "", classes: str = "") -> None:
        self.rows[login] = f"{login};{login};Teacher {login};teacher;{classes};{rooms}"
        self.write()

    def remove(self, *logins: str) -> None:
        for login in logins:
            del self.rows[login]
        self.write()

    def write(self) -> None:
        text = "\n".join(["id;login;name;role;classes;rooms", *self.rows.values(), ""])
        (self.folder / "people.csv").write_text(text, encoding="utf-8")

    def seat(self, **rooms: str) -> None:
        """`seat(pc1="S12")`: what rooms.csv says."""
        lines = [f"{host.replace('_', '-')};{room}" for host, room in rooms.items()]
        (self.folder / "rooms.csv").write_text("\n".join(["host;room", *lines, ""]))

    def run(self, **order):
        """Import in this process."""
        return import_run.run(self.house.parts, Order("file", "root", **order))
