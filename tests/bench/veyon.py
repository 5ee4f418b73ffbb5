"""One desktop shown 30 times: EOP's wall beside Veyon's WebAPI, in turns.

`python -m tests.bench.veyon [--seconds 10] [--rounds 2] [--screens 30] [--content typing]`. The
desktop is an Xvfb of 1280×720 on which somebody types (`--content` names another of the painter's
kinds). Veyon: `veyon-server` with the x11vnc it starts, `veyon-cli webapi`, and 30 connections of
which each asks for a JPEG of 320×180 once a second. EOP: the same desktop through an x11vnc with
the same options, 30 workstations of one room, one wall that shows all at 320 px.

All connections share one x11vnc. With a page that scrolls, two or more of Veyon's get a new picture
only every 4 to 7 s, one alone every second: so `scrolling` does not show what a class would see.

Veyon's settings, keys and logs are in a folder that only its own processes see in place of
`/etc/xdg`. Its WebAPI has no setting for the address it listens on: for these seconds its port is
open on every one. Where Veyon is not installed nothing is measured, and nothing is installed.
"""

import contextlib
import heapq
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import requests

from tests.bench import cpu, report
from tests.bench.classroom import (
    PASSWORD,
    TILE_WIDTH,
    TOLERANCE,
    Costs,
    Levels,
    Watcher,
    level_in,
)
from tests.bench.painter import KINDS
from tests.bench.product import Product
from tests.bench.report import Table, figure, median
from tests.bench.source_process import SourceProcess
from tests.desktops import Desktop, free_port, wait_until

