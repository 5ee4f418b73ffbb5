"""What the demonstration costs, with 1 and with 12 desktops: each process, bytes, lateness, memory.

`python -m tests.bench.demonstration [--desktops 1,12] [--seconds 15]`. One client watches every
demonstration desktop and one quiet Xvnc, whose background changes every 1.3 s: the time runs from
the end of `xsetroot` to the tile with that colour in the client.
"""

import tempfile
import time
from pathlib import Path

from tests.bench import cpu, report
from tests.bench.classroom import Costs, Levels, Watcher, latencies
from tests.bench.report import Table, figure, percentile
from tests.desktops import XvncDesktop, wait_until
from tests.stack import Stack

ROOM = "BENCH"
PARTS = {
    "controle-vnc": "-m controle_vnc",
    "gateway": "-m controle_vnc.gateway",
    "site": "gunicorn",
    "worker": "eop.worker",
    "desktops": "Xvnc",
}
SETTLE_SECONDS = 5.0
BETWEEN_SECONDS = 1.3  # longer than a wall waits: each change finds an open request
LATE_SECONDS = 2.0
GREYS = [16 + 8 * step for step in range(28)]  # they survive JPEG apart from each other


def pids_of(stack: Stack) -> dict[str, set[int]]:
    """The processes of each part."""
    running = stack.processes()
    found: dict[str, set[int]] = {}
    for part, mark in PARTS.items():
        found[part] = {pid for pid, command in running.items() if mark in command}
    found["controle-vnc"] -= found["gateway"]
    found["controle-vnc"] -= {
        pid for pid, command in running.items() if "controle_vnc.demo" in command
    }
    return found


def painted(probe: XvncDesktop, greys: list[int]) -> Levels:
    """Change the probe's background to each of `greys`; when it was done."""
    changes: Levels = []
    for level in greys:
        probe.paint(f"#{level:02x}{level:02x}{level:02x}")
        changes.append((time.monotonic(), level))
        time.sleep(BETWEEN_SECONDS)
    return changes


def watched(desktops: int, seconds: float, greys: list[int]) -> dict[str, float | None]:
    """Every figure for so many demonstration desktops."""
    with (
        Stack(workstations=desktops) as stack,
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        XvncDesktop(Path(folder), geometry="1280x720") as probe,
    ):
        stack.add_workstation("probe", probe, room=ROOM)
        api = stack.sign_in()
        rooms = [room["name"] for room in api.get("rooms").json()]
        watchers = {name: Watcher(api, name, reads=name == ROOM) for name in rooms}
        for watcher in watchers.values():
            watcher.start()
        wait_until(lambda: all(w.tiles for w in watchers.values()), 30, "a tile of each room")
        time.sleep(SETTLE_SECONDS)
        parts = pids_of(stack)
        costs = Costs(**parts)
        received = sum(watcher.wall.bytes_received for watcher in watchers.values())
        tiles, began = sum(watcher.tiles for watcher in watchers.values()), time.monotonic()
        costs.start()
        time.sleep(seconds)
        found: dict[str, float | None] = dict(costs.stop())
        elapsed = time.monotonic() - began
        now = sum(watcher.wall.bytes_received for watcher in watchers.values())
        found["to the browser kB/s"] = (now - received) / elapsed / 1e3
        found["tiles/s"] = (sum(w.tiles for w in watchers.values()) - tiles) / elapsed
        for part, pids in parts.items():
            found[f"{part} MiB"] = cpu.pss_mib(pids)
        changes = painted(probe, greys)
        time.sleep(LATE_SECONDS)
        times = latencies(changes, watchers[ROOM].seen[0], time.monotonic() - LATE_SECONDS)
        found["change to tile p50 ms"] = percentile(times, 0.5)
        found["change to tile p95 ms"] = percentile(times, 0.95)
        for watcher in watchers.values():
            watcher.stop()
    return found


def tables(figures: dict) -> list[Table]:
    runs = figures["desktops"]
    rows = [
        [
            "with the quiet desktop beside",
            *(f"{count} desktop{'s' * (count != '1')}" for count in runs),
        ]
    ]
    for name in next(iter(runs.values())):
        rows.append([name, *(figure(run[name]) for run in runs.values())])
    return [Table("demonstration: a wall of demonstration desktops", rows)]


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--desktops", default="1,12")
    parser.add_argument("--seconds", type=float, default=15)
    chosen = parser.parse_args()
    counts, greys = chosen.desktops.split(","), GREYS
    if chosen.quick:
        counts, greys, chosen.seconds = counts[:1], GREYS[:2], 2
    runs = {count: watched(int(count), chosen.seconds, greys) for count in counts}
    report.publish("demonstration", chosen, {"seconds": chosen.seconds, "desktops": runs}, tables)


if __name__ == "__main__":
    main()
