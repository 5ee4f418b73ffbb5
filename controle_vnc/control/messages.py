"""The messages of 8788 and of the gateway's socket: typed, versioned, without I/O.

On the wire each is MessagePack, a map whose key `type` names the class (see
`docs/protocol-8788.md`). Times are milliseconds since 1970. Unknown keys are ignored, so that
a field may be added; an unknown `type` is answered with `Failure("unknown_request")`.
"""

from typing import Any, Literal

import msgspec

VERSION = 1
MAX_MESSAGE_BYTES = 1024 * 1024  # a list of 2,000 workstations is about 400 KiB
MAX_GREETING_BYTES = 4 * 1024  # before authentication nobody gets more than a page
MAX_WORKSTATIONS_A_REQUEST = 2000
MAX_EVENTS_A_PULL = 500

Mode = Literal["view", "control"]
State = Literal[
    "offline", "unreachable", "refused", "wrong_password", "unsupported",
    "connecting", "ready", "viewed", "controlled", "unknown",
]  # fmt: skip


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=True, kw_only=True):
    """Root of every message."""


class Reason(msgspec.Struct, frozen=True):
    """Why a workstation is not well: a stable code, and what its sentence needs."""

    code: str
    arguments: dict[str, str | int] = {}


# --- greeting, both ways, before authentication -------------------------------------------


class Hello(Message, frozen=True):
    """Client first: who it wants to be, and its nonce (32 bytes)."""

    role: str
    version: int
    nonce: bytes


class Challenge(Message, frozen=True):
    """Server: its nonce (32 bytes) and the proof that it knows the secret."""

    version: int
    nonce: bytes
    proof: bytes


class Proof(Message, frozen=True):
    """Client: the proof that it knows the secret, too."""

    proof: bytes


class Welcome(Message, frozen=True):
    """Server: requests may follow."""

    daemon: str


# --- requests of the site ------------------------------------------------------------------


class GetStatus(Message, frozen=True):
    """Answered by `Status`."""


class ListRooms(Message, frozen=True):
    """Answered by `Rooms`."""


class ListWorkstations(Message, frozen=True):
    """Answered by `Workstations`. `None` asks for all; several conditions must all hold.

    `refresh`: look at those not looked at for a minute, in the background.
    """

    room: str | None = None
    users: list[str] | None = None
    ids: list[str] | None = None
    refresh: bool = False


class SaveWorkstation(Message, frozen=True):
    """Add a workstation, or with `replace` change the one of that name. → `WorkstationSaved`.

    `address` is `host:port`, `[v6]:port` or `unix:/path`; `password` `None` keeps the stored one.
    `id` changes the workstation of that id, its name included. `by` is who asks for it, for the
    journal.
    """

    name: str
    room: str
    address: str
    password: str | None = None
    user: str | None = None
    replace: bool = False
    by: str = ""
    id: str | None = None


class SaveWorkstations(Message, frozen=True):
    """Carry out all of these, or none. → `Done(count)` of those in which anything changed.

    A failure names the workstation that cannot be saved. `by` is who asks, for the journal.
    """

    changes: list[SaveWorkstation]
    by: str = ""


class RemoveWorkstation(Message, frozen=True):
    """Forget a workstation by name or id. → `Done`. `by`: as for `SaveWorkstation`."""

    workstation: str
    by: str = ""


class ProbeWorkstation(Message, frozen=True):
    """Make one whole handshake and say how each step went. → `Probe`."""

    workstation: str


class RetryWorkstation(Message, frozen=True):
    """Forget back-off and waits of a workstation (the page's button). → `Done`."""

    workstation: str


class Viewer(msgspec.Struct, frozen=True):
    """For whom a ticket is: the session (its hash, never its cookie), its end, login and name."""

    session: str
    ends_at: int
    user: str
    name: str


class IssueScreenTicket(Message, frozen=True):
    """A ticket for one screen. → `Ticket`."""

    viewer: Viewer
    workstation: str
    mode: Mode


class IssueWallTicket(Message, frozen=True):
    """A ticket for the wall of one room, or of the workstations these users sit at. → `Ticket`.

    `label` is what these users are called together (a class), for the journal.
    """

    viewer: Viewer
    room: str | None = None
    users: list[str] | None = None
    label: str = ""


class Lease(msgspec.Struct, frozen=True):
    """A session that is still alive, and its absolute end."""

    session: str
    ends_at: int


class RenewLeases(Message, frozen=True):
    """Keep these sessions' screens open for another 90 s. → `Done(count)`."""

    leases: list[Lease]


class RevokeSessions(Message, frozen=True):
    """End these sessions: tickets die, screens and walls close at once. → `Done(count)`."""

    sessions: list[str]


class CloseViewers(Message, frozen=True):
    """Close what these sessions have open: their rights have changed. → `Done(count)`

    The sessions live on, and open anew what they still may.
    """

    sessions: list[str]


class SwitchScreens(Message, frozen=True):
    """Close all screens and walls and refuse new ones, or let them open again. → `Done(count)`

    `at` is when this was decided (ms): an order older than the newest one is not obeyed.
    """

    closed: bool
    at: int


