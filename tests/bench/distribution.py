"""What it takes to give a 10 MB document to 30 students, and to collect it from them.

`python -m tests.bench.distribution [--students 30] [--megabytes 10] [--rounds 5]`. Time runs from
the request to the moment at which the job is over; every 50 ms the API is asked how far it is, as a
page asks. Beside it the same copies by a bare loop that writes and syncs each, on the same disk.
"""

import os
import shutil
import time
from pathlib import Path

from tests.bench import report
from tests.bench.report import Table, figure, median
from tests.desktops import wait_until
from tests.journeys.test_documents_cut import send_up
from tests.stack import Stack

ASK_SECONDS = 0.05
DEADLINE_SECONDS = 120
CLASS = "BENCH"
SHOWN = {
    "sent up s": "sent up, s",
    "given s": "given to all, s",
    "first s": "first one has it, s",
    "steps seen": "steps of progress seen",
    "collected s": "collected from all, s",
    "bare s": "bare copies, s",
}


def followed(api, number: str) -> tuple[float, float, int]:
    """Wait until the newest job is over: when, when its first step was, and how many were seen."""
    began, first, seen = time.monotonic(), None, set()
    job = api.get(f"documents/{number}").json()["jobs"][0]
    while job["state"] == "open":
        assert time.monotonic() - began < DEADLINE_SECONDS, job
        time.sleep(ASK_SECONDS)
        job = api.get(f"document-jobs/{job['id']}").json()
        seen.add(job["done"])
        if first is None and job["done"]:
            first = time.monotonic() - began
    assert not job["failed"], job
    return time.monotonic() - began, first or 0.0, len(seen)


def bare(folder: Path, data: bytes, students: int) -> float:
    """The same copies by a loop."""
    folder.mkdir()
    began = time.monotonic()
    for number in range(students):
        with (folder / f"{number}").open("wb") as file:
            file.write(data)
            os.fsync(file.fileno())
    took = time.monotonic() - began
    shutil.rmtree(folder)
    return took


def one_round(stack: Stack, api, turn: int, chosen) -> dict[str, float]:
    data = os.urandom(chosen.megabytes * 1_000_000)
    began = time.monotonic()
    upload = send_up(api, data, "document.bin")
    sent = time.monotonic() - began
    body = {"reference": f"Bench {turn}-", "class": CLASS, "files": [{"upload": upload}]}
    began = time.monotonic()
    answer = api.post("documents", body)
    assert answer.status_code == 201, answer.text
    number, asked = answer.json()["id"], time.monotonic() - began
    given, first, steps = followed(api, number)
    began = time.monotonic()
    assert api.post(f"documents/{number}/collect", {}).status_code == 202
    asked_again = time.monotonic() - began
    collected, _, _ = followed(api, number)
    return {
        "sent up s": sent,
        "given s": asked + given,
        "first s": asked + first,
        "steps seen": float(steps),
        "collected s": asked_again + collected,
        "bare s": bare(stack.home / "bare", data, chosen.students),
    }


def measure(chosen) -> dict:
    students = [f"bench{number:03}" for number in range(chosen.students)]
    with Stack() as stack:
        for login in (*students, stack.login):
            (stack.home / "homes" / login).mkdir(parents=True)
        stack.eopctl("class", "add", CLASS, "--users", ",".join(students))
        api = stack.sign_in()
        wait_until(lambda: api.get("documents").status_code == 200, 10, "the site answers")
        turns = [one_round(stack, api, turn, chosen) for turn in range(chosen.rounds)]
    return {"students": chosen.students, "megabytes": chosen.megabytes, "turns": turns}


def tables(figures: dict) -> list[Table]:
    rows = [["", "median", "worst"]]
    for name, shown in SHOWN.items():
        values = [turn[name] for turn in figures["turns"]]
        worst = min(values) if name == "steps seen" else max(values)
        rows.append([shown, figure(median(values)), figure(worst)])
    title = (
        f"distribution: {figures['megabytes']} MB to {figures['students']} students, "
        f"{len(figures['turns'])} times"
    )
    return [Table(title, rows)]


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--megabytes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.students, chosen.megabytes, chosen.rounds = 5, 1, 1
    report.publish("distribution", chosen, measure(chosen), tables)


if __name__ == "__main__":
    main()
