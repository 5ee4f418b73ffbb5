"""One workstation as the daemon keeps it: its link, its tiles, its live viewers, its memory."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from controle_vnc.control.messages import Controller, Mode, Workstation
from controle_vnc.errors import KeyChangedError
from controle_vnc.rfb.security_types.trust import Trust, as_text, parse_trust
from controle_vnc.room.direct import DirectSlot
from controle_vnc.room.feed import Feed
from controle_vnc.room.rewind import Ring, Shelf
from controle_vnc.room.tiles import TileListener, Tiles, Workshop
from controle_vnc.store import StoredWorkstation
from controle_vnc.workstation.address import parse_address
from controle_vnc.workstation.link import Link, Watcher
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.state import Health, shown_state
from controle_vnc.workstation.target import Target

DECODED_SECONDS = 60.0  # how long a session that left a pass-through undrained is served decoded
MAX_CONTROLLERS = 4  # that are named: a tile has no room for more, nor a list of 2,000 of them
MAX_REMEMBERED_SESSIONS = 64  # of one workstation; a class has fewer teachers
MAX_TOLD_KEYS = 64  # of one workstation: a hostile server may show another one each time

BARE, DRAWN = "vnc", "demo"  # kinds: a bare VNC server, and one that only draws a desktop
DRAWN_SOCKET = "demo-"  # what the socket of a drawn desktop begins with


NEVER = float("-inf")


class Way:
    """How a workstation is reached, from one change of it to the next: its identity counts."""


@dataclass(frozen=True)
class LiveViewer:
    """A screen: how to end it with a code, and once it is open how it may watch, and who does."""

    stop: Callable[[str], None]
    mode: Mode | None = None
    who: Controller | None = None


@dataclass(frozen=True)
class Surroundings:
    """What every seat of a hub shares."""

    workshop: Workshop
    encoders: Executor
    timing: Timing
    turns: asyncio.Lock
    changed: Callable[["Seat"], None]
    shelf: Shelf
    met: Callable[["Seat", "Way", str], None]
    key_changed: Callable[["Seat", str], None]


def kind_of(address: str) -> str:
    """What stands at an address: `vnc`, or `demo` for a drawn desktop."""
    path = parse_address(address).path or ""
    return DRAWN if path.rpartition("/")[2].startswith(DRAWN_SOCKET) else BARE


class Seat:
    """Everything the daemon knows of one workstation while it runs."""

    def __init__(self, stored: StoredWorkstation, around: Surroundings) -> None:
        self.stored = stored
        self.checked_at: int | None = None
        self.retried_at = NEVER
        """When somebody last wished that it be tried again."""
        self.direct = DirectSlot(around.workshop.clock)
        self._around = around
        self._viewers: dict[object, LiveViewer] = {}
        self._watchers: dict[Watcher, None] = {}
        self._decoded_until: dict[str, float] = {}
        self._told_keys: set[str] = set()
        self.link = self._new_link()
        self.rewind = Ring(around.shelf)
        self.tiles = Tiles(stored.number, around.workshop, self.rewind)
        self.take_rewind_setting()
        self.feed = Feed(around.encoders)

    def _new_link(self) -> Link:
        stored, way = self.stored, Way()
        self._way = way
        address = parse_address(stored.address)
        met = functools.partial(self._met, way)
        target = Target(address, stored.password, stored.vnc_user, stored.trust, met)
        around = self._around
        clock = around.workshop.clock
        return Link(target, self._reported, around.timing, clock, turns=around.turns)

    def _met(self, way: Way, shown: str) -> None:
        """A server showed what it can be known by: the first one is remembered.

        A try that began before the workstation was changed teaches nothing: it may have led to
        another machine.
        """
        if not self.leads(way):
            raise KeyChangedError("the workstation was changed meanwhile", shown)
        known = parse_trust(self.stored.trust)
        if self.stored.trust is None:
            self.stored = replace(self.stored, trust=as_text(Trust(pin=shown, is_learnt=True)))
            self.link.target = replace(self.link.target, trust=self.stored.trust)
            self._around.met(self, way, shown)
        elif not known.fits(shown):
            raise KeyChangedError(
                f"the server showed {shown} and, a moment ago, {known.pin}", shown
            )

    def leads(self, way: Way) -> bool:
        """Whether that is still the way to the workstation."""
        return way is self._way

    def note(self, link: Link, health: Health) -> None:
        """Take in what a look by another road than the link found out, on the way of `link`.

        Another key is told also while the link stands: its server may be the right one, and who
        answers now another. What was seen on a former way says nothing of the present one.
        """
        if link is self.link:
            link.note(health)
            self._tell_of_key(health)

    def _reported(self, health: Health) -> None:
        self.direct.link_told(health)
        self._tell_of_key(health)
        if health.state != "connecting":
            self.checked_at = self._around.workshop.now_ms()
        self._around.changed(self)

    def _tell_of_key(self, health: Health) -> None:
        """Another key than the known one is told once, however often it is seen."""
        if health.reason is None or health.reason.code != "key_changed":
            return
        shown = str(health.reason.arguments.get("shown", ""))
        if not shown or shown in self._told_keys:
            return
        if len(self._told_keys) >= MAX_TOLD_KEYS:
            self._told_keys.clear()
        self._told_keys.add(shown)
        self._around.key_changed(self, shown)

    # --- what is stored

    @property
    def number(self) -> int:
        return self.stored.number

    @property
    def id(self) -> str:
        return self.stored.id

    def replace(self, stored: StoredWorkstation) -> Link | None:
        """Take in a change; the old link, to be closed, where it led elsewhere.

        Live screens end where it leads elsewhere or shows somebody else: their pages ask anew.
        """
        old, self.stored = self.stored, stored
        leads_elsewhere = old.way != stored.way
        if leads_elsewhere or old.occupancy != stored.occupancy:
            self.stop_viewers("changed")
            self.rewind.forget(self._around.workshop.now_ms())
            self.take_rewind_setting()
        if not leads_elsewhere:
            return None
        link, self.link = self.link, self._new_link()
        self.retried_at = NEVER
        self._told_keys.clear()
        self.direct.takes_one_client = False
        self.checked_at = None
        for watcher in self._watchers:
            link.unwatch(watcher)
            watcher.lost()
            self.link.watch(watcher)
        return link

    # --- what is shown

    def describe(self, with_sign_in: bool = False) -> Workstation:
        """The workstation as others may know it; `with_sign_in`: as who administers it may."""
        health, now_ms = self.link.health, self._around.workshop.now_ms
        controllers = sum(viewer.mode == "control" for viewer in self._viewers.values())
        state = shown_state(health, self.screens, controllers)
        return Workstation(
            id=self.id,
            number=self.number,
            name=self.stored.name,
            room=self.stored.room,
            address=self.stored.address,
            kind=kind_of(self.stored.address),
            user=self.stored.user,
            vnc_user=self.stored.vnc_user if with_sign_in else None,
            trust=self.stored.trust if with_sign_in else None,
            state=state,
            reason=health.reason,
            checked_at=now_ms() if self.link.is_proven() else self.checked_at,
            controllers=self._controllers() if state == "controlled" else [],
        )

    def _controllers(self) -> list[Controller]:
        viewers = self._viewers.values()
        found = {one.who.login: one.who for one in viewers if one.mode == "control" and one.who}
        return list(found.values())[:MAX_CONTROLLERS]

    # --- who watches

    def watch(self, watcher: Watcher) -> None:
        """Give `watcher` the decoded picture, over changes of the address too."""
        self._watchers[watcher] = None
        self.link.watch(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        self._watchers.pop(watcher, None)
        self.link.unwatch(watcher)

    def want_tiles(self, listener: TileListener, width: int) -> None:
        """A wall shows this workstation from now on, at `width`."""
        was_wanted = self.tiles.is_wanted
        self.tiles.want(listener, width)
        if was_wanted:
            self.link.look_again()
        else:
            self.watch(self.tiles)

    def leave_tiles(self, listener: TileListener) -> None:
        """A wall shows it no more."""
        was_wanted = self.tiles.is_wanted
        self.tiles.leave(listener)
        if was_wanted and not self.tiles.is_wanted:
            self.unwatch(self.tiles)

    def viewer_came(self, key: object, viewer: LiveViewer) -> None:
        """A live screen is being opened, or is open: the workstation is viewed or controlled."""
        self._viewers[key] = viewer
        self._around.changed(self)

    def viewer_left(self, key: object) -> None:
        if self._viewers.pop(key, None) is not None:
            self._around.changed(self)

    def stop_viewers(self, code: str) -> None:
        """End every live screen of this workstation."""
        for viewer in list(self._viewers.values()):
            viewer.stop(code)

    @property
    def screens(self) -> int:
        """Those that are open."""
        return sum(viewer.mode is not None for viewer in self._viewers.values())

    @property
    def upstreams(self) -> int:
        return (self.link.client is not None) + self.direct.is_open

    # --- what is remembered

    def take_rewind_setting(self) -> None:
        """Keep pictures of the last minutes where the room has it on, else forget them."""
        is_on = self.stored.room in self._around.shelf.rooms
        if self.rewind.switch(is_on, self._around.workshop.now_ms()) and is_on:
            self.tiles.rewind_began()

    def forget(self) -> None:
        """The workstation is no longer stored."""
        self.rewind.switch(False, self._around.workshop.now_ms())

    def retry(self) -> None:
        """Forget every wait and every habit of the server."""
        self.direct.takes_one_client = False
        self.link.retry()

    def serve_decoded(self, session: str) -> None:
        """For a while, `session` gets its screens of this workstation decoded."""
        now = self._around.workshop.clock()
        if len(self._decoded_until) >= MAX_REMEMBERED_SESSIONS:
            self._decoded_until.clear()
        self._decoded_until[session] = now + DECODED_SECONDS

    def may_pass_through(self, session: str) -> bool:
        """Whether a new screen of `session` may have an upstream of its own."""
        return self.direct.is_free and self._around.workshop.clock() >= self._decoded_until.get(
            session, 0.0
        )
