"""One live screen: opened by the shortest road there is, told in RFB when there is none."""

import asyncio
import contextlib
import logging

from controle_vnc.control.messages import Controller, Reason
from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.messages import ServerInit
from controle_vnc.rfb.server_handshake import ServerHandshake
from controle_vnc.room.seat import LiveViewer, Seat
from controle_vnc.viewer.grant import Closing, Grant
from controle_vnc.viewer.house import Details, House, as_word
from controle_vnc.viewer.passthrough import Passthrough
from controle_vnc.viewer.race import first_to_end
from controle_vnc.viewer.shared import SharedScreen
from controle_vnc.viewer.stream import Stream
from controle_vnc.workstation.state import LINK_ERRORS, READY, health_of, refusal
from controle_vnc.workstation.upstream import Upstream, open_upstream

logger = logging.getLogger(__name__)

REFUSE_SECONDS = 2.0  # a refusal is best effort


class RefusedScreenError(Exception):
    """The screen cannot be opened, for a reason its viewer is told."""

    def __init__(self, reason: Reason | None) -> None:
        self.reason = reason or Reason("failed")
        super().__init__(self.reason.code)


class Screen:
    """One viewer's way through handshake, pictures and end; `code` says why it ended."""

    def __init__(
        self, grant: Grant, closing: Closing, viewer: Stream, house: House, look: Details
    ) -> None:
        self.code = "left"
        self.refused = False
        self.latency: float | None = None
        self._grant = grant
        self._closing = closing
        self._viewer = viewer
        self._house = house
        self._look = look
        self._rights = grant.mode == "control", house.settings.CLIPBOARD
        self._handshake = ServerHandshake()
        self._name = f"screen of {grant.user}"

    async def run(self) -> None:
        """Serve the viewer until it leaves, the workstation fails or the order to close comes."""
        await first_to_end(self._name, self._serve(), self._closing.wait())
        if self._closing.code is not None:
            self.code = self._closing.code

    async def _serve(self) -> None:
        try:
            if not await self._viewer.shake_hands(self._handshake, lambda: self._handshake.greeted):
                return
            try:
                await self._open()
            except RefusedScreenError as error:
                self.refused, self.code = True, error.reason.code
                await self._refuse(error.reason)
        except (ProtocolError, ConnectionError, TimeoutError) as error:
            logger.info("%s ended in its handshake: %s", self._name, error or type(error).__name__)

    async def _refuse(self, reason: Reason) -> None:
        self._handshake.refuse(refusal(reason))
        self._viewer.write(self._handshake.data_to_send())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REFUSE_SECONDS):
                await self._viewer.drain()

    async def _open(self) -> None:
        seat = self._house.hub.find(self._grant.workstation or "")
        if seat is None:
            raise RefusedScreenError(Reason("unknown_workstation"))
        if seat.stored.occupancy != self._grant.occupancy:
            raise RefusedScreenError(Reason("changed"))
        # known to the seat before anything is awaited: whatever happens to it ends this screen
        seat.viewer_came(self, LiveViewer(self._closing.close))
        try:
            await self._show(seat)
        finally:
            seat.viewer_left(self)
        if self.code == "closed":
            self._house.hub.look_again(seat)

    async def _show(self, seat: Seat) -> None:
        if not await self._house.record("screen_opened", self._grant, self._look):
            raise RefusedScreenError(Reason("journal"))
        if seat.link.is_held:
            raise RefusedScreenError(seat.link.health.reason)
        if not (seat.may_pass_through(self._grant.session) and await self._direct(seat)):
            await self._shared(seat)

    # --- an upstream of its own

    async def _direct(self, seat: Seat) -> bool:
        """Serve from an upstream of its own; False where the server does not take a second."""
        seat.direct.reserve()
        try:
            upstream = await self._second_upstream(seat)
            if upstream is None:
                return False
            try:
                await self._pass_through(seat, upstream)
            finally:
                upstream.connection.close()
        finally:
            seat.direct.release()
        return True

    async def _second_upstream(self, seat: Seat) -> Upstream | None:
        link = seat.link
        was_watched = link.client is not None
        try:
            upstream = await open_upstream(link.target, self._house.hub.timing, link.turns)
        except LINK_ERRORS as error:
            health = health_of(error)
            if was_watched and not health.is_held:
                seat.direct.was_cut()
                return None
            seat.note(link, health)
            raise RefusedScreenError(health.reason) from error
        seat.note(link, READY)
        return upstream

    async def _pass_through(self, seat: Seat, upstream: Upstream) -> None:
        if not await self._let_in(seat, upstream.server_init):
            return
        passing = Passthrough(upstream, self._viewer, *self._rights)
        seat.direct.opened(passing.end)
        await passing.run(self._handshake.rest)
        self.code = passing.code
        if passing.code == "slow":
            seat.serve_decoded(self._grant.session)
        elif passing.code == "closed":
            seat.direct.was_cut()

    # --- the decoded picture

    async def _shared(self, seat: Seat) -> None:
        screen = SharedScreen(seat, self._viewer, *self._rights)
        try:
            server_init = await screen.arrive(self._house.hub.timing.opening)
            if server_init is None:
                raise RefusedScreenError(screen.health.reason or Reason("no_answer"))
            if await self._let_in(seat, server_init):
                await screen.run(self._name, self._handshake.rest)
                self.code = screen.code
        finally:
            self.latency = screen.latency
            screen.leave()

    # --- both

    async def _let_in(self, seat: Seat, server_init: ServerInit) -> bool:
        """Finish the viewer's handshake; False where it hung up or may not look any more."""
        self._handshake.offer()
        if not await self._viewer.shake_hands(self._handshake, lambda: self._handshake.done):
            return False
        if self._closing.code is not None:
            return False  # it came with the last word of the handshake
        self._handshake.open(server_init)
        self._viewer.write(self._handshake.data_to_send())
        who = Controller(self._grant.user, self._grant.name)
        seat.viewer_came(self, LiveViewer(self._closing.close, self._grant.mode or "view", who))
        return True


async def serve(grant: Grant, closing: Closing, viewer: Stream, house: House) -> None:
    """One screen from its first byte to its last; its opening and its end are journalled."""
    began = house.hub.clock()
    look = _look(grant, house)
    screen = Screen(grant, closing, viewer, house, look)
    try:
        await screen.run()
    finally:
        kind = "screen_refused" if screen.refused else "screen_closed"
        seconds = int(house.hub.clock() - began)
        details: Details = {**look, "seconds": seconds, "code": screen.code}
        if screen.latency is not None:
            details["latency_ms"] = round(screen.latency * 1000)
        await house.record(kind, grant, details)


def _look(grant: Grant, house: House) -> Details:
    """What the journal says of a screen: how it is watched, which, and who sits there."""
    look: Details = {"look": grant.id, "mode": grant.mode or "view"}
    seat = house.hub.find(grant.workstation or "")
    if seat is not None:
        look["workstation"] = seat.stored.name
    if grant.occupancy is not None:
        look["room"] = grant.occupancy.room
        if grant.occupancy.user:
            look["watched"] = as_word(grant.occupancy.user)
    return look
