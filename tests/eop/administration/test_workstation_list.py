import pytest
from msgspec.structs import replace

from controle_vnc.control.messages import Reason
from eop.administration import workstation_list, workstation_words
from eop.administration.workstation_list import A_PAGE, Wanted, search
from eop.observation import reasons
from tests.eop.administration.test_workstation_csv import workstation


def known(*states):
    return [
        replace(workstation(f"pc-{n}", user=f"user{n}"), state=state)
        for n, state in enumerate(states)
    ]


def names(found):
    return [one.name for one in found.listed]


def test_the_worst_come_first():
    everyone = known("ready", "offline", "wrong_password", "unknown", "refused")
    states = [one.state for one in search(everyone, Wanted()).listed]
    assert states == ["wrong_password", "refused", "offline", "unknown", "ready"]
    turned = search(everyone, Wanted(is_reversed=True)).listed
    assert [one.state for one in turned] == states[::-1]


def test_names_are_sorted_as_their_reader_sorts_them():
    everyone = [workstation(name) for name in ("pc-10", "łan", "pc-2", "luz", "10")]
    found = search(everyone, Wanted(sort="name"), language="pl").listed
    assert [one.name for one in found] == ["10", "luz", "łan", "pc-2", "pc-10"]


@pytest.mark.parametrize("sort", [*workstation_list.SORTS, "nonsense", ""])
def test_every_order_lists_everybody(sort):
    assert len(search(known("ready", "offline", "viewed"), Wanted(sort=sort)).listed) == 3


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(text="PC-1"), ["pc-1"]),
        (Wanted(text="user2"), ["pc-2"]),
        (Wanted(text="s12"), ["pc-1", "pc-0", "pc-2"]),
        (Wanted(text="5900"), ["pc-1", "pc-0", "pc-2"]),
        (Wanted(room="S14"), []),
        (Wanted(state="trouble"), ["pc-1"]),
        (Wanted(state="well"), ["pc-2"]),
        (Wanted(state="unknown"), ["pc-0"]),
        (Wanted(state="nonsense"), ["pc-1", "pc-0", "pc-2"]),
    ],
)
def test_the_list_is_searched_and_filtered(wanted, found):
    assert names(search(known("unknown", "offline", "ready"), wanted)) == found


def test_pages_are_bounded_and_one_beyond_the_last_is_the_last():
    everyone = known(*["ready"] * (A_PAGE + 1))
    first = search(everyone, Wanted())
    assert (len(first.listed), first.pages, first.first, first.total) == (A_PAGE, 2, 1, A_PAGE + 1)
    last = search(everyone, Wanted(), 99)
    assert (names(last), last.page, last.first) == ([f"pc-{A_PAGE}"], 2, A_PAGE + 1)
    assert search([], Wanted(), 7).page == 1


@pytest.mark.parametrize("code", [*reasons.SENTENCES, "of_another_version"])
def test_every_fault_has_a_word_and_one_next_step(quiet, code):
    with_reason = replace(workstation(), state="offline", reason=Reason(code))
    look, step = workstation_words.look(with_reason), workstation_words.step(with_reason)
    assert look.icon
    assert look.word
    assert step.way in {"password", "edit", "probe", "look"}


@pytest.mark.parametrize("state", list(workstation_words.LOOKS))
def test_every_state_has_a_word_a_rank_and_a_step(state):
    one = replace(workstation(), state=state)
    assert workstation_words.look(one).word
    assert workstation_words.rank(state) < len(workstation_words.LOOKS)
    way = workstation_words.step(one).way
    assert (way == "open") is (state in workstation_words.WELL)
    groups = (workstation_words.FAULTS, workstation_words.WELL, workstation_words.UNSETTLED)
    assert sum(state in group for group in groups) == 1
