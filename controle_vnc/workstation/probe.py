"""One whole look at a workstation at somebody's request: each step, its time, what went wrong."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from controle_vnc.control.messages import ProbeStep
from controle_vnc.rfb.client import RfbClient, Updated
from controle_vnc.workstation.pace import Timing
from controle_vnc.workstation.state import LINK_ERRORS, READY, Health, SilentError, health_of
from controle_vnc.workstation.target import Target
from controle_vnc.workstation.upstream import REFUSALS, Connection, connect, next_kinds

STEPS = {"version": "version", "security": "security", "init": "init", "done": "picture"}


@dataclass
class _Steps:
    """The steps so far; each ends when the next begins."""

    clock: Callable[[], float]
    done: list[ProbeStep] = field(default_factory=list)
    name: str = "connect"
    began: float = 0.0

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
) -> tuple[Health, list[ProbeStep]]:
    """Connect, shake hands, fetch one picture. The last step is the one that failed, if any."""
    steps = _Steps(clock, began=clock())
    client = RfbClient(target.credentials)
    try:
        try:
            await _look(target, client, timing, steps)
        except REFUSALS:
            kinds = next_kinds(client.stage, client.next_kinds)
            if not kinds:
                raise
            await _look(target, RfbClient(target.credentials, among=kinds), timing, steps)
    except LINK_ERRORS as error:
        health = health_of(error)
        return health, steps.finish(health)
    return READY, steps.finish(READY)


async def _look(target: Target, client: RfbClient, timing: Timing, steps: _Steps) -> None:
    connection = await connect(target.address, timing)
    try:
        async with asyncio.timeout(timing.opening):
            await _follow(connection, client, steps)
    except TimeoutError as error:
        raise SilentError from error
    finally:
        connection.close()


async def _follow(connection: Connection, client: RfbClient, steps: _Steps) -> None:
    asked = False
    while True:
        steps.enter(STEPS[client.stage])
        if client.framebuffer is not None and not asked:
            client.request_update(False)
            asked = True
        connection.write(client.data_to_send())
        if any(isinstance(event, Updated) for event in client.events()):
            return
        client.receive_data(await connection.read())
