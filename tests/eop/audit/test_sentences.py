import ast
from pathlib import Path

import pytest

from eop.application import create_site
from eop.audit import sentences

ROOT = Path(__file__).parents[3]
RECORDERS = {"record", "_record", "_record_user", "_record_class", "Entry"}
PURGE = "audit_purged"


@pytest.fixture
def english(quiet):
    app = create_site(quiet.site, quiet.parts)
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def kinds_recorded():
    """The kinds named in calls that record an event, of the site and of the daemon."""
    for folder in ("eop", "controle_vnc"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if called in RECORDERS:
                    names = [one for one in node.args[:2] if isinstance(one, ast.Constant)]
                    yield from (
                        one.value for one in names if isinstance(one.value, str) and one.value
                    )


def test_every_kind_that_is_recorded_has_a_sentence():
    found = set(kinds_recorded())
    assert {"signed_in", "screen_opened", "workstation_removed", "account_added"} <= found
    assert found <= set(sentences.KINDS)
    assert PURGE in sentences.KINDS


def test_every_kind_has_a_known_group():
    assert {kind.group for kind in sentences.KINDS.values()} == set(sentences.GROUPS)


def test_no_kind_is_called_like_a_group_of_several():
    for group in sentences.GROUPS:
        members = [kind for kind, one in sentences.KINDS.items() if one.group == group]
        assert group not in sentences.KINDS or members == [group]


@pytest.mark.parametrize("details", [{}, {"room": 5, "seconds": "x", "code": None, "login": []}])
def test_details_that_are_missing_or_strange_break_no_sentence(english, details):
    for kind in sentences.KINDS:
        assert sentences.sentence(kind, details)
        assert sentences.name(kind)


@pytest.mark.parametrize(
    ("kind", "details", "told"),
    [
        ("signed_in", {"address": "192.0.2.1", "authenticator": "ldap"},
         "Signed in from 192.0.2.1 (ldap)."),
        ("sign_in_failed", {"address": "192.0.2.1", "reason": "disabled"},
         "Could not sign in from 192.0.2.1: the account is disabled."),
        ("sign_in_failed", {"address": "192.0.2.1", "reason": "new_one"},
         "Could not sign in from 192.0.2.1: new_one."),
        ("sign_in_failures_left_out", {"address": "192.0.2.1"},
         "More sign-ins failed from 192.0.2.1 than are listed here."),
        ("sign_in_locked", {"address": "192.0.2.1", "login": "zoe"},
         "Too many failures from 192.0.2.1: zoe cannot sign in for a while."),
        ("screen_opened", {"mode": "view", "workstation": "pc-01", "room": "S12"},
         "Looked at the screen of pc-01 (S12)."),
        ("screen_opened", {"mode": "control", "workstation": "pc-01"},
         "Took control of the screen of pc-01."),
        ("screen_closed", {"workstation": "pc-01", "seconds": 61, "code": "left"},
         "Left the screen of pc-01 after 1 minute: the page was closed."),
        ("screen_refused", {"workstation": "pc-01", "code": "no_route"},
         "The screen of pc-01 did not open: no route."),
        ("wall_opened", {"room": "S12"}, "Opened the wall of room S12."),
        ("wall_opened", {"class": "3e B", "users": 2}, "Opened the wall of class 3e B."),
        ("wall_opened", {"users": 2}, "Opened the wall of 2 persons."),
        ("wall_closed", {"room": "S12", "seconds": 5400, "code": "signed_out"},
         "Left the wall of room S12 after 1 h 30: signed out."),
        ("action", {"action": "lock", "workstation": "pc-01", "ok": True},
         "Did “lock” on pc-01."),
        ("account_removed", {"login": "zoe"}, "Removed the account zoe."),
        ("account_opened", {"login": "zoe"}, "Opened the account zoe to its password alone."),
        ("class_saved", {"class": "3e B", "added": ["zoe"], "removed": []},
         "Changed the class 3e B."),
        ("class_saved", {"class": "3e B"}, "Changed the class 3e B."),
        ("plan_saved", {"room": "S12", "version": 2, "seats": 24},
         "Changed the seating plan of room S12."),
        ("workstation_added", {"workstation": "pc-01", "room": "S12", "login": "zoe"},
         "Added the workstation pc-01 (S12)."),
        ("workstation_changed", {"workstation": "pc-01", "room": "S12", "changed": "user"},
         "Changed the workstation pc-01 (S12)."),
        ("workstation_changed",
         {"workstation": "pc-01", "room": "S12", "known": "", "shown": "any"},
         "Changed the workstation pc-01 (S12). What its VNC server is known by: any "
         "(before: nothing)."),
        ("workstation_trust_learnt", {"workstation": "pc-01", "room": "S12", "shown": "x509:1"},
         "The VNC server of pc-01 (S12) is remembered by x509:1."),
        ("workstation_key_changed",
         {"workstation": "pc-01", "room": "S12", "shown": "x509:2", "known": "x509:1"},
         "The VNC server of pc-01 (S12) shows x509:2. It is known by x509:1: nothing was sent to "
         "it."),
        ("audit_exported", {"rows": 1, "format": "csv"}, "Exported 1 event as csv."),
        (PURGE, {"removed": 7, "days": 365}, "Removed 7 events older than 365 days."),
        ("of_another_version", {"login": "zoe", "n": 1}, "of_another_version (login: zoe, n: 1)"),
        ("of_another_version", {}, "of_another_version"),
    ],
)  # fmt: skip
def test_an_event_is_a_sentence(english, kind, details, told):
    assert sentences.sentence(kind, details) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (3599, "60 minutes"),
     (3600, "1 h 00"), (7500, "2 h 05")],
)  # fmt: skip
def test_a_duration_is_told_as_people_say_it(english, seconds, told):
    assert sentences.duration(seconds) == told


def test_the_words_of_an_unknown_event_are_bounded(english):
    told = sentences.sentence("unknown", {"text": "x" * 1000})
    assert len(told) == sentences.MAX_WORDS_CHARACTERS
