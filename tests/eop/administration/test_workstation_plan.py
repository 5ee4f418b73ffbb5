from eop.administration import workstation_plan
from eop.administration.workstation_csv import Row
from eop.administration.workstation_plan import Difference
from tests.eop.administration.test_workstation_csv import PIN, workstation

KNOWN = [workstation("pc-01", user="zoe"), workstation("pc-02"), workstation("pc-09")]


def row(name, **changes):
    values = {"room": "S12", "address": "pc-01:5900", "password": None, "user": None}
    return Row(2, name, **{**values, **changes})


def plan(*rows):
    return workstation_plan.make(rows, KNOWN)


def test_each_line_adds_changes_or_keeps_and_nothing_is_removed():
    made = plan(row("pc-01"), row("pc-02", room="S14"), row("pc-03"))
    assert [one.kind for one in made.changes] == ["keep", "change", "add"]
    assert made.of("change")[0].differences == (Difference("room", "S12", "S14"),)
    assert [one.row.name for one in made.requests] == ["pc-02", "pc-03"]
    assert made.others == 1


def test_who_sits_there_stays_unless_the_file_says_otherwise():
    kept, nobody, other = (plan(row("pc-01", user=user)).changes[0] for user in (None, "", "malo"))
    assert (kept.kind, kept.user) == ("keep", "zoe")
    assert (nobody.user, nobody.differences) == (None, (Difference("user", "zoe", ""),))
    assert other.request("carla").user == "malo"


def test_a_password_is_always_a_change_and_its_value_is_in_the_request_alone():
    (change,) = plan(row("pc-01", password="hush")).changes
    assert change.differences == (Difference("password", "", ""),)
    assert change.request("carla").password == "hush"
    assert "hush" not in repr(change.differences)


def test_a_request_replaces_only_what_was_there():
    added, changed = plan(row("pc-03"), row("pc-02", room="S14")).requests
    assert (added.request("carla").replace, changed.request("carla").replace) == (False, True)
    assert changed.request("carla").by == "carla"


def test_the_digest_changes_with_anything_that_would_be_done():
    lines = [row("pc-02", room="S14", password="a")]
    same = workstation_plan.make(lines, KNOWN).digest
    assert workstation_plan.make(lines, list(KNOWN)).digest == same
    moved = [workstation("pc-01"), workstation("pc-02", room="S13"), workstation("pc-09")]
    assert workstation_plan.make(lines, moved).digest != same
    assert plan(row("pc-02", room="S14", password="b")).digest != same


def test_whom_we_sign_in_as_and_what_the_server_is_known_by_stay_unless_the_file_says():
    known = [workstation("pc-01", vnc_user="eop", trust=PIN)]
    (kept,) = workstation_plan.make([row("pc-01")], known).changes
    assert kept.kind == "keep"
    (changed,) = workstation_plan.make(
        [row("pc-01", vnc_user="", trust=PIN[:-1] + "b")], known
    ).changes
    assert changed.differences == (
        Difference("vnc_user", "eop", ""),
        Difference("trust", PIN, PIN[:-1] + "b"),
    )
    request = changed.request("carla")
    assert (request.vnc_user, request.trust) == ("", PIN[:-1] + "b")
