"""40 screens through the product, stock websockify and a bare loop that only copies, in turns.

`python -m tests.bench.relay [--only opening,paced,saturated,roundtrip,stalled] [--rounds 3]`.
Counted are all processes between browser and VNC server: gateway and daemon of the product, the
whole tree of websockify. Each of the 40 screens is another workstation, in control mode.
"""

import json
import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import cpu, report
from tests.bench.product import Product, target
from tests.bench.report import Table, figure, median, percentile
from tests.bench.source_process import SourceProcess
from tests.bench.ws_client import ReaderProcess, Screen, masked
from tests.desktops import free_port, wait_until

PARTS = ("opening", "paced", "saturated", "roundtrip", "stalled")
POINTER = b"\5\0\0\1\0\1"
PING_SECONDS = 0.003
PIXEL_BYTES = 20
LEAST = 0.05
OURS, STOCK, BARE = "product", "websockify 0.13", "a bare loop"


class Ours:
    """The product, with a workstation for each port."""

    name = OURS

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports

    def __enter__(self) -> "Ours":
        self.stack = Product().start()
        self.ids = self.stack.register(self.ports)
        self.api = self.stack.sign_in()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.stop()
        self.stack.remove()

    def target(self, screen: int) -> dict:
        return target(self.api, kind="screen", workstation=self.ids[screen], mode="control")

    def pids(self) -> set[int]:
        return self.stack.pids()


