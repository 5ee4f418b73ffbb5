"""When one viewer may be sent its next update, and how late it sees it. Pure."""

import statistics
import struct
from collections import deque

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import (
    FENCE_BLOCK_AFTER,
    FENCE_BLOCK_BEFORE,
    FENCE_REQUEST,
    Encoding,
)
from controle_vnc.rfb.viewer_messages import EnableContinuousUpdates, Fence, UpdateRequest

MAX_FENCES = 2  # unanswered: one update is on its way while the one before is being shown
MAX_TRIPS = 64  # remembered for the latency: the last seconds of a screen that moves
ANSWERED_FLAGS = FENCE_BLOCK_BEFORE | FENCE_BLOCK_AFTER  # kept without effort: all is in order

_NUMBER = struct.Struct(">I")


class Flow:
    """Follows requests, continuous updates and fences; methods give the bytes to say at once.

    A viewer that knows neither is sent an update for each request.
    """

    def __init__(self) -> None:
        self._has_fences = False
        self._has_continuous = False
        self._asked: UpdateRequest | None = None
        self._pushed: Rect | None = None
        self._sent_at: dict[int, float] = {}
        self._number = 0
        self._trips: deque[float] = deque(maxlen=MAX_TRIPS)

    # --- what the viewer says

    def learn(self, encodings: tuple[int, ...], now: float) -> bytes:
        """The viewer named its encodings: tell it once what we can do."""
        said = b""
        if not self._has_fences and Encoding.FENCE in encodings:
            self._has_fences = True
            said += self._fence(now)
        if (
            self._has_fences
            and not self._has_continuous
            and Encoding.CONTINUOUS_UPDATES in encodings
        ):
            self._has_continuous = True
            said += messages.end_of_continuous_updates()
        return said

    def ask(self, request: UpdateRequest) -> None:
        if self._asked is not None and not self._asked.incremental:
            # the older request is for everything there: it must not be forgotten
            request = UpdateRequest(False, self._asked.rect.union(request.rect))
        self._asked = request

    def enable(self, message: EnableContinuousUpdates) -> bytes:
        """Push updates from now on, or no more."""
        if not self._has_continuous:
            raise ProtocolError("continuous updates, which were not offered")
        self._pushed = message.rect if message.enable else None
        return b"" if message.enable else messages.end_of_continuous_updates()

    def take(self, fence: Fence, now: float) -> bytes:
        """Answer the viewer's fence, or note its answer to ours."""
        if fence.flags & FENCE_REQUEST:
            return messages.fence(fence.flags & ANSWERED_FLAGS, fence.payload)
        if len(fence.payload) == _NUMBER.size:
            (number,) = _NUMBER.unpack(fence.payload)
            sent_at = self._sent_at.get(number)
            if sent_at is not None:
                self._trips.append(now - sent_at)
                self._sent_at = {one: at for one, at in self._sent_at.items() if one > number}
        return b""

    # --- what we may send

    @property
    def wanted(self) -> UpdateRequest | None:
        """What the viewer is ready for."""
        if self._asked is not None and not (self._asked.incremental and self._pushed is not None):
            return self._asked
        if self._pushed is not None and len(self._sent_at) < MAX_FENCES:
            return UpdateRequest(True, self._pushed)
        return None

    def sent(self, wanted: UpdateRequest, now: float) -> bytes:
        """An update for `wanted` goes out; what follows it."""
        if self._asked is wanted:
            self._asked = None  # else the viewer has asked again meanwhile
        if self._pushed is not None and len(self._sent_at) < MAX_FENCES:
            return self._fence(now)
        return b""

    def resized(self, old: Rect, new: Rect) -> None:
        """The screen has another size: whom all of it was pushed gets all of it."""
        if self._pushed is not None and self._pushed.intersection(old) == old:
            self._pushed = new

    def _fence(self, now: float) -> bytes:
        self._number += 1
        self._sent_at[self._number] = now
        return messages.fence(FENCE_REQUEST | FENCE_BLOCK_BEFORE, _NUMBER.pack(self._number))

    # --- what is known of the viewer

    @property
    def waiting_since(self) -> float | None:
        """When the oldest fence without an answer was sent."""
        return next(iter(self._sent_at.values()), None)

    @property
    def latency(self) -> float | None:
        """Seconds from sending an update to its being shown: the median of the last ones."""
        return statistics.median(self._trips) if self._trips else None
