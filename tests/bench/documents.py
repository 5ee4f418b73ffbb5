"""A document for a class: uploaded, distributed, looked at, collected, given back, cleaned up.

`python -m tests.bench.documents [--students 30] [--megabytes 10]`. Each step is said as the site's
worker says it, over 8788 and one after the other; the process of documents copies and syncs. Files
are on the disk of /tmp.
"""

import hashlib
import os
import secrets
import time

from controle_vnc import settings as shared_settings
from controle_vnc.control import messages as m
from controle_vnc.control.client import ControlClient
from tests.bench import report
from tests.bench.report import Table, figure, median
from tests.stack import Stack

MB = 1_000_000
STEPS = ("upload", "distribute", "look", "collect", "collect again", "give back", "clean up")
EVERYTHING: list[m.What] = ["documents", "annexes", "notice", "corrections", "collected"]


def upload(client: ControlClient, data: bytes) -> m.File:
    """Bring it there in parts, as a browser's upload comes, and prove it whole."""
    name, digest = secrets.token_hex(16), hashlib.sha256(data).hexdigest()
    for offset in range(0, len(data), m.MAX_PART_BYTES):
        part = data[offset : offset + m.MAX_PART_BYTES]
        client.request(m.KeepPart(upload=name, offset=offset, data=part))
    client.request(m.CheckUpload(upload=name, size=len(data), sha256=digest))
    return m.File(name, "document.odt", len(data), digest)


def one_turn(client: ControlClient, students: int, size: int) -> dict[str, float]:
    """Seconds of each step, for the whole class."""
    key, folder = secrets.token_hex(16), f"TP {secrets.token_hex(4)}"
    logins = [f"student{number}" for number in range(students)]
    found: dict[str, float] = {}

    def timed(name, work):
        began = time.perf_counter()
        result = work()
        found[name] = time.perf_counter() - began
        return result

    def each(make, **more):
        where = {"teacher": "teacher", "folder": folder, "owner_key": key, **more}
        return [client.request(make(login=login, **where)) for login in logins]

    file = timed("upload", lambda: upload(client, os.urandom(size)))
    placed = timed("distribute", lambda: each(m.PlaceDocument, files=[file]))
    assert not any(one.was_there for one in placed)
    look = m.LookAtDocument(logins=logins, teacher="teacher", folder=folder, owner_key=key)
    assert len(timed("look", lambda: client.request(look)).looks) == students
    notice = {"notice_name": "collected.txt", "notice": "collected"}
    collected = timed("collect", lambda: each(m.CollectDocument, round=1, **notice))
    assert sum(one.copied for one in collected) == students
    again = timed("collect again", lambda: each(m.CollectDocument, round=2, **notice))
    assert sum(one.copied for one in again) == 0
    timed("give back", lambda: each(m.ReturnDocument, round=1))
    timed("clean up", lambda: each(m.RemoveDocument, what=EVERYTHING))
    client.request(m.DropUpload(upload=file.upload))
    return found


def measure(chosen) -> dict:
    with Stack(workstations=0) as stack:
        os.environ["EOP_HOME"] = str(stack.home)
        settings = shared_settings.load(stack.environment)
        secret = shared_settings.read_secret(settings.secret_file)
        with ControlClient(settings, secret) as client:
            turns = [
                one_turn(client, chosen.students, int(chosen.megabytes * MB))
                for _ in range(chosen.rounds)
            ]
    return {"students": chosen.students, "megabytes": chosen.megabytes, "turns": turns}


def tables(figures: dict) -> list[Table]:
    rows = [["step", "seconds", "slowest, s"]]
    for name in STEPS:
        taken = [turn[name] for turn in figures["turns"]]
        rows.append([name, figure(median(taken)), figure(max(taken))])
    title = f"documents: {figures['megabytes']:g} MB for {figures['students']} students"
    return [Table(title, rows)]


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.students, chosen.megabytes, chosen.rounds = 3, 1, 1
    report.publish("documents", chosen, measure(chosen), tables)


if __name__ == "__main__":
    main()
