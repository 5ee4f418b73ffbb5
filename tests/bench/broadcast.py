"""One busy desktop with 1, 10 and 40 viewers, through the product and through stock websockify.

`python -m tests.bench.broadcast [--viewers 1,10,40] [--seconds 6] [--rounds 2]`. The desktop is an
Xvnc of 1280×720 with a page that scrolls all the time and a video of 640×360, 25 pictures a
second. A viewer asks as noVNC does (Tight, quality 6), one request at a time. The product passes
the first one through and decodes for the others. Then one viewer more, which asks and never
reads: the first (passed through) or the last (decoded).
"""

import time

from tests.bench import cpu, report
from tests.bench.classroom import PASSWORD, Classroom, Costs
from tests.bench.product import Product, target
from tests.bench.relay import OURS, STOCK, Stock
from tests.bench.report import Table, figure, median
from tests.bench.ws_client import ReaderProcess

KINDS = ["page_and_video"]
SETTLE_SECONDS = 2.0


class Ours:
    """The product with that one workstation."""

    def __init__(self, stack: Product, workstation: str) -> None:
        self.stack, self.workstation = stack, workstation
        self.api = stack.sign_in()

    def target(self) -> dict:
        where = target(self.api, kind="screen", workstation=self.workstation, mode="view")
        return {**where, "watches": True}

    def pids(self) -> set[int]:
        return self.stack.pids()


class Other:
    """websockify with that one desktop."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock

    def target(self) -> dict:
        return {**self.stock.target(0), "password": PASSWORD, "watches": True}

    def pids(self) -> set[int]:
        return self.stock.pids()


def one_turn(side, room: Classroom, viewers: int, stalled: int | None, seconds: float) -> dict:
    """The figures of so many viewers, and of one more that stalls: the first (0) or last (-1)."""
    count = viewers + (stalled is not None)
    with ReaderProcess() as reader:
        for _ in range(count):  # one by one: Xvnc counts handshakes at the same moment as failures
            reader.ask(open=[side.target()])
        silent = set()
        if stalled is not None:
            silent = {range(count)[stalled]}
            reader.ask(stall=list(silent))
        time.sleep(SETTLE_SECONDS)
        costs = Costs(server=side.pids(), desktop=room.pids)
        first = reader.ask(count=True)
        costs.start()
        time.sleep(seconds)
        found = costs.stop()
        last = reader.ask(count=True)
        elapsed = last["at"] - first["at"]
        rates = [
            (after - before) / elapsed
            for number, (before, after) in enumerate(
                zip(first["pictures"], last["pictures"], strict=True)
            )
            if number not in silent
        ]
        found["first, pictures/s"] = rates[0] if 0 not in silent else None
        others = rates if 0 in silent else rates[1:]
        found["others, pictures/s"] = median(others)
        found["slowest, pictures/s"] = min(rates)
        found["MB/s to viewers"] = (sum(last["bytes"]) - sum(first["bytes"])) / elapsed / 1e6
        found["memory MiB"] = cpu.pss_mib(side.pids())
        found["closed"] = last["dead"]
        reader.ask(close=True)
    time.sleep(1)
    return found


def measure(chosen) -> dict:
    counts = [int(count) for count in chosen.viewers.split(",")]
    plans = [(f"{count}", count, None) for count in counts]
    stalls = counts[len(counts) // 2]
    plans += [(f"{stalls} + first stalled", stalls, 0), (f"{stalls} + last stalled", stalls, -1)]
    found: dict[str, dict[str, list[dict]]] = {OURS: {}, STOCK: {}}
    with Classroom(KINDS) as room, Product() as stack, Stock(room.ports) as stock:
        (workstation,) = stack.register(room.ports, "BENCH", PASSWORD)
        sides = {OURS: Ours(stack, workstation), STOCK: Other(stock)}
        for _ in range(chosen.rounds):
            for label, viewers, stalled in plans:
                for name, side in sides.items():
                    turn = one_turn(side, room, viewers, stalled, chosen.seconds)
                    found[name].setdefault(label, []).append(turn)
    return {"seconds": chosen.seconds, "rounds": chosen.rounds, "sides": found}


def tables(figures: dict) -> list[Table]:
    found = []
    for name, turns in figures["sides"].items():
        rows = [["viewers", *next(iter(turns.values()))[0]]]
        for label, each in turns.items():
            rows.append([label, *(figure(median(turn[key] for turn in each)) for key in each[0])])
        found.append(Table(f"broadcast: {name}", rows))
    return found


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--viewers", default="1,10,40")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.viewers, chosen.seconds, chosen.rounds = "3", 1, 1
    report.publish("broadcast", chosen, measure(chosen), tables)


if __name__ == "__main__":
    main()
