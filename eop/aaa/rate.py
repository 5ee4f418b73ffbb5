"""How often an address may ask: a bucket of tokens for each, in this process's memory."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

MAX_ADDRESSES = 4096  # the one that asked longest ago is forgotten, with what it used up


@dataclass(frozen=True)
class Pace:
    """So many at once, and so many a second in the long run."""

    burst: int
    per_second: float


class Rate:
    """Counts by address. Time is given, in seconds of any steady clock."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str, now: float) -> bool:
        """Whether one more is allowed now; it is counted then."""
        with self._lock:
            left, since = self._left.pop(address, (float(self._pace.burst), now))
            refilled = left + max(0.0, now - since) * self._pace.per_second
            left = min(float(self._pace.burst), refilled)
            allowed = left >= 1
            self._left[address] = (left - 1 if allowed else left, now)
            if len(self._left) > MAX_ADDRESSES:
                self._left.popitem(last=False)
            return allowed
