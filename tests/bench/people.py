"""What an import of a school costs: 2,000 people and 80 classes, three times.

`python -m tests.bench.people [--people 2000] [--classes 80]`. First everybody is new, then nothing
changes, then one in twenty has another name, login or class. Each import is a process of its own,
as the worker starts it; the time is from its first CSV file to the end, controle-vnc included.
"""

import csv
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from tests.bench import report
from tests.bench.report import Table, figure, median

TEACHERS_A_CLASS = 2
CHANGED = 20  # one in so many
IMPORTS = ("first", "unchanged", "one in twenty changed")
SHOWN = {
    "seconds": "import, s",
    "CPU s": "its CPU, s",
    "lock s": "planned and stored, s",
    "memory MiB": "its peak, MiB",
    "started MiB": "of it before, MiB",
}


def write_school(folder: Path, people: int, classes: int, changed: int = 0) -> None:
    """Everybody in files; with `changed` one in so many is not as before."""
    folder.mkdir(exist_ok=True)
    with (folder / "people.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["id", "login", "name", "role", "classes", "rooms"])
        teachers = classes * TEACHERS_A_CLASS
        for number in range(people):
            login, name, group = f"person.{number}", f"Personne Numéro {number}", number % classes
            if changed and number % changed == 0:
                turn = number // changed % 3
                login += "x" * (turn == 0)
                name += " bis" * (turn == 1)
                group = (group + (turn == 2)) % classes
            is_teacher = number < teachers
            watched = f"C{group}|C{(group + 1) % classes}" if is_teacher else f"C{group}"
            role = "teacher" if is_teacher else "student"
            writer.writerow([number, login, name, role, watched, "S12" if is_teacher else ""])


def memory(name: str) -> float:
    """What this process has (VmRSS) or had at most (VmHWM), MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def one_import() -> dict:
    """In this process: import, and say what it cost."""
    from controle_vnc import settings as shared_settings
    from eop import services
    from eop import settings as site_settings
    from eop.administration import import_run
    from eop.administration.import_store import ANYTHING, Order
    from eop.directory import importer

    parts = services.make(site_settings.load(), shared_settings.load())
    held = []
    read = importer.read

    def noting(connection, **options):
        held.append(time.perf_counter())
        return read(connection, **options)

    importer.read = noting
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    started = resource.getrusage(resource.RUSAGE_SELF)
    at = time.perf_counter()
    run = import_run.run(parts, Order("file", "bench", confirmed=ANYTHING))
    ended, after = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    parts.close()
    return {
        "outcome": run.outcome,
        "counts": run.summary.get("counts"),
        "seconds": ended - at,
        "CPU s": after.ru_utime + after.ru_stime - started.ru_utime - started.ru_stime,
        "lock s": ended - held[-1],
        "memory MiB": memory("VmHWM"),
        "started MiB": before,
    }


def measure(chosen) -> dict:
    from tests.eop.installation import Installation

    found: dict[str, list[dict]] = {name: [] for name in IMPORTS}
    for _ in range(chosen.rounds):
        house = Installation()
        os.environ.update(house.environ)  # controle-vnc finds its files by it
        house.start_daemon()
        folder = house.home / "school"
        environ = {
            **os.environ, **house.environ,
            "EOP_IMPORT_SOURCES": "file", "EOP_IMPORT_FILE": str(folder),
        }  # fmt: skip
        for name in IMPORTS:
            changed = CHANGED if name == IMPORTS[2] else 0
            write_school(folder, chosen.people, chosen.classes, changed)
            command = [sys.executable, "-m", "tests.bench.people", "--child"]
            done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
            turn = json.loads(done.stdout)
            assert turn["outcome"] == "done", turn
            found[name].append(turn)
        house.close()
    return {"people": chosen.people, "classes": chosen.classes, "imports": found}


def tables(figures: dict) -> list[Table]:
    rows = [["import", *SHOWN.values()]]
    for name, turns in figures["imports"].items():
        rows.append([name, *(figure(median(turn[one] for turn in turns)) for one in SHOWN)])
    title = f"people: an import of {figures['people']} people in {figures['classes']} classes"
    return [Table(title, rows)]


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", action="store_true", help="import once, and print figures")
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(one_import()))
        return
    if chosen.quick:
        chosen.people, chosen.classes, chosen.rounds = 200, 8, 1
    report.publish("people", chosen, measure(chosen), tables)


if __name__ == "__main__":
    main()
