"""A class of Xvnc desktops in which something happens, and who looks at its wall."""

import bisect
import io
import json
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from tests.bench import cpu
from tests.bench.painter import LEVELS, MARK, WIDTH
from tests.bench.source_process import SourceProcess
from tests.desktops import XvncDesktop
from tests.stack import Api
from tests.wall_client import Tile, WallClient

PASSWORD = "s3cret!!"
MIX = ["flashing"] + ["video"] * 2 + ["scrolling"] * 8 + ["idle"] * 8 + ["typing"] * 21
TILE_WIDTH = 320
TOLERANCE = 3  # of a grey after JPEG

Levels = list[tuple[float, int]]
"""When which level was painted, or seen."""


class Classroom:
    """A desktop of 1280×720 for each of `kinds`, painted by one program."""

    def __init__(self, kinds: list[str]) -> None:
        self.kinds = kinds

    def __enter__(self) -> "Classroom":
        self._folder = tempfile.TemporaryDirectory(dir="/tmp")
        places = [Path(self._folder.name) / str(place) for place in range(len(self.kinds))]
        self.desktops = [XvncDesktop(place, PASSWORD, "1280x720") for place in places]
        try:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda desktop: desktop.start(), self.desktops))
        except BaseException:
            self._clear()
            raise
        self.ports = [desktop.port for desktop in self.desktops]
        self.pids = {desktop.processes[0].pid for desktop in self.desktops}
        pairs = zip(self.desktops, self.kinds, strict=True)
        work = [f"{desktop.display}={kind}" for desktop, kind in pairs]
        self._painter = SourceProcess("tests.bench.painter", *work).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._painter.__exit__()
        self._clear()

    def _clear(self) -> None:
        for desktop in self.desktops:
            desktop.stop()
        self._folder.cleanup()

    def changes(self) -> list[Levels]:
        """What was painted since the last call, by desktop."""
        places = {desktop.display: place for place, desktop in enumerate(self.desktops)}
        found: list[Levels] = [[] for _ in self.desktops]
        for at, display, level in json.loads(self._painter.tell("changes")):
            found[places[display]].append((at, level))
        return found


class Watcher(threading.Thread):
    """Looks at a whole wall until told to stop; `reads` the marks of its tiles, or only counts."""

    def __init__(self, api: Api, room: str, reads: bool = False) -> None:
        super().__init__(daemon=True)
        self.wall = WallClient(api.open(kind="wall", room=room))
        self.reads, self.stopping = reads, threading.Event()
        self.tiles = 0
        workstations = self.wall.next(10)["workstations"]
        ordered = sorted(workstations, key=lambda one: one["name"])
        self.places = {one["number"]: place for place, one in enumerate(ordered)}
        self.seen: list[Levels] = [[] for _ in self.places]
        self.wall.show(list(self.places), TILE_WIDTH)

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                item = self.wall.next(0.5)
            except TimeoutError:
                continue
            if isinstance(item, Tile):
                at = time.monotonic()
                self.tiles += 1
                if self.reads:
                    self.seen[self.places[item.number]].append((at, level_in(item.jpeg)))

    @property
    def has_all(self) -> bool:
        """Every desktop has been seen once."""
        return all(self.seen)

    def stop(self) -> None:
        self.stopping.set()
        self.join(5)
        self.wall.socket.close()


def level_in(jpeg: bytes) -> int:
    """The grey in the corner of a tile."""
    picture = Image.open(io.BytesIO(jpeg)).convert("L")
    scale = picture.width / WIDTH
    at = int(MARK[2] * scale / 2), int(MARK[3] * scale / 2)
    return picture.getpixel(at)


def latencies(painted: Levels, seen: Levels, until: float) -> list[float]:
    """Milliseconds from each change to the first picture that shows it, or a later one."""
    times = [at for at, _ in painted]
    shown: list[tuple[int, float]] = []  # the newest change in a picture, and when it came
    for at, grey in seen:
        for number in range(bisect.bisect_right(times, at) - 1, -1, -1):
            if abs(painted[number][1] - grey) <= TOLERANCE:
                shown.append((number, at))
                break
            if times[number] < at - 5:
                break
    found, place = [], 0
    for number, (at, _) in enumerate(painted):
        while place < len(shown) and (shown[place][0] < number or shown[place][1] < at):
            place += 1
        if at > until or place == len(shown):
            break
        found.append(1000 * (shown[place][1] - at))
    return found


def tcp_bytes(field: str, side: str, ports: list[int]) -> int:
    """The sum of a counter of TCP over the sockets whose `side` (sport, dport) is in `ports`."""
    wanted = " or ".join(f"{side} = :{port}" for port in ports)
    lines = subprocess.run(
        ["ss", "-tinHO", "state", "established", f"( {wanted} )"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    mark = f"{field}:"
    return sum(int(word.removeprefix(mark)) for word in lines if word.startswith(mark))


class Costs:
    """What several trees of processes use between `start` and `stop`."""

    def __init__(self, **trees: set[int]) -> None:
        self._trees = trees

    def start(self) -> None:
        self._at = time.monotonic()
        self._before = {name: cpu.cpu(pids) for name, pids in self._trees.items()}

    def stop(self) -> dict[str, float]:
        """Per cent of a core, by tree."""
        elapsed = time.monotonic() - self._at
        return {
            f"{name} CPU %": 100 * cpu.seconds(self._before[name], cpu.cpu(pids)) / elapsed
            for name, pids in self._trees.items()
        }


assert len(MIX) == 40
assert len(set(LEVELS)) == len(LEVELS)
