"""One decoded upstream: connected while somebody watches, paced, proven alive, tried again."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import Protocol

from controle_vnc.errors import HungUpError, ProtocolError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.client import (
    QUALITY,
    ColoursChanged,
    Event,
    FenceAnswered,
    Resized,
    RfbClient,
    Updated,
)
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.tasks import spawn
from controle_vnc.workstation.connection import Connection
from controle_vnc.workstation.pace import Backoff, Proofs, Requests, Timing
from controle_vnc.workstation.scaling import Scaling
from controle_vnc.workstation.state import (
    CONNECTING,
    FAILED,
    LINK_ERRORS,
    READY,
    SILENT,
    STALE,
    UNKNOWN,
    Health,
    SilentError,
    health_of,
)
from controle_vnc.workstation.target import Target
from controle_vnc.workstation.turn import LIVE_REST, WALL_REST, decode_a_while, more_for
from controle_vnc.workstation.upstream import connect, with_second_try

PIXEL = Rect(0, 0, 1, 1)
FENCE_PAYLOAD = b"alive"
DRAINED_BYTES = 64 * 1024  # input that may wait for the server beside what its kernel holds
ROUNDING_SECONDS = 0.0005  # uvloop rounds to milliseconds: a timer that is early comes back twice
WALL_QUALITY = 3  # JPEG level for tiles, which are shrunk: fewer bytes, and less to decode
UNREADABLE_SECONDS = 1.0  # before what could not be decoded is tried again; doubled each time
DRAIN_SECONDS = 5.0  # a server that does not read input for this long gets none


class Watcher(Protocol):
    """Whoever looks at a decoded picture. Its methods only take note: they never wait."""

    @property
    def live(self) -> bool:
        """Whether updates are wanted as they come, not at the wall's pace."""

    @property
    def shown_width(self) -> int | None:
        """How many pixels wide the picture is shown at most; `None`: whole, never shrunk."""

    def opened(self, client: RfbClient, has_picture: bool) -> None:
        """A screen is there from now on: `client.framebuffer`, still black or `has_picture`.

        Told again where the server has shrunk it, or no longer does.
        """

    def event(self, event: Event) -> None:
        """The workstation's server said something."""

    def lost(self) -> None:
        """There is no picture any more."""

    def told(self, health: Health) -> None:
        """The health of the workstation has changed."""


