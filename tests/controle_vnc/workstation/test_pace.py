from controle_vnc.workstation.pace import Backoff, Proofs, Requests, Timing

TIMING = Timing()


def test_tries_come_at_once_then_later_but_never_later_than_6_seconds():
    backoff = Backoff(lambda: 0.5)
    assert [round(backoff.next_delay(), 2) for _ in range(7)] == [0.1, 1, 2, 4, 5, 5, 5]
    slowest = Backoff(lambda: 0.999)
    assert max(slowest.next_delay() for _ in range(20)) < 6.01
    backoff.reset()
    assert backoff.next_delay() < 0.2


def test_a_request_stays_open_until_it_is_answered():
    requests = Requests(TIMING, started=0.0)
    requests.asked(10.0)
    assert requests.due_at(99.0) is None
    requests.answered(10.5)
    assert requests.due_at(10.6) == 11.5


def test_a_room_is_asked_in_step_and_nobody_earlier_than_an_eighth_of_a_second():
    requests = Requests(TIMING, started=0.0)
    for answered, due in ((10.0, 11.0), (10.03, 11.0), (10.12, 11.0), (10.13, 11.25), (10.4, 11.5)):
        requests.asked(answered - 0.01)
        requests.answered(answered)
        assert requests.due_at(10.6) == due


def test_a_screen_that_has_never_answered_is_asked_at_once():
    requests = Requests(TIMING, started=0.0)
    due = requests.due_at(0.0)
    assert due is not None
    assert due <= 0.0


def test_a_first_picture_that_comes_in_pieces_is_fetched_without_pauses():
    requests = Requests(TIMING, started=0.0)
    requests.asked(0.1)
    requests.answered(0.15)
    assert requests.due_at(0.2) == 0.2
    requests.asked(0.9)
    requests.answered(1.0)
    assert requests.due_at(1.1) == 2.0


def test_a_live_pace_asks_thirty_times_a_second_at_most():
    requests = Requests(TIMING, started=0.0, live=True)
    requests.asked(10.0)
    requests.answered(10.0005)
    assert requests.due_at(10.001) == 10.0 + TIMING.live


def test_a_proof_is_asked_for_after_5_seconds_late_after_10_and_dead_after_15():
    proofs = Proofs(TIMING, proven_at=0.0)
    assert not proofs.must_ask(4.9)
    assert proofs.next_check() == 5.0
    assert proofs.must_ask(5.0)
    proofs.asked(5.0)
    assert not proofs.must_ask(6.0)
    assert proofs.stands(6.0)
    assert not proofs.stands(6.1)
    assert proofs.next_check_after(5.0) == 10.0
    assert not proofs.is_late(9.9)
    assert proofs.is_late(10.0)
    assert proofs.next_check_after(10.0) == 15.0
    assert not proofs.is_dead(14.9)
    assert proofs.is_dead(15.0)


def test_an_answer_is_a_proof():
    proofs = Proofs(TIMING, proven_at=0.0)
    proofs.asked(5.0)
    proofs.proven(9.0)
    assert proofs.stands(15.0)
    assert not proofs.is_late(20.0)
    assert proofs.next_check() == 14.0


def test_bytes_without_an_answer_prove_nothing_but_keep_the_link():
    proofs = Proofs(TIMING, proven_at=0.0)
    proofs.asked(5.0)
    proofs.heard(9.0)
    assert not proofs.stands(9.0)
    assert proofs.is_late(10.0)
    assert not proofs.is_dead(23.9)
    assert proofs.is_dead(24.0)
    assert proofs.next_check_after(10.0) == 24.0
