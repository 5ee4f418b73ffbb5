"""How a wall grows: 10, 40, 100 and 200 workstations, each with 1 and 3 teachers.

`python -m tests.bench.growth [--desktops 10,40,100,200] [--seconds 8]`. So many Xvnc would measure
themselves: `tests.bench.light_desktops` behaves as they do and costs next to nothing.
"""

import json

from tests.bench import cpu, plot, report
from tests.bench.classroom import Levels
from tests.bench.light_desktops import kind_of
from tests.bench.product import Product
from tests.bench.report import Table, figure, median
from tests.bench.source_process import SourceProcess
from tests.bench.wall40 import ROOM, one_wall

TEACHERS = (1, 3)
SHOWN = {
    "daemon CPU %": "daemon, % of a core",
    "gateway CPU %": "gateway, % of a core",
    "memory MiB": "daemon, MiB",
    "from desktops kB/s": "from desktops, kB/s",
    "to browsers kB/s": "to browsers, kB/s",
    "tiles/s to each": "tiles/s to each",
    "quiet p50 ms": "quiet p50, ms",
    "all p50 ms": "all p50, ms",
    "all p95 ms": "all p95, ms",
}


class LightRoom:
    """What `Classroom` is for Xvnc."""

    def __init__(self, count: int, *options: str) -> None:
        command = ("tests.bench.light_desktops", "--screens", str(count), *options)
        self._source = SourceProcess(*command)
        self.kinds = [kind_of(screen) for screen in range(count)]

    def __enter__(self) -> "LightRoom":
        self.ports = self._source.__enter__().ports
        self.pids = cpu.tree(self._source.process.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self._source.__exit__()

    def changes(self) -> list[Levels]:
        found: list[Levels] = [[] for _ in self.ports]
        for at, screen, level in json.loads(self._source.tell("changes")):
            found[screen].append((at, level))
        return found


def measure(chosen) -> dict:
    found: dict[str, dict[str, list[dict]]] = {}
    for count in chosen.desktops:
        with LightRoom(count) as room, Product() as stack:
            stack.register(room.ports, ROOM)
            turns = found[str(count)] = {str(teachers): [] for teachers in chosen.teachers}
            for _ in range(chosen.rounds):
                for teachers in chosen.teachers:
                    turn = one_wall(stack, room, teachers, chosen.seconds)
                    turns[str(teachers)].append(turn)
    return {"seconds": chosen.seconds, "rounds": chosen.rounds, "walls": found}


def tables(figures: dict) -> list[Table]:
    rows = [["workstations", "teachers", *SHOWN.values()]]
    for count, by_teachers in figures["walls"].items():
        for teachers, turns in by_teachers.items():
            cells = [figure(median(turn[name] for turn in turns)) for name in SHOWN]
            rows.append([count, teachers, *cells])
    return [Table("growth: light desktops on one wall", rows)]


def charts(figures: dict) -> list[plot.Chart]:
    """CPU, memory and time from change to tile over the number of workstations."""

    def lines(*names: str) -> plot.Series:
        drawn: plot.Series = {}
        for count, by_teachers in figures["walls"].items():
            for teachers, turns in by_teachers.items():
                for name in names:
                    value = median(turn[name] for turn in turns)
                    label = f"{teachers} teacher{'s' * (teachers != '1')}"
                    if len(names) > 1:
                        label += f", {name.removesuffix(' ms')}"
                    if value is not None:
                        drawn.setdefault(label, []).append((int(count), value))
        return drawn

    x = "workstations"
    return [
        plot.Chart("daemon, % of a core", x, lines("daemon CPU %")),
        plot.Chart("daemon, MiB", x, lines("memory MiB")),
        plot.Chart("change to tile, ms", x, lines("all p50 ms", "all p95 ms")),
    ]


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--desktops", default="10,40,100,200")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    chosen = parser.parse_args()
    chosen.desktops = [int(count) for count in chosen.desktops.split(",")]
    chosen.teachers = TEACHERS
    if chosen.quick:
        chosen.desktops, chosen.seconds, chosen.teachers = [6], 3, (1,)
    figures = measure(chosen)
    report.publish("growth", chosen, figures, tables)
    plot.save(chosen.out / "growth.svg", charts(figures))


if __name__ == "__main__":
    main()