ROOM = "BENCH"
OURS, VEYON = "EOP", "Veyon"
START_SECONDS = 20
SETTLE_SECONDS = 4.0
STOP_SECONDS = 10
ANSWER_SECONDS = 10
KEY_NAME = "teacher"
KEY_METHOD = "0c69b301-81b4-42d6-8fae-128cdd113314"  # Veyon's name for "by key file"
PICTURE = {"format": "jpeg", "width": TILE_WIDTH, "height": TILE_WIDTH * 9 // 16}
PROGRAMS = {
    "veyon-server": "veyon-service",
    "veyon-cli": "veyon-service",
    "x11vnc": "x11vnc",
    "Xvfb": "xvfb",
}
PLUGINS = {
    "veyon/webapi.so": "veyon-plugins",
    "qca-qt5/crypto/libqca-ossl.so": "libqca-qt5-2-plugins",
}
X11VNC = (
    "-localhost",
    "-nosel",
    "-nosetclipboard",
    "-no6",
    "-forever",
    "-shared",
    "-nocmds",
    "-noremote",
)
"""What Veyon's own x11vnc is started with, beside its port and password."""
PRIVATELY = 'mount --bind "$0" /etc/xdg && exec "$@"'
SETTINGS = """[Authentication]
Method=1
PrivateKeyBaseDir={folder}/private
PublicKeyBaseDir={folder}/public
[Network]
VeyonServerPort={server}
VncServerPort={vnc}
FeatureWorkerManagerPort={worker}
DemoServerPort={demonstration}
LocalConnectOnly=true
[WebAPI]
HttpServerEnabled=true
HttpServerPort={web}
"""


def missing_packages() -> list[str]:
    """The Debian packages of what this machine lacks."""
    lacking = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    for name, package in PLUGINS.items():
        if not any(Path("/usr/lib").glob(f"*/{name}")):
            lacking.append(package)
    return list(dict.fromkeys(lacking))


class BareDesktop(Desktop):
    """An Xvfb of 1280×720, and x11vnc over it only while somebody needs one."""

    def start(self) -> None:
        self.start_x("Xvfb", "-screen", "0", f"{self.geometry}x24", "-nolisten", "tcp")

    @contextlib.contextmanager
    def served(self) -> Iterator[int]:
        """The process of an x11vnc on `self.port`."""
        process = self.spawn(
            "x11vnc", "-display", self.display, "-rfbport", str(self.port),
            "-rfbauth", str(self.password_file), *X11VNC,
        )  # fmt: skip
        try:
            wait_until(self.listening, START_SECONDS, "x11vnc listening")
            yield process.pid
        finally:
            end({process.pid})
            process.wait(STOP_SECONDS)
            self.processes.remove(process)


@dataclass
class Side:
    """What is measured of one side while it shows all tiles."""

    gateway: set[int]
    student: set[int]
    seen: list[Levels]
    """What the tiles showed, by place on the wall."""
    received: Callable[[], tuple[int, int]]
    """Tiles and their bytes so far."""

    def wait(self) -> None:
        """Until every place has shown a change: Veyon's do not in their first seconds."""
        wait_until(lambda: all(new([one]) for one in self.seen), START_SECONDS, "a change of each")


def new(seen: list[Levels]) -> int:
    """How many tiles showed another picture than the one before at their place."""
    return sum(
        abs(later - earlier) > TOLERANCE
        for one in seen
        for (_, earlier), (_, later) in pairwise(list(one))
    )


@contextlib.contextmanager
def eop(desktop: BareDesktop, screens: int) -> Iterator[Side]:
    """One wall of `screens` workstations that are all this desktop."""
    with desktop.served() as x11vnc, Product() as stack:
        stack.register([desktop.port] * screens, ROOM, PASSWORD)
        watcher = Watcher(stack.sign_in(), ROOM, reads=True)
        watcher.start()
        try:
            yield Side(
                stack.pids(),
                {x11vnc},
                watcher.seen,
                lambda: (watcher.tiles, watcher.wall.bytes_received),
            )
        finally:
            watcher.stop()


@contextlib.contextmanager
def veyon(desktop: BareDesktop, screens: int) -> Iterator[Side]:
    """So many connections of Veyon's WebAPI to this desktop."""
    with Veyon(desktop.display) as there:
        poller = Poller(there, screens)
        poller.start()
        try:
            yield Side(
                cpu.tree(there.webapi),
                cpu.tree(there.server),
                poller.seen,
                lambda: (poller.tiles, poller.bytes_received),
            )
            assert poller.is_alive(), "Veyon's WebAPI refused a picture"
        finally:
            poller.stop()


class Veyon:
    """Veyon's server for a display, and its WebAPI, with settings and keys of their own."""

    def __init__(self, display: str) -> None:
        self.display = display
        self.server_port, self.web_port, self._vnc_port = free_port(), free_port(), free_port()
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Veyon":
        self._temporary = tempfile.TemporaryDirectory(dir="/tmp")
        self.folder = Path(self._temporary.name)
        try:
            self._configure()
            self.server = self._start("veyon-server")
            wait_until(
                lambda: listening(self.server_port) and listening(self._vnc_port),
                START_SECONDS,
                "veyon-server and its x11vnc",
            )
            self.webapi = self._start("veyon-cli", "webapi", "runserver")
            wait_until(lambda: listening(self.web_port), START_SECONDS, "Veyon's WebAPI")
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    @property
    def key(self) -> str:
        return (self.folder / "private" / KEY_NAME / "key").read_text(encoding="ascii")

    def _configure(self) -> None:
        for name in ("xdg/Veyon Solutions", "home", "run", "tmp"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        text = SETTINGS.format(
            folder=self.folder,
            server=self.server_port,
            vnc=self._vnc_port,
            worker=free_port(),
            demonstration=free_port(),
            web=self.web_port,
        )
        (self.folder / "xdg/Veyon Solutions/Veyon.conf").write_text(text)
        subprocess.run(
            self._command("veyon-cli", "authkeys", "create", KEY_NAME),
            env=self._environment,
            capture_output=True,
            timeout=START_SECONDS,
            check=True,
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "DISPLAY": self.display,
            "QT_QPA_PLATFORM": "offscreen",
            "HOME": str(self.folder / "home"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "TMPDIR": str(self.folder / "tmp"),
        }

    def _command(self, *words: str) -> list[str]:
        """`words`, run where our settings stand in place of the machine's."""
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        settings = str(self.folder / "xdg")
        return ["unshare", "--mount", *as_root, "sh", "-c", PRIVATELY, settings, *words]

    def _start(self, *words: str) -> int:
        process = subprocess.Popen(
            self._command(*words),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process.pid

    def _clear(self) -> None:
        end(cpu.tree(*(process.pid for process in self._processes)))
        for process in self._processes:
            process.wait(STOP_SECONDS)
        self._temporary.cleanup()


class Poller(threading.Thread):
    """Asks for the picture of each of its connections once a second, out of step."""

    def __init__(self, there: Veyon, screens: int) -> None:
        super().__init__(daemon=True)
        self._url = f"http://127.0.0.1:{there.web_port}/api/v1"
        self._host = f"127.0.0.1:{there.server_port}"
        self._key = there.key
        self._session, self._stopping = requests.Session(), threading.Event()
        self.tiles = self.bytes_received = 0
        self.seen: list[Levels] = [[] for _ in range(screens)]
        with ThreadPoolExecutor(4) as pool:
            self._connections = list(pool.map(lambda _: self._connect(), range(screens)))

    def _connect(self) -> str:
        credentials = {"keyname": KEY_NAME, "keydata": self._key}
        answer = requests.post(
            f"{self._url}/authentication/{self._host}",
            json={"method": KEY_METHOD, "credentials": credentials},
            timeout=ANSWER_SECONDS,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["connection-uid"]

    def run(self) -> None:
        began, count = time.monotonic(), len(self._connections)
        due = [(began + place / count, place) for place in range(count)]
        while not self._stopping.wait(max(0.0, due[0][0] - time.monotonic())):
            at, place = due[0]
            self._ask(place)
            heapq.heapreplace(due, (max(at + 1, time.monotonic()), place))

    def _ask(self, place: int) -> None:
        answer = self._session.get(
            f"{self._url}/framebuffer",
            params=PICTURE,
            headers={"Connection-Uid": self._connections[place]},
            timeout=ANSWER_SECONDS,
        )
        if answer.status_code == 503:
            return  # it has no picture yet, or has just connected again
        assert answer.status_code == 200, answer.text
        self.tiles += 1
        self.bytes_received += len(answer.content)
        self.seen[place].append((time.monotonic(), level_in(answer.content)))

    def stop(self) -> None:
        self._stopping.set()
        self.join(ANSWER_SECONDS)
        self._session.close()


def listening(port: int) -> bool:
    """Whether something waits for connections there, on whatever address."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end(pids: set[int]) -> None:
    """End these processes by their ids, and wait for it; Veyon leaves its x11vnc to itself."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not any(map(runs, pids)), STOP_SECONDS, "their end")
            return
    raise AssertionError(f"still there: {[pid for pid in pids if runs(pid)]}")


def runs(pid: int) -> bool:
    """Whether it is there and more than the entry of a child that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def one_turn(side: Side, seconds: float) -> dict[str, float]:
    """The figures of one side that shows all its tiles."""
    side.wait()
    time.sleep(SETTLE_SECONDS)
    costs = Costs(gateway=side.gateway, student=side.student)
    tiles, size = side.received()
    renewed = new(side.seen)
    began = time.monotonic()
    costs.start()
    time.sleep(seconds)
    found = costs.stop()
    elapsed = time.monotonic() - began
    more_tiles, more_size = side.received()
    count = more_tiles - tiles
    assert count, "no tile came"
    found["tiles/s"] = count / elapsed
    found["new tiles/s"] = (new(side.seen) - renewed) / elapsed
    found["kB a tile"] = (more_size - size) / count / 1e3
    for part in ("gateway", "student"):
        found[f"{part} ms a tile"] = 10 * found[f"{part} CPU %"] / found["tiles/s"]
    if found["new tiles/s"]:
        found["gateway ms a new tile"] = 10 * found["gateway CPU %"] / found["new tiles/s"]
    found["gateway memory MiB"] = cpu.pss_mib(side.gateway)
    return found


def measure(chosen) -> dict:
    sides: dict[str, list[dict]] = {OURS: [], VEYON: []}
    shown = subprocess.run(
        ["veyon-cli", "--version"], capture_output=True, text=True, timeout=START_SECONDS
    )
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        BareDesktop(Path(folder), PASSWORD, "1280x720") as desktop,
        SourceProcess("tests.bench.painter", f"{desktop.display}={chosen.content}"),
    ):
        for _ in range(chosen.rounds):
            for name, opened in ((OURS, eop), (VEYON, veyon)):
                with opened(desktop, chosen.screens) as side:
                    sides[name].append(one_turn(side, chosen.seconds))
    return {
        "screens": chosen.screens,
        "content": chosen.content,
        "seconds": chosen.seconds,
        "rounds": chosen.rounds,
        "veyon": shown.stdout.strip(),
        "sides": sides,
    }


ROWS = (
    ("gateway CPU %", "gateway side, CPU %"),
    ("student CPU %", "student side, CPU %"),
    ("tiles/s", "tiles/s"),
    ("new tiles/s", "– that show another picture than the last"),
    ("gateway ms a tile", "gateway side, CPU ms a tile"),
    ("gateway ms a new tile", "– of those that show another picture"),
    ("student ms a tile", "student side, CPU ms a tile"),
    ("kB a tile", "kB a tile"),
    ("gateway memory MiB", "gateway side, MiB (PSS)"),
)


def tables(figures: dict) -> list[Table]:
    columns = [OURS, f"{VEYON} {figures['veyon']}"]
    head = f"{figures['screens']} tiles, median of the turns"
    rows = [[head, *columns, "ratio of the turns [from to]"]]
    for key, label in ROWS:
        ours, theirs = (
            [turn.get(key) for turn in figures["sides"][name]] for name in (OURS, VEYON)
        )
        ratios = [b / a for a, b in zip(ours, theirs, strict=True) if a and b]
        shown = (
            f"{figure(statistics.median(ratios))} [{figure(min(ratios))} {figure(max(ratios))}]"
            if len(ratios) == len(ours) and "tiles/s" not in key
            else ""
        )
        rows.append([label, figure(median(ours)), figure(median(theirs)), shown])
    return [Table("veyon: EOP's wall beside Veyon's WebAPI", rows)]


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--screens", type=int, default=30, help="Veyon allows 32 connections")
    parser.add_argument("--content", choices=KINDS, default="typing", help="of the desktop")
    chosen = parser.parse_args()
    if packages := missing_packages():
        sys.stderr.write(
            "Veyon is not measured, it is not installed: the benchmark needs "
            f"`apt install {' '.join(packages)}`.\n"
        )
        return
    if chosen.quick:
        chosen.seconds, chosen.rounds, chosen.screens = 2, 1, 4
    report.publish("veyon", chosen, measure(chosen), tables)


if __name__ == "__main__":
    main()
