"""The audit of a school year: 100,000 events searched, appended and verified.

`python -m tests.bench.audit [--events 100000]`: a database of its own on the disk, filled through
the program's own `append`: 2,000 people, 300 workstations, 300 days. Each search is what the page
does: the ids of 50 rows from the indexes, then the rows.
"""

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from eop.audit import chain, search, verification
from eop.audit.chain import Entry
from eop.audit.search import OLDEST, Criteria
from eop.database import Database, upgrade
from tests.bench import report
from tests.bench.report import Table, figure, median, percentile

PEOPLE, WORKSTATIONS, DAYS = 2000, 300, 300
DAY_MS = 24 * 3600 * 1000
TOGETHER = 500  # events of one transaction, as the worker stores what the daemon journalled
PROBES = 40  # searches of each kind, each for someone or something else
ALONE = 300  # events appended each in a transaction of its own, as a sign-in does
SEED = 8788


def entries(count: int) -> list[Entry]:
    """A year: people come and go, teachers look, some walls show a whole class."""
    chance = random.Random(SEED)
    made = []
    for number in range(count):
        at = number * DAYS * DAY_MS // count
        person, other = (f"user{chance.randrange(PEOPLE)}" for _ in range(2))
        place = chance.randrange(WORKSTATIONS)
        seat = {
            "workstation": f"pc-{place}",
            "room": f"S{place // 30}",
            "look": f"{number // 2:016x}",
        }
        match chance.randrange(10):
            case 0 | 1 | 2:
                made.append(
                    Entry(
                        at,
                        "signed_in",
                        person,
                        f"{number:064x}",
                        details={"address": "10.1.2.3", "authenticator": "ldap"},
                    )
                )
            case 3:
                made.append(Entry(at, "signed_out", person, f"{number:064x}"))
            case 4:
                logins = " ".join(f"user{chance.randrange(PEOPLE)}" for _ in range(30))
                made.append(
                    Entry(
                        at,
                        "wall_opened",
                        person,
                        f"{number:064x}",
                        details={"room": "S12", "watched": logins},
                    )
                )
            case 5:
                made.append(
                    Entry(
                        at,
                        "sign_in_failed",
                        person,
                        details={"address": "10.1.2.3", "reason": "wrong"},
                    )
                )
            case _:
                kind = "screen_opened" if number % 2 else "screen_closed"
                made.append(
                    Entry(
                        at,
                        kind,
                        person,
                        f"{number:064x}",
                        f"w{place}",
                        {**seat, "watched": other, "mode": "view", "name": "Camille Lefèvre"},
                        number,
                    )
                )
    return made


def fill(database: Database, count: int) -> float:
    """Events per second, in transactions of `TOGETHER`."""
    made = entries(count)
    began = time.perf_counter()
    for first in range(0, count, TOGETHER):
        with database.write() as connection:
            chain.append(connection, made[first : first + TOGETHER])
    return count / (time.perf_counter() - began)


def append_alone(database: Database) -> list[float]:
    """Milliseconds for a transaction that appends one event."""
    taken = []
    for number in range(ALONE):
        began = time.perf_counter()
        with database.write() as connection:
            chain.append(connection, [Entry(DAYS * DAY_MS + number, "signed_in", "camille")])
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def searches() -> dict[str, Callable[[int], tuple[Criteria, dict]]]:
    """What is searched: each takes the number of the probe."""

    def month(number: int) -> dict[str, int]:
        begins = number * (DAYS - 30) // PROBES * DAY_MS
        return {"from_ms": begins, "until_ms": begins + 30 * DAY_MS}

    def person(number: int, **more) -> Criteria:
        return Criteria(persons=(f"user{number * 31 % PEOPLE}",), **more)

    kinds = ("screen_opened", "wall_opened", "sign_in_failed", "audit_purged")
    return {
        "newest page": lambda n: (Criteria(), {}),
        "person (who or whom) and a month": lambda n: (person(n, **month(n)), {}),
        "whom, screens alone": lambda n: (person(n, part="whom", kinds=kinds[:1]), {}),
        "twenty persons of one name": lambda n: (
            Criteria(persons=tuple(f"user{n + k}" for k in range(20))),
            {},
        ),
        "kind": lambda n: (Criteria(kinds=(kinds[n % 4],)), {}),
        "workstation": lambda n: (Criteria(workstations=(f"w{n * 7 % WORKSTATIONS}",)), {}),
        "workstation, a rare kind": lambda n: (
            Criteria(workstations=(f"w{n}",), kinds=("action",)),
            {},
        ),
        "a month": lambda n: (Criteria(**month(n)), {}),
        "last page of everything": lambda n: (Criteria(), {"after": OLDEST}),
        "last page of a kind": lambda n: (Criteria(kinds=(kinds[n % 3],)), {"after": OLDEST}),
    }


def search_all(database: Database) -> dict[str, dict[str, float]]:
    found = {}
    for name, make in searches().items():
        taken = []
        for number in range(PROBES):
            wanted, options = make(number)
            began = time.perf_counter()
            with database.read() as connection:
                search.search(connection, wanted, **options)
            taken.append((time.perf_counter() - began) * 1000)
        found[name] = {"p50 ms": median(taken), "worst ms": max(taken)}
    return found


def verify(database: Database) -> float:
    began = time.perf_counter()
    with database.snapshot() as connection:
        outcome = verification.verify(connection)
    assert outcome.damage is None, outcome.damage
    return time.perf_counter() - began


def measure(events: int) -> dict:
    with tempfile.TemporaryDirectory(prefix="eop-", dir="/tmp") as folder:
        url = f"sqlite:///{folder}/eop.db"
        upgrade(url)
        database = Database(url)
        together = fill(database, events)
        found = search_all(database)
        alone = append_alone(database)
        seconds = verify(database)
        database.close()
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
    return {
        "events": events, "searches": found, "together a second": together,
        "alone ms": {"p50": median(alone), "p95": percentile(alone, 0.95)},
        "verify s": seconds, "MiB": size / 2**20,
    }  # fmt: skip


def tables(figures: dict) -> list[Table]:
    rows = [["search", "p50", "worst of 40"]]
    for name, taken in figures["searches"].items():
        rows.append([name, figure(taken["p50 ms"], "ms"), figure(taken["worst ms"], "ms")])
    events = f"{figures['events']:,}"
    other = [
        ["what", "figure"],
        ["append, 500 in a transaction", figure(figures["together a second"], "events/s")],
        ["append, one in a transaction: p50", figure(figures["alone ms"]["p50"], "ms")],
        ["append, one in a transaction: p95", figure(figures["alone ms"]["p95"], "ms")],
        [f"verify {events} events", figure(figures["verify s"], "s")],
        ["the database with its indexes", figure(figures["MiB"], "MiB")],
    ]
    return [
        Table(f"audit: one page of 50 out of {events} events", rows),
        Table("audit: writing and verifying", other),
    ]


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.events = 2000
    report.publish("audit", chosen, measure(chosen.events), tables)


if __name__ == "__main__":
    main()
