"""What a wall costs and how late it is: CPU, bytes, memory, and time from change to tile.

`python -m tests.bench.wall [--desktops 1,12] [--seconds 20] [--json]`, or `make bench`.
One client watches every demonstration desktop and one quiet probe desktop, whose background
changes; the time runs from the end of `xsetroot` to the tile with that colour in the client.
"""

import argparse
import io
import json
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from PIL import Image

from tests.desktops import XvncDesktop
from tests.stack import Stack
from tests.wall_client import Tile, WallClient

TICKS = os.sysconf("SC_CLK_TCK")
LEVELS = [16 + 8 * step for step in range(28)]  # greys that survive JPEG apart from each other


def role(command: str) -> str:
    """Which of the product's processes a command line is."""
    for mark, name in (
        ("controle_vnc.gateway", "gateway"),
        ("controle_vnc.demo", "demonstration"),
        ("-m controle_vnc", "controle-vnc"),
        ("gunicorn", "gunicorn"),
        ("eop.worker", "worker"),
        ("Xvnc", "desktops"),
        ("Xtigervnc", "desktops"),
        ("xterm", "demonstration"),
        ("xclock", "demonstration"),
    ):
        if mark in command:
            return name
    return "other"


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_kib(pid: int) -> int:
    """Proportional memory of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def measured(read, pids: dict[int, str]) -> dict[str, float]:
    """The sum of `read(pid)` for each role; processes that ended count nothing."""
    totals: dict[str, float] = {}
    for pid, command in pids.items():
        try:
            totals[role(command)] = totals.get(role(command), 0) + read(pid)
        except (OSError, StopIteration):
            continue  # it ended while we looked
    return totals


class Watcher(threading.Thread):
    """Reads one wall until told to stop; counts bytes and tiles, keeps the probe's greys."""

    def __init__(self, wall: WallClient, probe: str | None) -> None:
        super().__init__(daemon=True)
        self.wall, self.stopping = wall, threading.Event()
        self.tiles = 0
        self.greys: list[tuple[float, int]] = []
        workstations = wall.next(10)["workstations"]
        self.number = next((w["number"] for w in workstations if w["name"] == probe), None)
        wall.show([w["number"] for w in workstations])

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                item = self.wall.next(0.5)
            except TimeoutError:
                continue
            if isinstance(item, Tile):
                self.tiles += 1
                if item.number == self.number:
                    picture = Image.open(io.BytesIO(item.jpeg)).convert("L")
                    level = picture.getpixel((picture.width // 2, picture.height // 2))
                    self.greys.append((time.monotonic(), level))


def latencies(desktop: XvncDesktop, watcher: Watcher, pause: float) -> list[float]:
    """Milliseconds from each change to the first tile that shows it or a later one."""
    changes = []
    for level in LEVELS:
        desktop.paint(f"#{level:02x}{level:02x}{level:02x}")
        changes.append((time.monotonic(), level))
        time.sleep(pause)
    time.sleep(2)
    found = []
    for at, level in changes:
        later = [when for when, grey in watcher.greys if when >= at - 0.05 and grey >= level - 3]
        if later:
            found.append(1000 * max(0.0, later[0] - at))
    return found


def one_run(desktops: int, seconds: float) -> dict[str, object]:
    """Every figure for one number of demonstration desktops."""
    with (
        Stack(workstations=desktops) as stack,
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        XvncDesktop(Path(folder), geometry="1280x720") as probe,
    ):
        stack.add_workstation("probe", probe, room="BENCH")
        api = stack.sign_in()
        rooms = [room["name"] for room in api.get("rooms").json()]
        watchers = [
            Watcher(WallClient(api.open(kind="wall", room=name)), "probe") for name in rooms
        ]
        for watcher in watchers:
            watcher.start()
        time.sleep(5)
        pids = stack.processes()
        before, bytes_before = (
            measured(cpu_seconds, pids),
            sum(w.wall.bytes_received for w in watchers),
        )
        tiles_before, since = sum(w.tiles for w in watchers), time.monotonic()
        time.sleep(seconds)
        elapsed = time.monotonic() - since
        after, bytes_after = (
            measured(cpu_seconds, pids),
            sum(w.wall.bytes_received for w in watchers),
        )
        tiles = sum(w.tiles for w in watchers) - tiles_before
        memory = measured(pss_kib, stack.processes())
        quiet_watcher = next(w for w in watchers if w.number is not None)
        quiet = latencies(probe, quiet_watcher, 1.3)
        quiet_watcher.greys.clear()
        busy = latencies(probe, quiet_watcher, 0.37)
        for watcher in watchers:
            watcher.stopping.set()
        for watcher in watchers:
            watcher.join(5)
            watcher.wall.socket.close()
    return {
        "desktops": desktops,
        "cpu_percent": {
            name: round(100 * (after[name] - before.get(name, 0)) / elapsed, 1)
            for name in sorted(after)
        },
        "wall_bytes_per_second": round((bytes_after - bytes_before) / elapsed),
        "tiles_per_second": round(tiles / elapsed, 1),
        "memory_mib": {name: round(kib / 1024, 1) for name, kib in sorted(memory.items())},
        "change_to_tile_ms": {
            "quiet p50": round(statistics.median(quiet)),
            "quiet p95": round(statistics.quantiles(quiet, n=20)[-1]),
            "changing 3/s p50": round(statistics.median(busy)),
            "changing 3/s p95": round(statistics.quantiles(busy, n=20)[-1]),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--desktops", default="1,12")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for count in options.desktops.split(","):
        figures = one_run(int(count), options.seconds)
        if options.json:
            print(json.dumps(figures))
            continue
        print(f"\n{figures.pop('desktops')} demonstration desktops and one probe")
        for name, value in figures.items():
            shown = (
                ", ".join(f"{k} {v}" for k, v in value.items())
                if isinstance(value, dict)
                else value
            )
            print(f"  {name:24} {shown}")


if __name__ == "__main__":
    main()
