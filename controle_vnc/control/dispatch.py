"""What each request of the site does: one method for each, found by the message's class."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from controle_vnc import __version__
from controle_vnc.control import messages
from controle_vnc.control.messages import (
    MAX_WORKSTATIONS_A_REQUEST,
    Done,
    Reply,
    Request,
    Viewer,
    Workstation,
)
from controle_vnc.control.relay import FilesRelay
from controle_vnc.errors import JournalError, RequestRefusedError
from controle_vnc.room.hub import Hub
from controle_vnc.room.seat import Seat
from controle_vnc.store import MAX_ROOM_CHARACTERS, Store, StoredWorkstation
from controle_vnc.viewer.grant import Grant
from controle_vnc.viewer.house import as_word
from controle_vnc.viewer.journal import MAX_FIELD_CHARACTERS, Journal
from controle_vnc.viewer.lease import SWITCHED_OFF, Leases
from controle_vnc.viewer.switch import Switch
from controle_vnc.viewer.ticket import TICKET_SECONDS, TicketOffice

logger = logging.getLogger(__name__)

MAX_USERS_A_WALL = 2000  # a wall shows a class; this is a whole school
GRANT_ID_BYTES = 8


@dataclass(frozen=True)
class _Saved:
    """What was stored (True: it was added), and how many of it were news."""

    saved: list[tuple[StoredWorkstation, bool]]
    news: int


_Change = tuple[str, StoredWorkstation, dict[str, str]]


@dataclass
class Dispatcher:
    """Carries out requests on the parts of the daemon."""

    store: Store
    hub: Hub
    office: TicketOffice
    leases: Leases
    journal: Journal
    clock: Callable[[], float] = time.time
    switch: Switch = field(default_factory=Switch)
    files: FilesRelay | None = None
    _rewind_at: int = -1  # when the newest order of rooms was given

    def __post_init__(self) -> None:
        self._started_at = int(self.clock() * 1000)
        self._table: dict[type[Any], Callable[[Any], Awaitable[Reply]]] = {
            messages.GetStatus: self._status,
            messages.ListRooms: self._rooms,
            messages.ListWorkstations: self._workstations,
            messages.SaveWorkstation: self._save,
            messages.SaveWorkstations: self._save_all,
            messages.RemoveWorkstation: self._remove,
            messages.ProbeWorkstation: self._probe,
            messages.RetryWorkstation: self._retry,
            messages.IssueScreenTicket: self._screen_ticket,
            messages.IssueWallTicket: self._wall_ticket,
            messages.RenewLeases: self._renew,
            messages.RevokeSessions: self._revoke,
            messages.CloseViewers: self._close_viewers,
            messages.SwitchScreens: self._switch_screens,
            messages.SetRewind: self._set_rewind,
            messages.ListRewind: self._list_rewind,
            messages.GetRewind: self._get_rewind,
            messages.PullEvents: self._pull,
            messages.AcknowledgeEvents: self._acknowledge,
            **dict.fromkeys(messages.FileRequest.__args__, self._file_work),
        }

    async def __call__(self, request: Request) -> Reply:
        """The reply to `request`; raises `RequestRefusedError`."""
        return await self._table[type(request)](request)

    async def _status(self, _: messages.GetStatus) -> Reply:
        return messages.Status(
            version=__version__,
            started_at=self._started_at,
            workstations=len(self.hub.workstations()),
            upstreams=self.hub.upstreams,
            walls=self.leases.count("wall"),
            screens=self.leases.count("screen"),
            leases=len(self.leases),
            events_waiting=self.journal.waiting(),
            screens_closed=self.leases.is_shut,
            rewind_bytes=self.hub.rewind_bytes,
        )

    async def _rooms(self, _: messages.ListRooms) -> Reply:
        return messages.Rooms(rooms=self.hub.rooms())

    async def _workstations(self, request: messages.ListWorkstations) -> Reply:
        users = None if request.users is None else frozenset(request.users)
        ids = None if request.ids is None else frozenset(request.ids)

        def wanted(one: Workstation) -> bool:
            return (
                (request.room is None or one.room == request.room)
                and (users is None or one.user in users)
                and (ids is None or one.id in ids)
            )

        found = [one for one in self.hub.workstations() if wanted(one)]
        if request.refresh:
            self.hub.refresh(one.id for one in found)
        if request.sign_in:
            found = [self.hub.seat(one.id).describe(with_sign_in=True) for one in found]
        return messages.Workstations(workstations=found)

    async def _save(self, request: messages.SaveWorkstation) -> Reply:
        ((stored, created),) = (await self._saved([request], request.by)).saved
        return messages.WorkstationSaved(id=stored.id, created=created)

    async def _save_all(self, request: messages.SaveWorkstations) -> Reply:
        if len(request.changes) > messages.MAX_WORKSTATIONS_A_REQUEST:
            raise RequestRefusedError(
                "invalid", f"at most {messages.MAX_WORKSTATIONS_A_REQUEST} workstations at once"
            )
        return Done(count=(await self._saved(request.changes, request.by)).news)

    async def _saved(self, changes: list[messages.SaveWorkstation], by: str) -> "_Saved":
        """Store all of `changes` or none, tell who watches, and journal what is new."""
        entries = []
        await self.hub.kept()  # what was learnt a moment ago is not taken for forgotten
        async with self.hub.changing:
            saved = await asyncio.to_thread(self.store.save_all, changes)
            for stored, created in saved:
                seat = self.hub.find(stored.id)
                before = None if seat is None else seat.stored
                is_news = before != stored
                if created:
                    self.hub.add(stored)
                else:
                    self.hub.change(stored)
                if is_news:
                    kind = "workstation_added" if created else "workstation_changed"
                    entries.append((kind, stored, _changes_of(before, stored)))
        await self._record_all(entries, by)
        return _Saved(saved, len(entries))

    async def _remove(self, request: messages.RemoveWorkstation) -> Reply:
        async with self.hub.changing:
            stored = await asyncio.to_thread(self.store.remove, request.workstation)
            self.hub.remove(stored.id)
        await self._record("workstation_removed", request.by, stored)
        return Done(count=1)

    async def _record(self, kind: str, by: str, stored: StoredWorkstation) -> None:
        await self._record_all([(kind, stored, {})], by)

    async def _record_all(self, changes: "list[_Change]", by: str) -> None:
        """Journal changes that were made; their caller is told where that fails."""
        try:
            entries = [
                self.journal.entry(
                    kind, by[:MAX_FIELD_CHARACTERS], "", stored.id, {**told_of(stored), **more}
                )
                for kind, stored, more in changes
            ]
            if entries:
                await asyncio.to_thread(self.journal.write, entries)
        except JournalError as error:
            name = changes[0][1].name if len(changes) == 1 else f"{len(changes)} workstations"
            raise RequestRefusedError(
                "journal", f"{name} changed, but the journal cannot be written: {error}"
            ) from error

    async def _probe(self, request: messages.ProbeWorkstation) -> Reply:
        return await self.hub.probe(self._found(request.workstation))

    async def _retry(self, request: messages.RetryWorkstation) -> Reply:
        self.hub.retry(self._found(request.workstation))
        return Done(count=1)

    async def _screen_ticket(self, request: messages.IssueScreenTicket) -> Reply:
        viewer = request.viewer
        self._lease(viewer)
        seat = self.hub.seat(request.workstation)
        return self._ticket(
            Grant(
                id=secrets.token_hex(GRANT_ID_BYTES),
                session=viewer.session,
                user=viewer.user,
                name=viewer.name,
                ends_at=viewer.ends_at,
                kind="screen",
                workstation=seat.id,
                mode=request.mode,
                occupancy=seat.stored.occupancy,
            )
        )

    async def _wall_ticket(self, request: messages.IssueWallTicket) -> Reply:
        viewer, users = request.viewer, request.users
        if (request.room is None) == (users is None):
            raise RequestRefusedError("invalid", "a wall is of a room, or of users")
        if users is not None and len(users) > MAX_USERS_A_WALL:
            raise RequestRefusedError("invalid", f"a wall has at most {MAX_USERS_A_WALL} users")
        if len(request.label) > MAX_FIELD_CHARACTERS:
            raise RequestRefusedError(
                "invalid", f"the label has more than {MAX_FIELD_CHARACTERS} characters"
            )
        self._lease(viewer)
        return self._ticket(
            Grant(
                id=secrets.token_hex(GRANT_ID_BYTES),
                session=viewer.session,
                user=viewer.user,
                name=viewer.name,
                ends_at=viewer.ends_at,
                label=request.label,
                kind="wall",
                room=request.room,
                users=None if users is None else tuple(users),
            )
        )

    async def _renew(self, request: messages.RenewLeases) -> Reply:
        alive = [self.leases.renew(lease.session, lease.ends_at) for lease in request.leases]
        return Done(count=sum(alive))

    async def _revoke(self, request: messages.RevokeSessions) -> Reply:
        tickets = self.office.revoke(set(request.sessions))
        return Done(count=tickets + self.leases.revoke(request.sessions))

    async def _close_viewers(self, request: messages.CloseViewers) -> Reply:
        tickets = self.office.revoke(set(request.sessions))
        return Done(count=tickets + self.leases.close_viewers(request.sessions))

    async def _switch_screens(self, request: messages.SwitchScreens) -> Reply:
        if not self.switch.turn(request.closed, request.at):
            return Done()
        closed = 0
        if request.closed:
            self.office.forget()
            closed = self.leases.shut()
        else:
            self.leases.let_open()
        logger.warning("all screens are %s", "closed" if request.closed else "allowed again")
        await asyncio.to_thread(self.switch.keep)
        return Done(count=closed)

    async def _set_rewind(self, request: messages.SetRewind) -> Reply:
        rooms = request.rooms
        if len(rooms) > MAX_WORKSTATIONS_A_REQUEST:
            raise RequestRefusedError("invalid", f"at most {MAX_WORKSTATIONS_A_REQUEST} rooms")
        if any(not 0 < len(room) <= MAX_ROOM_CHARACTERS for room in rooms):
            raise RequestRefusedError(
                "invalid", f"a room has 1 to {MAX_ROOM_CHARACTERS} characters"
            )
        if request.at < self._rewind_at:
            return Done()
        self._rewind_at = request.at
        self.hub.keep_rewind(rooms)
        return Done(count=len(rooms))

    async def _list_rewind(self, request: messages.ListRewind) -> Reply:
        ring, now = self._rewound(request.workstation).rewind, self.hub.now_ms()
        return messages.RewindTimes(now=now, pictures=ring.spans(now))

    async def _get_rewind(self, request: messages.GetRewind) -> Reply:
        ring, now = self._rewound(request.workstation).rewind, self.hub.now_ms()
        kept = ring.picture(request.at, now)
        if kept is None:
            raise RequestRefusedError("nothing_kept", "nothing is kept of that moment")
        return messages.RewindPicture(at=kept.at, width=kept.width, jpeg=kept.jpeg)

    def _rewound(self, workstation: str) -> Seat:
        """The seat of which the last minutes may be looked at."""
        if self.leases.is_shut:
            raise RequestRefusedError(SWITCHED_OFF, "an administrator has closed all screens")
        seat = self.hub.seat(workstation)
        if not seat.rewind.is_on:
            raise RequestRefusedError("rewind_off", "nothing is kept in that room")
        return seat

    async def _pull(self, request: messages.PullEvents) -> Reply:
        events = await asyncio.to_thread(self.journal.after, request.after, request.limit)
        return messages.Events(events=events)

    async def _acknowledge(self, request: messages.AcknowledgeEvents) -> Reply:
        return Done(count=await asyncio.to_thread(self.journal.acknowledge, request.up_to))

    async def _file_work(self, request: messages.FileRequest) -> Reply:
        if self.files is None:
            raise RequestRefusedError("files_down", "controle-vnc-files is not configured")
        return await self.files.ask(request)

    def _found(self, name_or_id: str) -> str:
        """The id of a workstation that is named by name or id."""
        for one in self.hub.workstations():
            if name_or_id in (one.id, one.name):
                return one.id
        raise RequestRefusedError("unknown_workstation", "there is no such workstation")

    def _lease(self, viewer: Viewer) -> None:
        """A ticket renews its session's lease; a dead session gets none."""
        for text in (viewer.session, viewer.user, viewer.name):
            if not text or len(text) > MAX_FIELD_CHARACTERS:
                raise RequestRefusedError(
                    "invalid", f"session, user and name have 1 to {MAX_FIELD_CHARACTERS} characters"
                )
        if self.leases.is_shut:
            raise RequestRefusedError(SWITCHED_OFF, "an administrator has closed all screens")
        if not self.leases.renew(viewer.session, viewer.ends_at):
            raise RequestRefusedError("not_leased", "the session is over")

    def _ticket(self, grant: Grant) -> Reply:
        return messages.Ticket(ticket=self.office.issue(grant), expires_in=TICKET_SECONDS)


def _changes_of(before: StoredWorkstation | None, after: StoredWorkstation) -> dict[str, str]:
    """What the journal says of how a workstation was changed: which fields, and the key it had.

    Never a password: only that it is another one.
    """
    details: dict[str, str] = {}
    if before is not None:
        fields = ("name", "room", "address", "user", "password", "vnc_user", "trust")
        changed = [one for one in fields if getattr(before, one) != getattr(after, one)]
        details["changed"] = " ".join(changed)
    before_trust = None if before is None else before.trust
    if before_trust != after.trust:
        known, shown = (text or "" for text in (before_trust, after.trust))
        details |= {
            "known": known[:MAX_FIELD_CHARACTERS],
            "shown": shown[:MAX_FIELD_CHARACTERS],
        }
    return details


def told_of(stored: StoredWorkstation) -> dict[str, str | int]:
    """What the journal keeps of a changed workstation."""
    details: dict[str, str | int] = {"workstation": stored.name, "room": stored.room}
    if stored.user:
        details["login"] = as_word(stored.user)
    return details
