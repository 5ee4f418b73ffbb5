import csv
import io
import json
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eop.audit.chain import Entry
from tests.eop.audit.school import DAY_MS, rows, tamper, write

DOCUMENT = Path(__file__).parents[3] / "docs/privacy.md"


@pytest.fixture
def kept(quiet):
    """An old event and three new ones."""
    now = int(time.time() * 1000)
    look = {"watched": "zoe.martin", "workstation": "pc-01", "mode": "view"}
    write(
        quiet.parts.database,
        Entry(now - 400 * DAY_MS, "signed_in", "camille"),
        Entry(now, "screen_opened", "camille", "s", "w1", look),
        Entry(now, "signed_out", "camille"),
        Entry(now, "signed_out", "éloïse", details={"text": "=1+1\n"}),
    )
    return quiet


def test_a_whole_audit_is_told_with_what_to_note(kept, eopctl):
    done = eopctl("audit", "verify")
    assert done.code == 0
    noted = done.out.splitlines()[-1]
    assert re.fullmatch(r"4:[0-9a-f]{64}", noted)
    assert eopctl("audit", "verify", "--known", noted).code == 0
    found = eopctl("audit", "verify", "--json").json
    assert (found["whole"], found["rows"], found["damage"]) == (True, 4, None)


def test_a_broken_audit_fails_and_says_which_row_and_why(kept, eopctl):
    tamper(kept.parts.database, "DELETE FROM audit WHERE id = 3")
    done = eopctl("audit", "verify")
    assert done.code == 1
    assert done.out == "row 3: removed: rows 3 to 3 are missing\n"
    done = eopctl("audit", "verify", "--json")
    assert (done.code, done.json["damage"]["row"], done.json["damage"]["what"]) == (1, 3, "removed")


@pytest.mark.parametrize("known", ["4", "4:abc", "x:" + "0" * 64])
def test_what_was_noted_must_look_like_it(kept, eopctl, known):
    assert eopctl("audit", "verify", "--known", known).code == 2


def test_another_hash_than_the_one_noted_fails(kept, eopctl):
    assert eopctl("audit", "verify", "--known", "4:" + "0" * 64).code == 1


def test_events_are_listed_the_newest_first(kept, eopctl):
    done = eopctl("audit", "list", "--limit", "2", "--json")
    assert [one["id"] for one in done.json] == [4, 3]
    found = eopctl("audit", "list", "--person", "zoe.martin", "--part", "whom", "--json").json
    assert [one["kind"] for one in found] == ["screen_opened"]
    found = eopctl("audit", "list", "--workstation", "w1", "--kind", "look", "--json").json
    assert [one["id"] for one in found] == [2]
    assert "watched=zoe.martin" in eopctl("audit", "list").out


@pytest.mark.parametrize("wrong", [("--kind", "none"), ("--from", "today"), ("--limit", "10001")])
def test_a_filter_that_means_nothing_is_wrong_usage(kept, eopctl, wrong):
    assert eopctl("audit", "list", *wrong).code == 2


def test_an_export_is_a_new_private_file_and_an_event(kept, eopctl, tmp_path):
    file = tmp_path / "audit.csv"
    done = eopctl("audit", "export", "--format", "csv", "--output", file)
    assert (done.code, done.out) == (0, f"4 events in {file}\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(encoding="utf-8", newline="") as opened:
        found = list(csv.DictReader(opened))
    assert [row["user"] for row in found] == ["camille", "camille", "camille", "éloïse"]
    event = rows(kept.parts.database)[-1]
    assert (event.kind, event.details["rows"]) == ("audit_exported", 4)
    assert event.user.startswith("eopctl:")
    again = eopctl("audit", "export", "--output", file)
    assert again.code == 1
    assert "File exists" in again.err


def test_some_days_are_exported(kept, eopctl, tmp_path):
    today = time.strftime("%Y-%m-%d")
    file = tmp_path / "today.jsonl"
    done = eopctl("audit", "export", "--from", today, "--to", today, "--output", file, "--json")
    assert done.json["rows"] == 3


def test_what_is_kept_of_one_person_is_exported(kept, eopctl, tmp_path):
    file = tmp_path / "zoe.jsonl"
    eopctl("audit", "export", "--person", "zoe.martin", "--output", file)
    assert [json.loads(line)["id"] for line in file.read_text().splitlines()] == [2]
    assert rows(kept.parts.database)[-1].details["filters"] == {"person": "zoe.martin"}


def documented_check(file):
    """The program that docs/privacy.md gives to third parties."""
    block = re.search(r"```python\n(# verify an export.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return subprocess.run(
        [sys.executable, "-c", block[1], str(file)], capture_output=True, text=True, timeout=30
    )


def test_a_third_party_verifies_an_export_with_python_alone(kept, eopctl, tmp_path):
    file = tmp_path / "audit.jsonl"
    eopctl("audit", "export", "--output", file)
    done = documented_check(file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("whole: rows 1 to 4, the last hash is ")
    lines = file.read_text().splitlines()
    third = json.loads(lines[2]) | {"user": "malo"}
    file.write_text("\n".join([*lines[:2], json.dumps(third), lines[3]]) + "\n")
    assert documented_check(file).stderr == "row 3 was changed\n"
    file.write_text("\n".join([*lines[:2], lines[3]]) + "\n")
    assert documented_check(file).stderr == "row 4 does not follow the one before it\n"


def test_a_purge_asks_and_removes_what_is_too_old(kept, eopctl, monkeypatch):
    dry = eopctl("audit", "purge", "--dry-run", "--json")
    assert dry.json == {"removed": 1, "last_id": 1, "days": 365, "dry_run": True}
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert eopctl("audit", "purge").code == 1
    assert rows(kept.parts.database)[0].id == 1
    done = eopctl("audit", "purge", "--yes")
    assert (done.code, done.out) == (0, "removed 1 events\n")
    assert rows(kept.parts.database)[-1].kind == "audit_purged"
    assert eopctl("audit", "verify").code == 0
    assert eopctl("audit", "purge", "--yes", "--days", "401", "--json").json["removed"] == 0


def test_a_purge_of_no_day_at_all_is_wrong_usage(kept, eopctl):
    assert eopctl("audit", "purge", "--days", "0").code == 2
