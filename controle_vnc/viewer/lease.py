"""Which sessions live, until when, and the order to stop for each of their open viewers."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from controle_vnc.errors import RequestRefusedError, TicketRefusedError
from controle_vnc.viewer.grant import Closing, Grant, Kind

LEASE_SECONDS = 90.0  # three renewals of the worker may be missed, not four
MAX_LEASES = 10_000  # more sessions than a large school has accounts that may observe
MAX_VIEWERS = 2_000  # screens and walls open at once, far above what the gateway lets in
MAX_VIEWERS_A_SESSION = 100  # half of what the gateway lets in: nobody shuts out the others
MAX_TOMBSTONES = 20_000
LONGEST_SESSION_SECONDS = 7 * 24 * 3600.0  # a revoked session of unknown end stays dead so long

SIGNED_OUT = "signed_out"
SESSION_ENDED = "session_ended"
LEASE_LOST = "lease_lost"
RIGHTS_CHANGED = "rights_changed"
SWITCHED_OFF = "switched_off"


@dataclass
class _Lease:
    ends_at: float  # seconds since 1970
    renewed_at: float  # the steady clock: a corrected wall clock ends nothing
    viewers: dict[str, tuple[Grant, Closing]] = field(default_factory=dict)


class Leases:
    """Fail closed: what is not renewed, or past its end, or revoked, is closed."""

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_shut = False
        self._clock, self._steady = clock, steady
        self._leases: dict[str, _Lease] = {}
        self._tombstones: dict[str, float] = {}  # revoked session → end, oldest first

    def __len__(self) -> int:
        return len(self._leases)

    def count(self, kind: Kind) -> int:
        """Open viewers of that kind."""
        return sum(
            grant.kind == kind
            for lease in self._leases.values()
            for grant, _ in lease.viewers.values()
        )

    def renew(self, session: str, ends_at: int) -> bool:
        """Open or renew the lease of a session that ends at `ends_at` (ms); False for a dead one.

        Raises `RequestRefusedError("busy")` when there are too many leases.
        """
        end = ends_at / 1000
        if session in self._tombstones or end <= self._clock():
            return False
        lease = self._leases.get(session)
        if lease is None:
            if len(self._leases) >= MAX_LEASES:
                raise RequestRefusedError("busy", "too many sessions are leased")
            self._leases[session] = _Lease(end, self._steady())
        else:
            lease.ends_at, lease.renewed_at = end, self._steady()
        return True

    def open(self, grant: Grant) -> Closing:
        """The order to obey for a viewer that opens now.

        Raises `TicketRefusedError`, and `RequestRefusedError`: `too_many_viewers`, `switched_off`.
        """
        if self.is_shut:
            raise RequestRefusedError(SWITCHED_OFF, "an administrator has closed all screens")
        lease = self._leases.get(grant.session)
        if lease is None or self._why_over(lease) is not None:
            raise TicketRefusedError("the session is over")
        if self.count("screen") + self.count("wall") >= MAX_VIEWERS:
            raise RequestRefusedError("too_many_viewers", "too many viewers are open")
        if len(lease.viewers) >= MAX_VIEWERS_A_SESSION:
            raise RequestRefusedError(
                "too_many_viewers", f"{grant.user} has {MAX_VIEWERS_A_SESSION} viewers open"
            )
        closing = Closing()
        lease.viewers[grant.id] = (grant, closing)
        return closing

    def done(self, grant: Grant) -> None:
        """The viewer of `grant` has ended."""
        if (lease := self._leases.get(grant.session)) is not None:
            lease.viewers.pop(grant.id, None)

    def revoke(self, sessions: Iterable[str]) -> int:
        """End these sessions for good; gives the number of viewers that are told to close."""
        closed = 0
        for session in sessions:
            lease = self._leases.get(session)
            end = lease.ends_at if lease else self._clock() + LONGEST_SESSION_SECONDS
            self._bury(session, end)
            closed += self._end(session, SIGNED_OUT)
        return closed

    def close_viewers(self, sessions: Iterable[str], code: str = RIGHTS_CHANGED) -> int:
        """Tell the viewers of these sessions to close; the sessions live on."""
        found = [self._leases[one] for one in sessions if one in self._leases]
        orders = [closing for lease in found for _, closing in lease.viewers.values()]
        for closing in orders:
            closing.close(code)
        return len(orders)

    def shut(self) -> int:
        """Tell every viewer to close and let none open until `let_open`; sessions live on."""
        self.is_shut = True
        return self.close_viewers(list(self._leases), SWITCHED_OFF)

    def let_open(self) -> None:
        """Viewers may open again."""
        self.is_shut = False

    def expire(self) -> int:
        """End the leases that are over; gives the number of viewers that are told to close."""
        now = self._clock()
        for session in [name for name, end in self._tombstones.items() if end <= now]:
            del self._tombstones[session]
        over = [(name, self._why_over(lease)) for name, lease in self._leases.items()]
        return sum(self._end(name, code) for name, code in over if code is not None)

    def close_all(self, code: str) -> None:
        """Tell every viewer to close: the daemon ends."""
        for session in list(self._leases):
            self._end(session, code)

    def _why_over(self, lease: _Lease) -> str | None:
        if lease.ends_at <= self._clock():
            return SESSION_ENDED
        if self._steady() - lease.renewed_at >= LEASE_SECONDS:
            return LEASE_LOST
        return None

    def _end(self, session: str, code: str) -> int:
        lease = self._leases.pop(session, None)
        if lease is None:
            return 0
        for _, closing in lease.viewers.values():
            closing.close(code)
        return len(lease.viewers)

    def _bury(self, session: str, end: float) -> None:
        if len(self._tombstones) >= MAX_TOMBSTONES and session not in self._tombstones:
            del self._tombstones[next(iter(self._tombstones))]
        self._tombstones[session] = end
