import dataclasses

import pytest

from controle_vnc.errors import RequestRefusedError, TicketRefusedError
from controle_vnc.viewer.grant import Grant
from controle_vnc.viewer.ticket import (
    MAX_TICKET_CHARACTERS,
    MAX_TICKETS,
    MAX_TICKETS_A_SESSION,
    TICKET_SECONDS,
    TicketOffice,
)

SECRET = b"a secret for the tickets of tests"
GRANT = Grant("g", "session", "camille", "Camille", 10_000_000, "screen", "w1", "view")


class Clock:
    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def office(clock):
    return TicketOffice(SECRET, clock)


def test_a_ticket_is_redeemed_once(office):
    ticket = office.issue(GRANT)
    assert office.redeem(ticket) is GRANT
    with pytest.raises(TicketRefusedError):
        office.redeem(ticket)


def test_a_ticket_lives_thirty_seconds(office, clock):
    first, second = office.issue(GRANT), office.issue(GRANT)
    clock.now += TICKET_SECONDS - 0.01
    office.redeem(first)
    clock.now += 0.01
    with pytest.raises(TicketRefusedError):
        office.redeem(second)


def test_no_ticket_outlives_its_session(office, clock):
    ticket = office.issue(dataclasses.replace(GRANT, ends_at=1_001_000))
    clock.now = 1001.0
    with pytest.raises(TicketRefusedError):
        office.redeem(ticket)


@pytest.mark.parametrize("forged", ["", ".", "a.b.c", "é" * 20, "\0", "x" * 100_000])
def test_a_forged_ticket_is_refused(office, forged):
    with pytest.raises(TicketRefusedError):
        office.redeem(forged)


def test_each_sign_of_a_ticket_counts(office):
    ticket = office.issue(GRANT)
    for at in range(len(ticket) - 1):  # the last one holds unused bits of base64
        changed = ticket[:at] + ("A" if ticket[at] != "A" else "B") + ticket[at + 1 :]
        with pytest.raises(TicketRefusedError):
            office.redeem(changed)
    assert office.redeem(ticket) is GRANT


def test_a_ticket_dies_with_the_daemon(office, clock):
    ticket = office.issue(GRANT)
    with pytest.raises(TicketRefusedError):
        TicketOffice(SECRET, clock).redeem(ticket)


def test_a_ticket_tells_nothing_and_is_short(office):
    ticket = office.issue(GRANT)
    assert len(ticket) < MAX_TICKET_CHARACTERS / 4
    assert "camille" not in ticket
    assert "session" not in ticket


def test_a_ticket_fits_in_a_subprotocol_and_in_a_query(office):
    ticket = office.issue(GRANT)
    assert all(sign.isascii() and (sign.isalnum() or sign in "-_.") for sign in ticket)


def test_a_revoked_session_has_no_tickets(office):
    ticket = office.issue(GRANT)
    other = office.issue(dataclasses.replace(GRANT, session="other"))
    assert office.revoke({"session"}) == 1
    with pytest.raises(TicketRefusedError):
        office.redeem(ticket)
    office.redeem(other)


def test_a_session_may_hold_so_many_tickets_and_not_one_more(office, clock):
    for _ in range(MAX_TICKETS_A_SESSION):
        office.issue(GRANT)
    with pytest.raises(RequestRefusedError):
        office.issue(GRANT)
    office.issue(dataclasses.replace(GRANT, session="other"))
    clock.now += TICKET_SECONDS
    office.issue(GRANT)
    assert office.waiting == 1


def test_the_office_keeps_so_many_tickets_and_not_one_more(office):
    for number in range(MAX_TICKETS):
        office.issue(dataclasses.replace(GRANT, session=str(number)))
    with pytest.raises(RequestRefusedError) as caught:
        office.issue(dataclasses.replace(GRANT, session="one more"))
    assert caught.value.code == "busy"
