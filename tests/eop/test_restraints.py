import pytest

from eop.aaa.identity import Identity
from eop.errors import NotFoundError
from eop.restraints import Means, Place, Restraints
from tests.fakes.restraint import Blinds

WHO = Identity("camille", "Camille", ("teacher",))
MEANS = Means(database=None, daemon=None, now_ms=5)


class Shutters(Blinds):
    kind = "shutters"


@pytest.fixture
def both():
    return Blinds(), Shutters()


def test_everything_in_force_is_told_the_oldest_first(both):
    blinds, shutters = both
    blinds.dropped["S12"], shutters.dropped["S12"] = ("camille", 9), ("roux", 3)
    found = Restraints(both).in_force(MEANS, WHO, Place("S12"))
    assert [(one.kind, one.by, one.may_lift) for one in found] == [
        ("shutters", "roux", False),
        ("blinds", "camille", True),
    ]
    assert Restraints(both).in_force(MEANS, WHO, Place("S14")) == []


def test_one_that_cannot_be_released_keeps_no_other_in_force(both, caplog):
    blinds, shutters = both
    blinds.dropped["S12"] = shutters.dropped["S12"] = ("camille", 1)
    blinds.fails = True
    released = Restraints(both).release(MEANS, "camille", Place("S12"))
    assert (released.counts, released.failed, released.total) == ({"shutters": 1}, ("blinds",), 1)
    assert "blinds of camille could not be released" in caplog.text
    assert "Traceback" not in caplog.text
    assert shutters.dropped == {}


def test_what_a_colleague_set_is_not_released(both):
    both[0].dropped["S12"] = ("roux", 1)
    assert Restraints(both).release(MEANS, "camille", Place("S12")).total == 0
    assert both[0].dropped == {"S12": ("roux", 1)}


def test_an_unknown_kind_is_not_found(both):
    assert Restraints(both).of("blinds") is both[0]
    with pytest.raises(NotFoundError):
        Restraints(both).of("fog")


def test_a_fault_of_one_kind_is_written_down_and_stops_no_other(both, caplog, within):
    blinds, shutters = both
    blinds.dropped["S12"] = shutters.dropped["S12"] = ("camille", 1)
    blinds.fails, blinds.error = True, ZeroDivisionError("a fault of the blinds")
    kinds = Restraints(both)
    with within("en"):
        found = kinds.in_force(MEANS, WHO, Place("S12"))
    assert [(one.kind, one.by) for one in found] == [("blinds", ""), ("shutters", "camille")]
    assert kinds.release(MEANS, "camille", Place("S12")).failed == ("blinds",)
    assert shutters.dropped == {}
    assert caplog.text.count("a fault of the blinds") == 2
