"""One whole look at a workstation at somebody's request: each step, its time, what went wrong."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from controle_vnc.control.messages import ProbeStep
from controle_vnc.rfb.client import RfbClient, Updated
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.workstation.connection import Connection
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.state import LINK_ERRORS, READY, Health, SilentError, health_of
from controle_vnc.workstation.target import Target
from controle_vnc.workstation.turn import LIVE_REST, decode_a_while, more_for
from controle_vnc.workstation.upstream import connect, with_second_try

STEPS = {"version": "version", "security": "security", "init": "init", "done": "picture"}


@dataclass
class _Steps:
    """The steps so far; each ends when the next begins."""

    clock: Callable[[], float]
    done: list[ProbeStep] = field(default_factory=list)
    name: str = "connect"
    began: float = 0.0

    def begin_again(self) -> None:
        """Forget what was tried: the way that is tried now is the one to tell of."""
        self.done.clear()
        self.name, self.began = "connect", self.clock()

    def enter(self, name: str) -> None:
        if name != self.name:
            self._end(ok=True)
            self.name = name

    def _end(self, ok: bool, detail: str = "") -> None:
        now = self.clock()
        milliseconds = round((now - self.began) * 1000, 1)
        self.done.append(ProbeStep(self.name, ok, milliseconds, detail))
        self.began = now

    def finish(self, health: Health) -> list[ProbeStep]:
        reason = health.reason
        detail = "" if reason is None else str(reason.arguments.get("detail", reason.code))
        self._end(health == READY, detail)
        return self.done


async def probe(
    target: Target,
    timing: Timing,
    clock: Callable[[], float] = time.monotonic,
    turns: asyncio.Lock | None = None,
) -> tuple[Health, list[ProbeStep]]:
    """Connect, shake hands, fetch one picture. The last step is the one that failed, if any.

    Decodes in turn with whoever shares `turns`.
    """
    steps = _Steps(clock, began=clock())
    try:
        await _Look(target, timing, steps, turns or asyncio.Lock()).run()
    except LINK_ERRORS as error:
        health = health_of(error)
        return health, steps.finish(health)
    return READY, steps.finish(READY)


class _Look:
    """Tries, as a link does, every way to a picture; for two of them there is time."""

    def __init__(self, target: Target, timing: Timing, steps: _Steps, turns: asyncio.Lock) -> None:
        self._target = target
        self._timing = timing
        self._steps = steps
        self._turns = turns
        self._native = False
        self._client = RfbClient(None)
        self._until = asyncio.get_running_loop().time() + 2 * timing.opening

    async def run(self) -> None:
        """Raises one of `LINK_ERRORS` where there is no picture."""
        try:
            await self._one_way()
        except LINK_ERRORS:
            if not self._client.is_translated:
                raise
            # It may have paid no heed to the pixel format that we asked for: the other way now.
            self._native = True
            self._steps.begin_again()
            await self._one_way()

    def _new_client(self, among: frozenset[SecurityType] | None) -> RfbClient:
        self._client = RfbClient(self._target.credentials, native=self._native, among=among)
        return self._client

    async def _one_way(self) -> None:
        await with_second_try(self._new_client, self._picture)

    async def _picture(self, client: RfbClient) -> None:
        connection = await connect(self._target, self._timing)
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(now + self._timing.opening, self._until)):
                await self._follow(connection, client)
        except TimeoutError as error:
            raise SilentError from error
        finally:
            connection.close()

    async def _follow(self, connection: Connection, client: RfbClient) -> None:
        asked = False
        while True:
            self._steps.enter(STEPS[client.stage])
            if client.framebuffer is not None and not asked:
                client.request_update(False)
                asked = True
            connection.write(client.data_to_send())
            if any(isinstance(event, Updated) for event in client.events()):
                return
            data = await more_for(client, connection)
            await decode_a_while(client, data, self._turns, self._steps.clock, LIVE_REST)
