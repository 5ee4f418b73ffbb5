"""What signing in costs, and what asking for the session costs every request, in both stores.

`python -m tests.bench.sign_in [--rounds 5]`. A school of 400 users and 500 live sessions. Sign-ins
go the whole path in one thread: throttle, password (argon2id), policy, session, audit. The check
is what every request pays before its page is made; then the same over gunicorn on loopback, one
connection, a page that needs nothing (`/ping`) with a session's cookie and without.
"""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from eop import application, services
from eop.aaa import guard, login, passwords
from eop.aaa.login import Credentials, Visit
from eop.aaa.session import Beginning
from eop.directory import users
from tests.bench import cpu, report
from tests.bench.report import Table, figure, median
from tests.desktops import wait_until
from tests.eop.installation import HASH, PASSWORD, Installation
from tests.redis_server import RedisServer

USERS, SESSIONS = 400, 500
CHECKS, REQUESTS = 300, 300  # a turn
STORES = ("database", "Redis")


@contextmanager
def school(store: str, redis_url: str) -> Iterator[Installation]:
    """An installation with so many users and sessions; `token` is one of them."""
    home = Installation()
    try:
        if store == "Redis":
            home.parts.close()
            home.site = replace(home.site, SESSION_STORE=redis_url)
            home.environ["EOP_SESSION_STORE"] = redis_url
            home.parts = services.make(home.site, home.shared, home.clock)
        now_ms, sessions = home.parts.now_ms(), home.parts.door.sessions
        with home.parts.database.write() as connection:
            for number in range(USERS):
                new = users.NewUser(f"user.{number}", "teacher", "A User", HASH, ("S1", "S2"))
                users.add(connection, new, now_ms)
            for number in range(SESSIONS):
                user = users.get(connection, f"user.{number % USERS}")
                begun = Beginning(user.id, user.login, "local", "192.0.2.1", "A browser")
                home.token, _ = sessions.start(connection, begun, now_ms)
        yield home
    finally:
        home.close()


def each(work: Callable[[], object], count: int) -> dict[str, float]:
    """Milliseconds of one, by the clock and on the processor (this thread's)."""
    wall, busy = time.perf_counter(), time.thread_time()
    for _ in range(count):
        work()
    return {
        "ms": (time.perf_counter() - wall) / count * 1e3,
        "CPU ms": (time.thread_time() - busy) / count * 1e3,
    }


def sign_ins(home: Installation, count: int) -> dict[str, float]:
    """The whole path of a right password, and the password's part of it."""
    door, numbers = home.parts.door, iter(range(count))

    def one() -> None:
        typed = Credentials(f"user.{next(numbers) % USERS}", PASSWORD)
        login.sign_in(door, typed, Visit(address="192.0.2.1"), home.parts.now_ms())

    found = each(one, count)
    found["argon2id CPU ms"] = each(lambda: passwords.matches(HASH, PASSWORD), count)["CPU ms"]
    found["a second and core"] = 1000 / found["CPU ms"]
    return found


def checks(home: Installation) -> dict[str, float]:
    """The check alone, without a server around it."""
    root = application.create_root(home.parts)
    with root.test_request_context("/ping"):
        guard._load_session(home.token)
        assert guard.who().login
        return each(lambda: guard._load_session(home.token), CHECKS)


@contextmanager
def served(home: Installation) -> Iterator[int]:
    """The port of a gunicorn before it; gives its process's number."""
    command = ["-m", "gunicorn", "-c", "python:eop.gunicorn_conf", "eop.wsgi:application"]
    process = subprocess.Popen([sys.executable, *command], env={**os.environ, **home.environ})
    try:
        wait_until(lambda: _answers(home), 20, "gunicorn")
        yield process.pid
    finally:
        process.terminate()
        process.wait(15)


def _answers(home: Installation) -> bool:
    try:
        return ask(http.client.HTTPConnection("127.0.0.1", home.shared.WEB_PORT), {}) == 200
    except OSError:
        return False


def ask(connection: http.client.HTTPConnection, headers: dict[str, str]) -> int:
    connection.request("GET", "/ping", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def requests(home: Installation, pid: int, headers: dict[str, str]) -> dict[str, float]:
    """One request after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", home.shared.WEB_PORT)
    pids = cpu.tree(pid)
    before = cpu.cpu(pids)
    found = each(lambda: ask(connection, headers), REQUESTS)
    found["CPU ms"] = cpu.seconds(before, cpu.cpu(pids)) / REQUESTS * 1e3
    connection.close()
    return found


def one_turn(home: Installation, pid: int, count: int) -> dict[str, float]:
    """Every figure once."""
    cookie = {"Cookie": f"eop_session={home.token}"}
    parts = {
        "sign-in": sign_ins(home, count),
        "check": checks(home),
        "request without": requests(home, pid, {}),
        "request with": requests(home, pid, cookie),
    }
    return {f"{part}, {name}": value for part, row in parts.items() for name, value in row.items()}


def measure(rounds: int, count: int) -> dict[str, list[dict[str, float]]]:
    """Turns of each store, alternating: what the machine does meanwhile hits both."""
    with RedisServer() as server, school(STORES[0], server.url) as first:  # noqa: SIM117
        with school(STORES[1], server.url) as second, served(first) as one, served(second) as two:
            sides = {STORES[0]: (first, one), STORES[1]: (second, two)}
            found: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
            for _ in range(rounds):
                for name, (home, pid) in sides.items():
                    found[name].append(one_turn(home, pid, count))
            return found


def tables(figures: dict) -> list[Table]:
    names = list(next(iter(figures["stores"].values()))[0])
    rows = [
        ["", *(f"{store}: {word}" for store in figures["stores"] for word in ("median", "best"))]
    ]
    for name in names:
        best = max if name.endswith("core") else min
        shown: list[str] = []
        for turns in figures["stores"].values():
            values = [turn[name] for turn in turns]
            shown += [figure(median(values)), figure(best(values))]
        rows.append([name, *shown])
    return [Table("sign_in: signing in, and the session of every request", rows)]


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    rounds, count = (1, 3) if chosen.quick else (chosen.rounds, 20)
    report.publish("sign_in", chosen, {"stores": measure(rounds, count)}, tables)


if __name__ == "__main__":
    main()
