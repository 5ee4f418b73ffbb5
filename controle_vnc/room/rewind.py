"""The last five minutes of a screen: the small pictures that were made for somebody anyway.

Nothing is made or asked for here, and nothing leaves memory. Pure: times come in as arguments, in
milliseconds since 1970.
"""

from collections import deque
from dataclasses import dataclass

from controle_vnc.control.messages import MAX_MESSAGE_BYTES, RewindSpan

KEPT_MS = 5 * 60 * 1000
MAX_RING_BYTES = 16 * 1024 * 1024  # of one workstation: five busy minutes at 640 pixels fit
MAX_SHELF_BYTES = 256 * 1024 * 1024  # of all: a class of such workstations, never the machine
MAX_PICTURES = 1024  # of one workstation: three a second; its list of times stays a short message
MAX_PICTURE_BYTES = MAX_MESSAGE_BYTES - 256  # one travels in one message, with what it says of it
PICTURE_COST_BYTES = 256  # what keeping one takes beside its JPEG


@dataclass
class Kept:
    """One picture: a JPEG at most `width` pixels wide that the screen showed from `at` on.

    `until` is when it showed another, or when nobody looked any more; `None`: it still shows it.
    """

    at: int
    width: int
    jpeg: bytes
    until: int | None = None

    @property
    def cost(self) -> int:
        return len(self.jpeg) + PICTURE_COST_BYTES

    def shows(self, moment: int) -> bool:
        """Whether the screen showed this at `moment`."""
        return self.at <= moment and (self.until is None or moment < max(self.until, self.at + 1))


class Ring:
    """The pictures of one workstation; it keeps nothing until it is switched on."""

    def __init__(self, shelf: "Shelf") -> None:
        self.is_on = False
        self.bytes = 0
        self._shelf = shelf
        self._pictures: deque[Kept] = deque()
        self._since = 0  # what was captured before this moment is not kept

    def __len__(self) -> int:
        return len(self._pictures)

    @property
    def oldest_at(self) -> int:
        """When the oldest picture was captured; there is one."""
        return self._pictures[0].at

    def switch(self, is_on: bool, now: int) -> bool:
        """Keep pictures from now on, or forget all and keep none; whether that is news."""
        if is_on == self.is_on:
            return False
        self.is_on = is_on
        self.forget(now)
        return True

    def note(self, at: int, width: int, jpeg: bytes) -> None:
        """A picture captured at `at` was made. Of one moment the widest is kept."""
        if not self.is_on or at < self._since:
            return
        last = self._last_open()
        if last is not None and last.at == at:
            if width < last.width:
                return
            self._drop(self._pictures.pop())
        elif last is not None:
            last.until = at
        self._since = at
        if len(jpeg) <= MAX_PICTURE_BYTES:
            self._take(Kept(at, width, jpeg))

    def end(self, now: int) -> None:
        """Nobody looks any more: what the screen shows from now on is not known."""
        if (last := self._last_open()) is not None:
            last.until = max(now, last.at)
        self._since = max(now, self._since)

    def forget(self, now: int) -> None:
        """Keep nothing of what was captured until now."""
        while self._pictures:
            self.drop_oldest()
        self._since = now

    def expire(self, now: int) -> None:
        """Forget what the screen has not shown for five minutes."""
        if now < self._since:
            self.forget(now)  # the clock was set back: nothing has its place in time any more
        while self._pictures:
            until = self._pictures[0].until
            if until is None or until > now - KEPT_MS:
                return
            self.drop_oldest()

    def spans(self, now: int) -> list[RewindSpan]:
        """From when until when each picture was shown, the oldest first, within five minutes."""
        self.expire(now)
        earliest = now - KEPT_MS
        return [RewindSpan(max(one.at, earliest), one.until) for one in self._pictures]

    def picture(self, moment: int, now: int) -> Kept | None:
        """What the screen showed at `moment`; `None` where nothing of it is kept."""
        self.expire(now)
        if not now - KEPT_MS <= moment <= now:
            return None
        return next((one for one in reversed(self._pictures) if one.shows(moment)), None)

    def drop_oldest(self) -> None:
        self._drop(self._pictures.popleft())

    def _last_open(self) -> Kept | None:
        last = self._pictures[-1] if self._pictures else None
        return last if last is not None and last.until is None else None

    def _take(self, kept: Kept) -> None:
        self._pictures.append(kept)
        self.bytes += kept.cost
        while self.bytes > MAX_RING_BYTES or len(self._pictures) > MAX_PICTURES:
            self.drop_oldest()
        self._shelf.grew(self, kept.cost)

    def _drop(self, kept: Kept) -> None:
        self.bytes -= kept.cost
        self._shelf.shrank(self, kept.cost)


class Shelf:
    """All rings, and the rooms where they are on. Where it is full, the oldest picture goes."""

    def __init__(self, limit: int = MAX_SHELF_BYTES) -> None:
        self.rooms: frozenset[str] = frozenset()
        self.bytes = 0
        self._limit = limit
        self._filled: dict[Ring, None] = {}

    def grew(self, ring: Ring, size: int) -> None:
        """`ring` holds `size` bytes more."""
        self.bytes += size
        self._filled[ring] = None
        while self.bytes > self._limit:
            min(self._filled, key=lambda one: one.oldest_at).drop_oldest()

    def shrank(self, ring: Ring, size: int) -> None:
        """`ring` holds `size` bytes less."""
        self.bytes -= size
        if not len(ring):
            self._filled.pop(ring, None)

    def expire(self, now: int) -> None:
        """Forget what is too old, in every ring."""
        for ring in list(self._filled):
            ring.expire(now)
