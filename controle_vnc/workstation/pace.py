"""When to ask, when to doubt, when to try again: the timing of one upstream. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

ATTEMPT_DELAYS = (0.0, 1.0, 2.0, 4.0, 5.0)  # the last repeats: a desktop is back within 10 s
JITTER = 0.2  # of each delay, both ways, so that a whole room does not knock at once
FIRST_JITTER_SECONDS = 0.2


@dataclass(frozen=True)
class Timing:
    """Every wait of an upstream, in seconds; tests shorten them."""

    connect: float = 5.0  # a host on the same network answers in milliseconds
    told_silent: float = 5.0  # a handshake without an answer is told after this …
    handshake: float = 60.0  # … and given up only now: dropping it would count against us
    opening: float = 10.0  # a person waits for this handshake
    linger: float = 4.0  # a page that is reloaded finds its connection again
    wall: float = 1.0  # between two requests at the wall's pace
    live: float = 1 / 30  # between two requests at the live pace
    settle: float = 1.0  # after connecting: a first picture may come in pieces
    prove: float = 5.0  # a still screen is asked for a sign of life after this
    deadline: float = 5.0  # and must give it within this
    dead: float = 15.0  # without one the link is closed
    hold: float = 300.0  # between two tries of a password that failed
    steady: float = 10.0  # a link this old starts its back-off afresh when lost
    refresh: float = 60.0  # between two looks at a workstation nobody watches

    @property
    def beat(self) -> float:
        """Walls ask at multiples of this: answers that come together are worked through warm."""
        return self.wall / 4

    @property
    def grace(self) -> float:
        """How old a proof may be and still stand: one round of proofs and its answer."""
        return self.prove + self.deadline / 5


class Backoff:
    """Delays between attempts: at once, then 1, 2, 4, 5, 5 … s, with jitter.

    `chance` gives a number in [0, 1).
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._attempts = 0

    def next_delay(self) -> float:
        """The wait before the next attempt, which this call counts."""
        delay = ATTEMPT_DELAYS[min(self._attempts, len(ATTEMPT_DELAYS) - 1)]
        self._attempts += 1
        if not delay:
            return self._chance() * FIRST_JITTER_SECONDS
        return delay * (1 - JITTER + 2 * JITTER * self._chance())

    def reset(self) -> None:
        """The link stood long enough: the next loss is a new one."""
        self._attempts = 0


@dataclass
class Requests:
    """Holds one incremental request open; at the wall's pace the next one comes a second later.

    A second after the answer, not after the request: a tile is made of each answer at once, and
    answers that come closer together than tiles may would wait for the next tile's turn. To the
    nearest beat: forty desktops spread over the second cost a quarter more, for each finds the
    processor's caches full of something else.
    """

    timing: Timing
    started: float
    live: bool = False
    _last: float = field(default=float("-inf"))
    _answered: float | None = None
    _open: bool = False

    def due_at(self, now: float) -> float | None:
        """When to ask next; `None` while a request is open."""
        if self._open:
            return None
        if self._last - self.started < self.timing.settle and now < self._settled:
            return now
        if self.live:
            return self._last + self.timing.live
        if self._answered is None:
            return now
        beat = self.timing.beat
        return round((self._answered + self.timing.wall) / beat) * beat

    @property
    def _settled(self) -> float:
        return self.started + self.timing.settle

    def asked(self, now: float) -> None:
        self._last = now
        self._open = True

    def answered(self, now: float) -> None:
        self._answered = now
        self._open = False


@dataclass
class Proofs:
    """Whether the picture is proven to be the present one, and the other end alive.

    An answer proves the picture. Any byte shows that somebody is there: a large picture over a
    slow network is late, not dead.
    """

    timing: Timing
    proven_at: float
    heard_at: float = field(init=False)
    _asked_at: float | None = None

    def __post_init__(self) -> None:
        self.heard_at = self.proven_at

    def heard(self, now: float) -> None:
        """Some bytes came."""
        self.heard_at = now

    def proven(self, now: float) -> None:
        """An answer came: an update, or our fence."""
        self.proven_at = self.heard_at = now
        self._asked_at = None

    def asked(self, now: float) -> None:
        self._asked_at = now

    def must_ask(self, now: float) -> bool:
        return self._asked_at is None and now >= self.proven_at + self.timing.prove

    def is_late(self, now: float) -> bool:
        """A sign of life was asked for and its deadline has passed."""
        return self._asked_at is not None and now >= self._asked_at + self.timing.deadline

    def is_dead(self, now: float) -> bool:
        return now >= self.heard_at + self.timing.dead

    def stands(self, now: float) -> bool:
        """Whether the picture may be called fresh now."""
        return now <= self.proven_at + self.timing.grace

    def next_check(self) -> float:
        """When one of the answers above may change."""
        if self._asked_at is None:
            return self.proven_at + self.timing.prove
        dead = self.heard_at + self.timing.dead
        late = self._asked_at + self.timing.deadline
        return min(late, dead)

    def next_check_after(self, now: float) -> float:
        """The first of those moments that is still to come."""
        moment = self.next_check()
        return moment if moment > now else self.heard_at + self.timing.dead
