"""The ticket office: right for right, one use, thirty seconds, dead with the daemon."""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import itsdangerous

from controle_vnc.control.secret import derive
from controle_vnc.errors import RequestRefusedError, TicketRefusedError
from controle_vnc.viewer.grant import Grant

TICKET_SECONDS = 30  # from the page's call to the WebSocket's handshake, on a slow machine
MAX_TICKETS = 4096  # unused ones; ten times as many as a school opens at the same moment
MAX_TICKETS_A_SESSION = 64  # a page that opens more screens than this in 30 s is a program
MAX_TICKET_CHARACTERS = 512  # ours have about 60; nothing longer is even looked at
ID_BYTES = 16


@dataclass(frozen=True)
class _Issued:
    grant: Grant
    expires_at: float


class TicketOffice:
    """Gives tickets for grants and grants for tickets. The grant itself never leaves."""

    def __init__(self, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        # mixed with chance: a ticket of an earlier start is worth nothing
        key = derive(secret, "tickets", secrets.token_bytes(32))
        self._clock = clock
        self._signer = _Signer(key, clock)
        self._issued: dict[str, _Issued] = {}  # by id, oldest first

    @property
    def waiting(self) -> int:
        """Tickets that were issued and neither used nor forgotten."""
        return len(self._issued)

    def issue(self, grant: Grant) -> str:
        """A ticket for `grant`; raises `RequestRefusedError("busy")` when too many wait."""
        self._forget_expired()
        mine = sum(issued.grant.session == grant.session for issued in self._issued.values())
        if len(self._issued) >= MAX_TICKETS or mine >= MAX_TICKETS_A_SESSION:
            raise RequestRefusedError("busy", "too many tickets wait to be used")
        identifier = secrets.token_urlsafe(ID_BYTES)
        self._issued[identifier] = _Issued(grant, self._clock() + TICKET_SECONDS)
        return self._signer.sign(identifier).decode()

    def redeem(self, ticket: str) -> Grant:
        """The grant of `ticket`, once; raises `TicketRefusedError`."""
        if len(ticket) > MAX_TICKET_CHARACTERS:
            raise TicketRefusedError("the ticket is refused")
        try:
            identifier = self._signer.unsign(ticket, max_age=TICKET_SECONDS).decode()
        except (itsdangerous.BadData, UnicodeError) as error:
            raise TicketRefusedError("the ticket is refused") from error
        issued = self._issued.pop(identifier, None)
        if issued is None or self._clock() >= issued.expires_at:
            raise TicketRefusedError("the ticket is refused")
        if self._clock() * 1000 >= issued.grant.ends_at:
            raise TicketRefusedError("the ticket is refused")
        return issued.grant

    def revoke(self, sessions: set[str]) -> int:
        """Forget the tickets of these sessions; gives their number."""
        dead = [key for key, issued in self._issued.items() if issued.grant.session in sessions]
        for key in dead:
            del self._issued[key]
        return len(dead)

    def forget(self) -> None:
        """Forget every ticket that was not used yet."""
        self._issued.clear()

    def _forget_expired(self) -> None:
        now = self._clock()
        for key in [key for key, issued in self._issued.items() if now >= issued.expires_at]:
            del self._issued[key]


class _Signer(itsdangerous.TimestampSigner):
    """Signs with SHA-256 and the office's clock."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        super().__init__(key, salt=b"ticket", digest_method=hashlib.sha256, key_derivation="hmac")
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock())
