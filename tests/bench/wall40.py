"""A wall of 40 Xvnc desktops: CPU, bytes, memory, change to tile; 1, 2 and 5 teachers; Chromium.

`python -m tests.bench.wall40 [--seconds 10] [--rounds 2] [--only teachers,browser]`. What happens
on the desktops (1280×720) is painted by `tests.bench.painter`: 21 type, 8 scroll, 8 are idle, 2
show a video, 1 flashes. The browser shows EOP's wall and, in turns, 40 noVNC canvases through
stock websockify.
"""

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.bench import cpu, report
from tests.bench.classroom import (
    MIX,
    PASSWORD,
    Classroom,
    Costs,
    Watcher,
    latencies,
    tcp_bytes,
)
from tests.bench.product import Product
from tests.bench.relay import Stock
from tests.bench.report import ROOT, Table, figure, median, percentile
from tests.desktops import wait_until
from tests.journeys.conftest import CHROMIUM, CHROMIUM_FLAGS, sign_in

ROOM = "BENCH"
SETTLE_SECONDS = 4.0
LATE_SECONDS = 2.0  # changes so close to the end have no time to be seen
VIEWPORT = {"width": 1920, "height": 1400}  # all 40 at once

PAGE = """<!doctype html><meta charset="utf-8"><title>40 noVNC</title>
<style>body{margin:0;display:grid;grid-template-columns:repeat(7,1fr)}
div{min-width:0;height:150px}</style>
<script type="module">
import RFB from "./novnc.js";
window.connected = 0;
for (let i = 0; i < COUNT; i++) {
  const box = document.body.appendChild(document.createElement("div"));
  const rfb = new RFB(box, `ws://${location.host}/websockify?token=t${i}`,
    {wsProtocols: ["binary"], credentials: {password: "PASSWORD"}});
  rfb.viewOnly = true; rfb.scaleViewport = true;
  rfb.addEventListener("connect", () => window.connected++);
}
</script>"""


def one_wall(stack: Product, room: Classroom, teachers: int, seconds: float) -> dict:
    """The figures of one wall with so many teachers."""
    apis = [stack.sign_in() for _ in range(teachers)]
    watchers = [Watcher(api, ROOM, reads=not number) for number, api in enumerate(apis)]
    for watcher in watchers:
        watcher.start()
    wait_until(lambda: watchers[0].has_all, 30, "a tile of each desktop")
    time.sleep(SETTLE_SECONDS)
    costs = Costs(daemon=stack.pids("daemon"), gateway=stack.pids("gateway"), desktops=room.pids)
    room.changes()
    began = time.monotonic()
    up, down = tcp_bytes("bytes_received", "dport", room.ports), sent(watchers)
    tiles = watchers[0].tiles
    costs.start()
    time.sleep(seconds)
    found = costs.stop()
    elapsed = time.monotonic() - began
    found["from desktops kB/s"] = (
        (tcp_bytes("bytes_received", "dport", room.ports) - up) / elapsed / 1e3
    )
    found["to browsers kB/s"] = (sent(watchers) - down) / elapsed / 1e3
    found["tiles/s to each"] = (watchers[0].tiles - tiles) / elapsed
    found["memory MiB"] = cpu.pss_mib(stack.pids("daemon"))
    changes, until = room.changes(), time.monotonic() - LATE_SECONDS
    times = [
        latencies(painted, seen, until)
        for painted, seen in zip(changes, watchers[0].seen, strict=True)
    ]
    quiet = times[room.kinds.index("flashing")] if "flashing" in room.kinds else []
    found["quiet p50 ms"] = percentile(quiet, 0.5)
    found["all p50 ms"] = percentile(sum(times, []), 0.5)
    found["all p95 ms"] = percentile(sum(times, []), 0.95)
    for watcher in watchers:
        watcher.stop()
    return found


def sent(watchers: list[Watcher]) -> int:
    return sum(watcher.wall.bytes_received for watcher in watchers)


class Browser:
    """One Chromium, its processes and its pages."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Browser":
        playwright = self._stack.enter_context(sync_playwright())
        self.chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        self._stack.callback(self.chromium.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def pids(self) -> set[int]:
        """Chromium without playwright's own driver."""
        return {pid for pid in cpu.tree(os.getpid()) if b"chromium" in program(pid)}

    def page(self) -> Page:
        return self.chromium.new_context(viewport=VIEWPORT).new_page()