class Stock:
    """websockify as it comes, with a list of tokens; it can serve a folder of pages, too."""

    name = STOCK

    def __init__(self, ports: list[int], web: Path | None = None) -> None:
        self.ports, self.port = ports, free_port()
        self.web = ["--web", str(web)] if web else []

    def __enter__(self) -> "Stock":
        self.folder = tempfile.TemporaryDirectory(dir="/tmp")
        tokens = Path(self.folder.name) / "tokens"
        lines = [f"t{place}: 127.0.0.1:{port}" for place, port in enumerate(self.ports)]
        tokens.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen(
            [
                str(Path(sys.executable).with_name("websockify")),
                "--token-plugin", "ReadOnlyTokenFile", "--token-source", str(tokens),
                *self.web,
                f"127.0.0.1:{self.port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        listening = f"0100007F:{self.port:04X} 00000000:0000 0A"
        wait_until(lambda: listening in Path("/proc/net/tcp").read_text(), 15, "websockify")
        return self

    def __exit__(self, *_: object) -> None:
        children = cpu.tree(self.process.pid) - {self.process.pid}
        self.process.terminate()
        self.process.wait(10)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 10, "gone")
        self.folder.cleanup()

    def target(self, screen: int) -> dict:
        return {
            "host": "127.0.0.1", "port": self.port, "path": f"/?token=t{screen}",
            "protocols": ["binary"], "origin": "http://127.0.0.1",
        }  # fmt: skip

    def pids(self) -> set[int]:
        return cpu.tree(self.process.pid)


class Bare:
    """The least that a relay in Python can do, without WebSockets: see `bare_relay`."""

    name = BARE

    def __init__(self, ports: list[int]) -> None:
        self.targets = ports

    def __enter__(self) -> "Bare":
        command = [sys.executable, "-m", "tests.bench.bare_relay", *map(str, self.targets)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.ports = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=10)

    def target(self, screen: int) -> dict:
        return {"host": "127.0.0.1", "port": self.ports[screen]}

    def pids(self) -> set[int]:
        return {self.process.pid}


class Pinger:
    """One screen, blocking: a pointer event there, one pixel back."""

    def __init__(self, where: dict) -> None:
        self.screen = Screen(where)
        select.select([], [self.screen.socket], [], 10)
        self.screen.socket.settimeout(10)
        self.screen.begin()
        while not self.screen.ready_at:
            self.screen.receive()

    def ping(self, times: int) -> list[float]:
        """Round trips in milliseconds."""
        link = self.screen.socket
        event = masked(2, POINTER) if self.screen.is_websocket else POINTER
        found = []
        for _ in range(times):
            time.sleep(PING_SECONDS)
            began = time.perf_counter()
            link.send(event)
            got = 0
            while got < PIXEL_BYTES:
                data = link.recv(65536)
                assert data, "the screen was closed"
                got += len(data)
            found.append(1000 * (time.perf_counter() - began))
        return found

    def close(self) -> None:
        self.screen.socket.close()


class Turn:
    """One turn of one side: everything that was chosen, with the same 40 screens open."""

    def __init__(self, side: Ours | Stock | Bare, source: SourceProcess, chosen) -> None:
        self.side, self.source, self.chosen = side, source, chosen
        self.count = chosen.screens
        self.last = self.count - 1
        self.figures: dict[str, float] = {}

    def run(self) -> dict[str, float]:
        before = cpu.pss_mib(self.side.pids())
        with ReaderProcess() as reader:
            targets = [self.side.target(screen) for screen in range(self.count)]
            opened = reader.ask(open=targets)
            self.pids = self.side.pids()
            time.sleep(0.5)
            self.figures["opening ms"] = opened["banner_ms"]
            self.figures["opening whole ms"] = opened["ready_ms"]
            after = cpu.pss_mib(self.pids)
            self.figures["memory MiB a screen"] = (after - before) / self.count
            if "paced" in self.chosen.only:
                self.paced(reader)
            if "roundtrip" in self.chosen.only:
                self.roundtrip()
            self.source.tell("quiet", 0, self.last)
            if (
                "stalled" in self.chosen.only
            ):  # first: memory once used is not seen to be used again
                self.stalled()
            if "saturated" in self.chosen.only:
                self.saturated(reader)
            self.source.tell("quiet", 0, self.last)
            reader.ask(close=True)
        self.settle(len(targets))
        return self.figures

    def settle(self, opened: int) -> None:
        """websockify's children have to end before the next turn is measured."""
        if isinstance(self.side, Stock):
            wait_until(lambda: len(self.side.pids()) == 1, 15, "its children end")
        else:
            time.sleep(0.5)

    def paced(self, reader: ReaderProcess) -> None:
        self.source.tell("paced", 0, self.last)
        time.sleep(0.5)
        used, moved, elapsed = self.during(reader, self.chosen.seconds)
        self.figures["paced CPU %"] = 100 * used / elapsed
        self.figures["paced MB/s"] = moved / elapsed / 1e6

    def saturated(self, reader: ReaderProcess) -> None:
        self.source.tell("saturated", 0, self.last)
        time.sleep(0.5)
        used, moved, elapsed = self.during(reader, self.chosen.seconds)
        self.figures["saturated CPU s/GB"] = used / (moved / 1e9)
        self.figures["saturated MB/s"] = moved / elapsed / 1e6
        self.source.tell("quiet", 0, self.last)
        self.drain(reader)

    def during(self, reader: ReaderProcess, seconds: float) -> tuple[float, float, float]:
        """CPU seconds, bytes and seconds of a stretch of time."""
        first, before = reader.ask(count=True), cpu.cpu(self.pids)
        time.sleep(seconds)
        after, last = cpu.cpu(self.pids), reader.ask(count=True)
        assert last["dead"] == 0, f"{last['dead']} screens were closed"
        moved = sum(last["bytes"]) - sum(first["bytes"])
        return cpu.seconds(before, after), moved, last["at"] - first["at"]

    def drain(self, reader: ReaderProcess) -> None:
        """What is under way arrives before the next part begins."""
        last = -1
        while (now := sum(reader.ask(count=True)["bytes"])) != last:
            last = now
            time.sleep(0.3)

    def roundtrip(self) -> None:
        self.source.tell("paced", 0, self.last)
        direct = Pinger({"host": "127.0.0.1", "port": self.source.ports[self.count]})
        pinger = Pinger(self.side.target(self.count))
        straight: list[float] = []
        found: list[float] = []
        for _ in range(4):
            straight += direct.ping(self.chosen.pings // 4)
            found += pinger.ping(self.chosen.pings // 4)
        self.figures["direct p50 ms"] = statistics.median(straight)
        self.figures["direct p99 ms"] = percentile(straight, 0.99)
        self.figures["round trip p50 ms"] = statistics.median(found)
        self.figures["round trip p99 ms"] = percentile(found, 0.99)
        self.figures["added p50 ms"] = statistics.median(found) - statistics.median(straight)
        direct.close()
        pinger.close()

    def stalled(self) -> None:
        """One screen more reads nothing and its server sends all it can."""
        self.source.tell("paced", 0, self.last)
        pinger = Pinger(self.side.target(self.count))
        silent = Pinger(self.side.target(self.count + 1))
        alone = pinger.ping(self.chosen.pings // 2)
        pids = self.side.pids()
        held = [before := cpu.pss_mib(pids)]
        self.source.tell("saturated", self.count + 1, self.count + 1)
        for _ in range(self.chosen.stall_samples):
            time.sleep(0.2)
            held.append(cpu.pss_mib(pids))
        beside = pinger.ping(self.chosen.pings // 2)
        held.append(cpu.pss_mib(pids))
        self.figures["stalled held MiB"] = max(held) - before
        self.figures["stalled others p50 ratio"] = statistics.median(beside) / statistics.median(
            alone
        )
        pinger.close()
        silent.close()
        self.source.tell("quiet", 0, self.count + 1)


ROWS = (
    ("opening ms", "ms until 40 screens have 101 and the RFB banner"),
    ("opening whole ms", "ms until 40 screens have their ServerInit"),
    ("memory MiB a screen", "MiB a screen (PSS)"),
    ("paced CPU %", "40 × 30/s × 2 KB: % of a core"),
    ("paced MB/s", "– bytes that arrived, MB/s"),
    ("saturated CPU s/GB", "40 saturated: CPU s per GB"),
    ("saturated MB/s", "– bytes that arrived, MB/s (soft)"),
    ("direct p50 ms", "round trip without a gateway, p50 ms"),
    ("direct p99 ms", "round trip without a gateway, p99 ms"),
    ("round trip p50 ms", "round trip, 40 paced running, p50 ms"),
    ("round trip p99 ms", "round trip, 40 paced running, p99 ms"),
    ("added p50 ms", "added round trip p50 ms"),
    ("stalled held MiB", "one browser stops reading: most MiB held"),
    ("stalled others p50 ratio", "– round trip of the others, against before"),
)

NOT_BARE = ("opening ms", "opening whole ms", "memory MiB a screen", "stalled held MiB")


def tables(figures: dict) -> list[Table]:
    sides = figures["sides"]
    rows = [[
        "40 screens, median of the turns", OURS, STOCK, "ratio of the turns [from to]",
        BARE, "the loop's ratio",
    ]]  # fmt: skip
    for key, label in ROWS:
        turns = {name: [turn.get(key) for turn in sides[name]] for name in sides}
        if turns[OURS][0] is None:
            continue
        is_bare = key not in NOT_BARE
        middle = max if key == "stalled held MiB" else median
        rows.append([
            label, figure(middle(turns[OURS])), figure(middle(turns[STOCK])),
            ratio(key, turns[OURS], turns[STOCK]),
            figure(middle(turns[BARE])) if is_bare else "",
            ratio(key, turns[BARE], turns[STOCK]) if is_bare else "",
        ])  # fmt: skip
    return [Table("relay: the product against stock websockify", rows)]


def ratio(key: str, ours: list[float], stock: list[float]) -> str:
    """How many times less than websockify; nothing where the figures are about nothing."""
    ratios = [b / a for a, b in zip(ours, stock, strict=True) if min(a, b) > LEAST]
    if len(ratios) < len(ours) or "direct" in key or "MB/s" in key:
        return ""
    return f"{figure(statistics.median(ratios))} [{figure(min(ratios))} {figure(max(ratios))}]"


def measure(chosen) -> dict:
    sides: dict[str, list[dict[str, float]]] = {OURS: [], STOCK: [], BARE: []}
    with (
        SourceProcess("tests.bench.rfb_source", "--screens", str(chosen.screens + 2)) as source,
        Ours(source.ports) as ours,
        Stock(source.ports) as stock,
        Bare(source.ports) as bare,
    ):
        for _ in range(chosen.rounds):
            for side in (ours, stock, bare):
                sides[side.name].append(Turn(side, source, chosen).run())
    return {"screens": chosen.screens, "rounds": chosen.rounds, "sides": sides}


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--screens", type=int, default=40)
    parser.add_argument("--pings", type=int, default=800)
    chosen = parser.parse_args()
    chosen.only = set(chosen.only.split(","))
    chosen.stall_samples = 15
    if unknown := chosen.only - set(PARTS):
        parser.error(f"unknown parts {unknown}; known: {', '.join(PARTS)}")
    if chosen.quick:
        chosen.rounds, chosen.seconds, chosen.screens, chosen.pings = 1, 0.5, 5, 40
        chosen.stall_samples = 2
    report.publish("relay", chosen, measure(chosen), tables)


if __name__ == "__main__":
    main()