class Link:
    """Keeps one decoded upstream for all watchers of a workstation; `report` is told its health.

    Links that share `turns` decode one after the other.
    """

    def __init__(
        self,
        target: Target,
        report: Callable[[Health], None],
        timing: Timing,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        turns: asyncio.Lock | None = None,
    ) -> None:
        self.target = target
        self.health = UNKNOWN
        self.client: RfbClient | None = None
        self.has_picture = False
        self._report = report
        self._timing = timing
        self.turns = turns or asyncio.Lock()
        self._clock = clock
        self._backoff = Backoff(chance)
        self._watchers: dict[Watcher, None] = {}
        self._held_until = float("-inf")
        self._nudge = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._linger: asyncio.TimerHandle | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._tick_at = 0.0
        self._connection: Connection | None = None
        self._greeting: Connection | None = None
        self._requests = Requests(timing, 0.0)
        self._proofs = Proofs(timing, 0.0)
        self._wants_whole = True
        self._scaling = Scaling(0, 0)
        self._may_scale = True
        self._native = False  # the server's pixel format is taken as it is
        self._unreadable = 0  # pictures one after the other that could not be decoded

    # --- who watches

    @property
    def is_wanted(self) -> bool:
        """Somebody watches, or has only just stopped."""
        return bool(self._watchers) or self._linger is not None

    @property
    def is_busy(self) -> bool:
        """A connection is open or being tried."""
        return self._task is not None

    def watch(self, watcher: Watcher) -> None:
        """From now on `watcher` is told; the first one makes the link connect."""
        self._watchers[watcher] = None
        self._stop_lingering()
        if self.client is not None and self._suits(watcher):
            watcher.opened(self.client, self.has_picture)
        self.look_again()
        if self._task is None:
            self._task = spawn(self._run(), f"link to {self.target.address}")
            self._task.add_done_callback(self._ended)

    def look_again(self) -> None:
        """What the watchers want may have changed."""
        if self.client is not None:
            self._tick()

    def _suits(self, watcher: Watcher) -> bool:
        """Whether the picture is large enough for `watcher`."""
        return watcher.shown_width is not None or self._scaling.is_full

    def unwatch(self, watcher: Watcher) -> None:
        """`watcher` is told nothing more; after the last one the link closes."""
        if self._watchers.pop(watcher, watcher) is watcher:
            return
        if not self._watchers and self._task is not None:
            self._stop_lingering()
            loop = asyncio.get_running_loop()
            self._linger = loop.call_later(self._timing.linger, self._leave)

    def _stop_lingering(self) -> None:
        if self._linger is not None:
            self._linger.cancel()
            self._linger = None

    def _leave(self) -> None:
        self._linger = None
        self._nudge.set()
        self._drop_greeting()
        if self.client is not None and self._connection is not None:
            self._connection.close()

    async def close(self) -> None:
        """Stop at once, whoever watches."""
        self._watchers.clear()
        self._stop_lingering()
        if (task := self._task) is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    # --- what is known

    def is_proven(self) -> bool:
        """Whether the picture is known to be the present one."""
        return self.client is not None and self._proofs.stands(self._clock())

    @property
    def is_held(self) -> bool:
        """A try now could only do harm; `retry` ends it."""
        return self._clock() < self._held_until

    def note(self, health: Health) -> None:
        """Take in what a look by another road found out."""
        if health.is_held:
            self._held_until = self._clock() + self._timing.hold
        elif health == READY:
            self._held_until = float("-inf")
        if self.client is None:
            self._tell(health)

    def retry(self) -> None:
        """Forget every wait: try now if somebody watches."""
        self._held_until = float("-inf")
        self._backoff.reset()
        self._unreadable = 0
        self._nudge.set()

    def _tell(self, health: Health) -> None:
        self.health = health
        self._report(health)
        for watcher in list(self._watchers):
            watcher.told(health)

    # --- what is said to the workstation

    def flush(self) -> None:
        """Send what `client` has to say."""
        if self.client is not None and self._connection is not None:
            self._connection.write(self.client.data_to_send())

    async def drain(self) -> None:
        """Wait until the server has taken most of its input; a stuck one raises `SilentError`."""
        if self._connection is None:
            return
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._connection.drain(DRAINED_BYTES)
        except TimeoutError as error:
            raise SilentError from error

    # --- connecting

    async def _run(self) -> None:
        self._backoff.reset()
        while True:
            await self._pause()
            if self._may_rest:
                return
            if self.health.state in ("unknown", "ready"):
                self._tell(CONNECTING)
            try:
                await self._session()
            except LINK_ERRORS as error:
                self._note_failure(error)
            if self._may_rest:
                return

    @property
    def _may_rest(self) -> bool:
        """Nobody waits, and nobody is left with "connecting" as the last word."""
        return not self.is_wanted and self.health != CONNECTING

    async def _pause(self) -> None:
        """The wait before the next try: back-off, then what is left of a hold; `_nudge` ends it."""
        self._nudge.clear()
        delay = max(self._backoff.next_delay(), self._held_until - self._clock())
        while delay > 0 and not self._nudge.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._nudge.wait()
            delay = self._held_until - self._clock()

    def _note_failure(self, error: BaseException) -> None:
        cause = error.__cause__ if isinstance(error, _LostError) else None
        health = health_of(cause or error)
        if isinstance(cause or error, _UnreadableError):
            wait = UNREADABLE_SECONDS * 2**self._unreadable
            self._held_until = self._clock() + min(self._timing.hold, wait)
            self._unreadable += 1
        elif health.is_held:
            self._held_until = self._clock() + self._timing.hold
        elif cause is not None and health != SILENT:
            health = CONNECTING  # it stood until now: the next try, at once, knows better
        self._tell(health)

    async def _session(self) -> None:
        await with_second_try(self._new_client, self._connected)

    def _new_client(self, among: frozenset[SecurityType] | None) -> RfbClient:
        return RfbClient(
            self.target.credentials, quality=WALL_QUALITY, native=self._native, among=among
        )

    async def _connected(self, client: RfbClient) -> None:
        connection = await connect(self.target, self._timing)
        try:
            await self._shake_hands(connection, client)
            if self.is_wanted:
                await self._follow(connection, client)
            else:
                self._tell(READY)
        finally:
            connection.close()

    async def _shake_hands(self, connection: Connection, client: RfbClient) -> None:
        self._greeting = connection
        loop = asyncio.get_running_loop()
        teller = loop.call_later(self._timing.told_silent, self._doubt)
        try:
            async with asyncio.timeout(self._timing.handshake):
                while client.framebuffer is None:
                    await self._take_turn(client, await more_for(client, connection))
                    connection.write(client.data_to_send())
        except TimeoutError as error:
            raise SilentError from error
        finally:
            self._greeting = None
            teller.cancel()

    def _doubt(self) -> None:
        """The server owes an answer for a while: say so, and wait only if somebody watches."""
        self._tell(SILENT)
        self._drop_greeting()

    def _drop_greeting(self) -> None:
        if self._greeting is not None and self.health == SILENT and not self.is_wanted:
            self._greeting.close()

    # --- connected

    async def _follow(self, connection: Connection, client: RfbClient) -> None:
        began = self._clock()
        self._open(connection, client, began)
        self._tick()
        try:
            while self.is_wanted:
                if self._dispatch(client):
                    self._tick()
                else:
                    self.flush()
                data = await more_for(client, connection)
                self._proofs.heard(self._clock())
                await self._take_turn(client, data)
        except LINK_ERRORS as error:
            dead = self._proofs.is_dead(self._clock())
            if not self.has_picture:
                # It may have paid no heed to the pixel format that we asked for: the other way now.
                self._native = client.is_translated
            if self.is_wanted and not (dead or self.has_picture):
                raise  # it never stood: no next try knows better
            if self.is_wanted:
                raise _LostError from SilentError() if dead else error
        finally:
            if self._scaling.is_awaited:
                self._may_scale = False  # it was lost over that: not once more
            if self._clock() - began >= self._timing.steady:
                self._backoff.reset()
                self._unreadable = 0
            self._shut()

    def _open(self, connection: Connection, client: RfbClient, now: float) -> None:
        self.client, self._connection = client, connection
        self._requests = Requests(self._timing, now)
        self._proofs = Proofs(self._timing, now)
        self._wants_whole = True
        if client.framebuffer is not None:
            self._scaling = Scaling(client.framebuffer.width, client.framebuffer.height)
        self._held_until = float("-inf")
        self._tell(READY)
        self._tell_opened(client)

    def _tell_opened(self, client: RfbClient) -> None:
        self.has_picture = False
        for watcher in list(self._watchers):
            if self._suits(watcher):
                watcher.opened(client, False)

    def _shut(self) -> None:
        self.client = self._connection = None
        self.has_picture = False
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        for watcher in list(self._watchers):
            watcher.lost()

    def _dispatch(self, client: RfbClient) -> bool:
        """Pass on what the server said; whether it said anything whole."""
        events = client.events()
        for event in events:
            if isinstance(event, Updated):
                self._requests.answered(self._clock())
                self._proofs.proven(self._clock())
                self.has_picture = self.has_picture or not event.damage.is_empty
                if not self._scaling.answered():
                    raise HungUpError
            elif isinstance(event, FenceAnswered) and event.payload == FENCE_PAYLOAD:
                self._proofs.proven(self._clock())
            elif isinstance(event, ColoursChanged):
                client.request_update(False)
            elif isinstance(event, Resized):
                self._wants_whole = True
                self._take_size(client, event)
            for watcher in list(self._watchers):
                if self._suits(watcher):
                    watcher.event(event)
        return bool(events)

    def _take_size(self, client: RfbClient, event: Resized) -> None:
        was_awaited = self._scaling.is_awaited
        if not self._scaling.resized(event.width, event.height):
            raise HungUpError  # the screen itself has another size: how much is shrunk is not told
        if was_awaited:
            self._tell_opened(client)

    async def _take_turn(self, client: RfbClient, data: bytes) -> None:
        """Decode for a while, then leave the event loop to others."""
        rest = LIVE_REST if self._requests.live else WALL_REST
        try:
            await decode_a_while(client, data, self.turns, self._clock, rest)
        except ProtocolError as error:
            if client.framebuffer is None:
                raise
            raise _UnreadableError(str(error)) from error

    def _tick(self) -> None:
        """Ask for a picture or a sign of life where one is due, and come back for the next."""
        client, connection, now = self.client, self._connection, self._clock()
        if client is None or connection is None or connection.is_closed:
            return  # it is being lost, and whoever reads from it tells
        if self._proofs.is_dead(now):
            connection.close()
            return
        if self._proofs.is_late(now) != (self.health == STALE):
            self._tell(STALE if self._proofs.is_late(now) else READY)
        self._ask(client, now)
        connection.write(client.data_to_send())
        self._come_back(now)

    def _ask(self, client: RfbClient, now: float) -> None:
        self._requests.live = any(watcher.live for watcher in self._watchers)
        self._choose_quality(client)
        self._scale(client)
        due = self._requests.due_at(now)
        if due is not None and due <= now:
            client.request_update(not self._wants_whole)
            self._wants_whole = False
            self._requests.asked(now)
        if self._proofs.must_ask(now):
            if client.supports_fence:
                client.send_fence(FENCE_PAYLOAD)
            else:
                client.request_update(False, PIXEL)
            self._proofs.asked(now)

    def _choose_quality(self, client: RfbClient) -> None:
        quality = QUALITY if self._requests.live else WALL_QUALITY
        if client.quality != quality:
            client.set_quality(quality)
            if self._requests.live:
                client.request_update(False)  # what is there is coarser

    def _scale(self, client: RfbClient) -> None:
        """Have the server shrink its screen where only tiles are made of it."""
        if not (client.supports_scale and self._may_scale and self._watchers):
            return
        widths = [watcher.shown_width for watcher in self._watchers]
        wanted = None if None in widths else max(width for width in widths if width is not None)
        factor = self._scaling.wish(wanted)
        if factor is not None:
            client.set_scale(factor)
            client.request_update(False)  # the new size comes with an answer
            self._scaling.asked(factor)

    def _come_back(self, now: float) -> None:
        due = self._requests.due_at(now)
        moment = self._proofs.next_check_after(now)
        if due is not None:
            moment = min(moment, due)
        if self._ticker is not None:
            if self._tick_at <= moment:
                return  # it comes back early and looks again
            self._ticker.cancel()
        self._tick_at = moment
        loop = asyncio.get_running_loop()
        self._ticker = loop.call_later(max(0.0, moment - now) + ROUNDING_SECONDS, self._wake)

    def _wake(self) -> None:
        self._ticker = None
        self._tick()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
        if not task.cancelled() and task.exception() is not None:
            # a fault of ours, logged by spawn: it must not come back in a tight loop
            self.note(FAILED)
            self._held_until = self._clock() + self._timing.hold
        if self._watchers and not task.cancelled() and self._task is None:
            self._task = spawn(self._run(), f"link to {self.target.address}")
            self._task.add_done_callback(self._ended)


class _LostError(HungUpError):
    """A link that stood is gone; its cause says how."""


class _UnreadableError(ProtocolError):
    """What a server sent of its screen cannot be decoded."""
