import struct

import pytest

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.flow import MAX_FENCES, MAX_TRIPS, Flow
from controle_vnc.rfb.viewer_messages import EnableContinuousUpdates, Fence, UpdateRequest

FENCE, CONTINUOUS = -312, -313
REQUEST = 1 << 31
SCREEN = Rect(0, 0, 64, 48)
ALL_NEW, ALL = UpdateRequest(True, SCREEN), UpdateRequest(False, SCREEN)
END = b"\x96"


def our_fence(number):
    return messages.fence(REQUEST | 1, struct.pack(">I", number))


def answer(number):
    return Fence(1, struct.pack(">I", number))


def pushing():
    """The flow of a viewer that gets continuous updates and answered the first fence at 0."""
    flow = Flow()
    flow.learn((FENCE, CONTINUOUS), 0.0)
    flow.take(answer(1), 0.0)
    flow.enable(EnableContinuousUpdates(True, SCREEN))
    return flow


def push(flow, now):
    return flow.sent(flow.wanted, now)


def test_a_viewer_without_extensions_gets_one_update_for_each_request():
    flow = Flow()
    assert flow.learn((0, 7), 0.0) == b""
    assert flow.wanted is None
    flow.ask(ALL_NEW)
    assert flow.wanted == ALL_NEW
    assert push(flow, 1.0) == b""
    assert flow.wanted is None


def test_a_request_for_everything_is_not_forgotten_over_a_newer_one():
    flow = Flow()
    flow.ask(UpdateRequest(False, Rect(0, 0, 10, 10)))
    flow.ask(UpdateRequest(True, Rect(20, 0, 10, 10)))
    assert flow.wanted == UpdateRequest(False, Rect(0, 0, 30, 10))


def test_a_request_that_comes_while_an_update_is_made_is_kept():
    flow = Flow()
    flow.ask(ALL_NEW)
    served = flow.wanted
    flow.ask(UpdateRequest(True, Rect(1, 1, 1, 1)))
    flow.sent(served, 0.0)
    assert flow.wanted == UpdateRequest(True, Rect(1, 1, 1, 1))


def test_what_we_can_do_is_told_once():
    flow = Flow()
    assert flow.learn((FENCE, CONTINUOUS), 0.0) == our_fence(1) + END
    assert flow.learn((FENCE, CONTINUOUS), 1.0) == b""


def test_fences_alone_are_told_and_leave_requests_in_force():
    flow = Flow()
    assert flow.learn((FENCE,), 0.0) == our_fence(1)
    flow.ask(ALL_NEW)
    assert push(flow, 0.0) == b""
    assert flow.wanted is None
    assert flow.learn((FENCE, CONTINUOUS), 0.0) == END


def test_continuous_updates_without_fences_are_not_offered_and_not_taken():
    flow = Flow()
    assert flow.learn((CONTINUOUS,), 0.0) == b""
    with pytest.raises(ProtocolError):
        flow.enable(EnableContinuousUpdates(True, SCREEN))


def test_updates_are_pushed_until_two_fences_are_unanswered():
    flow = pushing()
    for number in range(2, 2 + MAX_FENCES):
        assert flow.wanted == ALL_NEW
        assert push(flow, 0.0) == our_fence(number)
    assert flow.wanted is None
    flow.take(answer(2), 0.1)
    assert flow.wanted == ALL_NEW


def test_a_late_answer_counts_for_the_fences_before_it():
    flow = pushing()
    push(flow, 0.0)
    push(flow, 0.0)
    flow.take(answer(3), 0.1)
    assert flow.waiting_since is None


@pytest.mark.parametrize("payload", [b"", b"\0\0\0\x09", b"123456789"])
def test_an_answer_to_a_fence_that_we_never_sent_means_nothing(payload):
    flow = pushing()
    push(flow, 0.0)
    assert flow.take(Fence(1, payload), 0.1) == b""
    assert flow.waiting_since == 0.0


def test_while_pushed_to_a_viewer_may_still_ask_for_everything():
    flow = pushing()
    flow.ask(ALL_NEW)
    push(flow, 0.0)
    push(flow, 0.0)
    flow.ask(ALL_NEW)
    assert flow.wanted is None
    flow.ask(ALL)
    assert flow.wanted == ALL
    assert push(flow, 0.0) == b""  # no third fence


def test_pushing_ends_when_the_viewer_says_so_and_it_is_told():
    flow = pushing()
    assert flow.enable(EnableContinuousUpdates(False, SCREEN)) == END
    assert flow.wanted is None
    flow.ask(ALL_NEW)
    assert flow.wanted == ALL_NEW


def test_only_the_part_that_the_viewer_named_is_pushed():
    flow = pushing()
    flow.enable(EnableContinuousUpdates(True, Rect(5, 5, 10, 10)))
    assert flow.wanted == UpdateRequest(True, Rect(5, 5, 10, 10))
    flow.resized(SCREEN, Rect(0, 0, 80, 40))
    assert flow.wanted == UpdateRequest(True, Rect(5, 5, 10, 10))


def test_whom_all_is_pushed_gets_all_of_a_screen_that_has_grown():
    flow = pushing()
    flow.resized(SCREEN, Rect(0, 0, 80, 60))
    assert flow.wanted == UpdateRequest(True, Rect(0, 0, 80, 60))


def test_the_viewers_own_fence_comes_back_with_the_flags_that_we_keep():
    flow = Flow()
    sent = Fence(REQUEST | 1 << 2 | 1 << 1 | 1 << 0 | 1 << 17, b"x" * 64)
    assert flow.take(sent, 0.0) == messages.fence(0b11, b"x" * 64)


def test_the_latency_is_the_median_of_the_last_round_trips():
    flow = pushing()
    for trip in [5.0] * 10 + [0.1, 0.2, 0.3] * MAX_TRIPS:
        push(flow, 10.0)
        flow.take(answer(flow._number), 10.0 + trip)
    assert flow.latency == pytest.approx(0.2)


def test_the_latency_of_a_viewer_without_fences_is_unknown():
    assert Flow().latency is None


def test_the_oldest_fence_without_an_answer_tells_since_when_a_viewer_is_silent():
    flow = pushing()
    push(flow, 3.0)
    push(flow, 4.0)
    assert flow.waiting_since == 3.0
    flow.take(answer(2), 5.0)
    assert flow.waiting_since == 4.0