class SetRewind(Message, frozen=True):
    """Keep pictures of the last five minutes in these rooms and in no other. → `Done(count)`

    `at` is when this was decided (ms): an order older than the newest one is not obeyed. Nothing
    is kept before the first order.
    """

    rooms: list[str]
    at: int


class ListRewind(Message, frozen=True):
    """What is kept of the last five minutes of one workstation, by its id. → `RewindTimes`."""

    workstation: str


class GetRewind(Message, frozen=True):
    """What the screen of a workstation (its id) showed at `at` (ms). → `RewindPicture`."""

    workstation: str
    at: int


class PullEvents(Message, frozen=True):
    """The journal after a number, oldest first. → `Events`."""

    after: int
    limit: int = MAX_EVENTS_A_PULL


class AcknowledgeEvents(Message, frozen=True):
    """Events up to this number are kept elsewhere now. → `Done(count)`."""

    up_to: int


Request = (
    GetStatus | ListRooms | ListWorkstations | SaveWorkstation | SaveWorkstations
    | RemoveWorkstation | ProbeWorkstation | RetryWorkstation | IssueScreenTicket | IssueWallTicket
    | RenewLeases | RevokeSessions | CloseViewers | SwitchScreens | PullEvents | AcknowledgeEvents
    | SetRewind | ListRewind | GetRewind
)  # fmt: skip


# --- replies ---------------------------------------------------------------------------------


class Failure(Message, frozen=True):
    """The request was not carried out; `code` is stable, `message` is for a log."""

    code: str
    message: str


class Done(Message, frozen=True):
    """Carried out; `count` of things it touched."""

    count: int = 0


class Status(Message, frozen=True):
    """How the daemon is."""

    version: str
    started_at: int
    workstations: int
    upstreams: int
    walls: int
    screens: int
    leases: int
    events_waiting: int
    screens_closed: bool = False
    rewind_bytes: int = 0


class Room(msgspec.Struct, frozen=True):
    """A room and the ids of its workstations."""

    name: str
    workstations: list[str]


class Rooms(Message, frozen=True):
    rooms: list[Room]


class Controller(msgspec.Struct, frozen=True):
    """Who controls a workstation: login and name."""

    login: str
    name: str


class Workstation(msgspec.Struct, frozen=True):
    """A workstation as others may know it (never its password).

    `controllers`: who controls it, the first first, each person once.
    """

    id: str
    number: int
    name: str
    room: str
    address: str
    kind: str
    user: str | None
    state: State
    reason: Reason | None
    checked_at: int | None
    controllers: list[Controller] = []


class Workstations(Message, frozen=True):
    workstations: list[Workstation]


class WorkstationSaved(Message, frozen=True):
    id: str
    created: bool


class ProbeStep(msgspec.Struct, frozen=True):
    """One step of a handshake: `connect`, `version`, `security`, `init` or `picture`."""

    name: str
    ok: bool
    milliseconds: float
    detail: str = ""


class Probe(Message, frozen=True):
    state: State
    reason: Reason | None
    steps: list[ProbeStep]


class Ticket(Message, frozen=True):
    ticket: str
    expires_in: int


class RewindSpan(msgspec.Struct, frozen=True):
    """A picture that a screen showed from `at` until `until` (ms); `None`: it still does."""

    at: int
    until: int | None = None


class RewindTimes(Message, frozen=True):
    """The pictures that are kept, the oldest first; between two spans nothing was captured."""

    now: int
    pictures: list[RewindSpan]


class RewindPicture(Message, frozen=True):
    """One picture, captured at `at`: a JPEG at most `width` pixels wide."""

    at: int
    width: int
    jpeg: bytes


class Event(msgspec.Struct, frozen=True):
    """One line of the journal."""

    number: int
    at: int
    kind: str
    user: str
    session: str
    workstation: str | None
    details: dict[str, str | int]


class Events(Message, frozen=True):
    events: list[Event]


Reply = (
    Failure | Done | Status | Rooms | Workstations | WorkstationSaved | Probe | Ticket | Events
    | RewindTimes | RewindPicture
)  # fmt: skip


# --- the gateway's own socket -----------------------------------------------------------------


class Redeem(Message, frozen=True):
    """Gateway → daemon: what is this ticket worth? `hand_over`: I could give you its socket."""

    ticket: str
    hand_over: bool = False


class Redeemed(Message, frozen=True):
    """Daemon → gateway: connect to this unix socket within 5 s, once.

    Empty, where a hand-over was offered: send the browser's socket within 5 s, behind the 101 and
    over this connection, with `HAND_OVER` and at most `MAX_EARLY_BYTES` that the browser sent
    already; then hang up.
    """

    path: str


HAND_OVER = b"\x01"  # descriptors travel with at least one byte
MAX_EARLY_BYTES = 64 * 1024  # a browser waits for the 101 before it sends anything


class Refused(Message, frozen=True):
    """Daemon → gateway: nothing; `code` is `ticket` or `busy`."""

    code: str


def encode(message: Message) -> bytes:
    """The bytes of one message, without its length."""
    return msgspec.msgpack.encode(message)


def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """A decoder for a message class or a union of them; `decode` raises `msgspec.MsgspecError`."""
    return msgspec.msgpack.Decoder(kind)