def program(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0", 1)[0]
    except OSError:
        return b""  # it ended while we looked


def watched(browser: Browser, served: dict[str, set[int]], port: int, seconds: float) -> dict:
    """What the page that is open costs the browser and those who serve it."""
    time.sleep(SETTLE_SECONDS)
    costs = Costs(browser=browser.pids(), **served)
    began, before = time.monotonic(), tcp_bytes("bytes_sent", "sport", [port])
    costs.start()
    time.sleep(seconds)
    found = costs.stop()
    elapsed = time.monotonic() - began
    after = tcp_bytes("bytes_sent", "sport", [port])
    found["to browsers kB/s"] = (after - before) / elapsed / 1e3
    found["browser memory MiB"] = cpu.pss_mib(browser.pids())
    return found


def with_browser(stack: Product, room: Classroom, chosen) -> dict[str, list[dict]]:
    """The wall's page and a page of noVNC canvases, in turns in one Chromium."""
    found: dict[str, list[dict]] = {"wall": [], "noVNC": [], "blank": []}
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        Browser() as browser,
        Stock(room.ports, Path(folder)) as stock,
    ):
        bundle = next((ROOT / "eop/static/dist").glob("novnc.*.js"))
        shutil.copy(bundle, Path(folder) / "novnc.js")
        text = PAGE.replace("COUNT", str(len(room.ports))).replace("PASSWORD", PASSWORD)
        (Path(folder) / "index.html").write_text(text)
        for _ in range(chosen.rounds):
            page = browser.page()
            found["blank"].append(watched(browser, {}, stack.gateway, chosen.seconds / 2))
            sign_in(page, stack)
            page.goto(f"{stack.url}/observe/wall?room={ROOM}")
            served = {"server": stack.pids(), "desktops": room.pids}
            found["wall"].append(watched(browser, served, stack.gateway, chosen.seconds))
            if chosen.pictures:
                page.screenshot(path=chosen.out / "wall.png")
            page.context.close()
            page = browser.page()
            page.goto(f"http://127.0.0.1:{stock.port}/index.html")
            page.wait_for_function(f"window.connected == {len(room.ports)}", timeout=60_000)
            served = {"server": stock.pids(), "desktops": room.pids}
            found["noVNC"].append(watched(browser, served, stock.port, chosen.seconds))
            if chosen.pictures:
                page.screenshot(path=chosen.out / "novnc.png")
            page.context.close()
    return found


def measure(chosen) -> dict:
    kinds = MIX if not chosen.quick else ["flashing", "video", "scrolling", "typing"]
    figures: dict = {"desktops": len(kinds), "seconds": chosen.seconds, "rounds": chosen.rounds}
    with Classroom(kinds) as room, Product() as stack:
        stack.register(room.ports, ROOM, PASSWORD)
        if "teachers" in chosen.only:
            walls: dict[str, list[dict]] = {str(count): [] for count in chosen.teachers}
            for _ in range(chosen.rounds):
                for count in chosen.teachers:
                    walls[str(count)].append(one_wall(stack, room, count, chosen.seconds))
            figures["walls"] = walls
        if "browser" in chosen.only:
            figures["browser"] = with_browser(stack, room, chosen)
    return figures


def side_by_side(head: str, columns: dict[str, list[dict]]) -> list[list[str]]:
    """A row for each figure, a column for each entry, medians of the turns."""
    names = list(dict.fromkeys(name for turns in columns.values() for name in turns[0]))
    return [
        [head, *columns],
        *(
            [
                name,
                *(figure(median(turn.get(name) for turn in turns)) for turns in columns.values()),
            ]
            for name in names
        ),
    ]


def tables(figures: dict) -> list[Table]:
    found = []
    if "walls" in figures:
        columns = {
            f"{count} teacher{'s' * (count != '1')}": turns
            for count, turns in figures["walls"].items()
        }
        title = f"wall40: {figures['desktops']} Xvnc desktops on one wall"
        found.append(Table(title, side_by_side("median of the turns", columns)))
    if "browser" in figures:
        names = {"blank": "blank page", "wall": "EOP's wall", "noVNC": "noVNC canvases"}
        columns = {label: figures["browser"][name] for name, label in names.items()}
        rows = side_by_side("Chromium, median of the turns", columns)
        found.append(Table("wall40: in a browser", rows))
    return found


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default="teachers,browser")
    parser.add_argument("--pictures", action="store_true", help="screenshots beside the JSON")
    chosen = parser.parse_args()
    chosen.teachers = [1, 2, 5]
    if chosen.quick:
        chosen.seconds, chosen.rounds, chosen.teachers = 3, 1, [1]
        chosen.only = "teachers"
    report.publish("wall40", chosen, measure(chosen), tables)


if __name__ == "__main__":
    main()
