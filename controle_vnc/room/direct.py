"""The one pass-through upstream of a workstation, and servers that take one client only."""

import asyncio
from collections.abc import Callable

from controle_vnc.workstation.state import Health

SUSPECT_SECONDS = 2.0  # a loss so soon after the other connection's start is its doing
JUDGE_SECONDS = 0.5  # a server that died loses both connections within this


class DirectSlot:
    """Free, reserved (opening) or open; watches what one connection does to the other."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.takes_one_client = False
        """A second connection is turned away, or throws out the first."""
        self._clock = clock
        self._reserved = False
        self._stop: Callable[[str], None] | None = None
        self._opened_at = float("-inf")
        self._link_ready_at = float("-inf")
        self._link_is_ready = False

    @property
    def is_free(self) -> bool:
        return not self._reserved and not self.takes_one_client

    @property
    def is_open(self) -> bool:
        return self._stop is not None

    def reserve(self) -> None:
        """A screen is about to open the pass-through."""
        self._reserved = True

    def opened(self, stop: Callable[[str], None]) -> None:
        """It is open; `stop` ends it with a code."""
        self._stop = stop
        self._opened_at = self._clock()

    def release(self) -> None:
        self._reserved = False
        self._stop = None

    def was_cut(self) -> None:
        """The server closed the pass-through by itself, or did not let it in."""
        now = self._clock()
        loop = asyncio.get_running_loop()
        if self._stop is None and self._link_is_ready:
            self.takes_one_client = True  # turned away at the door while the other one stands
        else:
            loop.call_later(JUDGE_SECONDS, self._judge_cut, now)

    def link_told(self, health: Health) -> None:
        """The decoded link's health has changed."""
        was_ready, self._link_is_ready = self._link_is_ready, health.state == "ready"
        if self._link_is_ready and not was_ready:
            self._link_ready_at = self._clock()
        if self._stop is None:
            return
        fresh = self._clock() - self._opened_at < SUSPECT_SECONDS
        if health.state == "refused" or (was_ready and not self._link_is_ready and fresh):
            asyncio.get_running_loop().call_later(JUDGE_SECONDS, self._judge, self._stop)

    def _judge_cut(self, cut_at: float) -> None:
        """The link came up just when the pass-through was cut: it threw it out."""
        if self._link_is_ready and abs(self._link_ready_at - cut_at) < SUSPECT_SECONDS:
            self.takes_one_client = True

    def _judge(self, stop: Callable[[str], None]) -> None:
        if self._stop is stop and not self._link_is_ready:
            # the pass-through stands and the link does not: it is either one or the other
            self.takes_one_client = True
            stop("one_client")
