"""The messages of 8788 and of the gateway's socket: typed, versioned, without I/O.

On the wire each is MessagePack, a map whose key `type` names the class (see
`docs/protocol-8788.md`). Times are milliseconds since 1970. Unknown keys are ignored, so that
a field may be added; an unknown `type` is answered with `Failure("unknown_request")`.
"""

from typing import Annotated, Any, Literal

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

    `refresh`: look at those not looked at for a minute, in the background. `sign_in`: tell
    `vnc_user` and `trust`, too, which only who administers workstations may know.
    """

    room: str | None = None
    users: list[str] | None = None
    ids: list[str] | None = None
    refresh: bool = False
    sign_in: bool = False


class SaveWorkstation(Message, frozen=True):
    """Add a workstation, or with `replace` change the one of that name. → `WorkstationSaved`.

    `address` is `host:port`, `[v6]:port` or `unix:/path`; `password` `None` keeps the stored one.
    `id` changes the workstation of that id, its name included. `by` is who asks for it, for the
    journal. `vnc_user` is whom we sign in as where the server asks for a name; `trust` is by what
    the server is known: `x509-sha256:HEX`, `rsa-sha256:HEX` (`rsa-ne-sha256:HEX` where its screen
    may be unencrypted), `ca:/path`, or `any`. `None` keeps either, an empty one forgets it: the
    next certificate is then remembered, as `learnt:…`, and no password is shown to it.
    """

    name: str
    room: str
    address: str
    password: str | None = None
    user: str | None = None
    replace: bool = False
    by: str = ""
    id: str | None = None
    vnc_user: str | None = None
    trust: str | None = None


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


# --- requests about documents, which the daemon relays to controle-vnc-files -----------------

MAX_PART_BYTES = 256 * 1024  # of a file in one message, a quarter of the largest
MAX_NAME_CHARACTERS = 255  # what a file system's 255 bytes hold at most
MAX_PATH_CHARACTERS = 4096  # a name below a document's folder, with the folders it is in
MAX_LOGIN_CHARACTERS = 64  # as the directory's
MAX_LOGINS_A_REQUEST = 200  # a look at a class; several requests for more
MAX_FILES_A_DOCUMENT = 50  # of one distribution, annexes included
MAX_NOTICE_CHARACTERS = 4096  # a page

Login = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LOGIN_CHARACTERS)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME_CHARACTERS)]
FilePath = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PATH_CHARACTERS)]
UploadId = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
OwnerKey = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32,64}\Z")]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Size = Annotated[int, msgspec.Meta(ge=0)]

What = Literal["documents", "annexes", "notice", "corrections", "collected"]
"""What a distribution leaves: in the student's folder, and (`collected`) in the teacher's."""

Why = Literal[
    "link", "special", "shared", "foreign", "too_large", "too_many", "too_deep", "changing",
    "changed", "unreadable", "taken", "no_space", "quota",
]  # fmt: skip
"""Why a file was left where it is: a symbolic link; a pipe, socket or device; a file with several
names; one that belongs to somebody else; beyond the limits of one collection (size, number,
depth); written while it was read; changed since it was put there; refused by the disk; its name is
taken by something that we did not put there; nothing more fits on the disk or into the quota."""


class GetFilesStatus(Message, frozen=True):
    """Whether controle-vnc-files answers, and how it is. → `FilesStatus`."""


class KeepPart(Message, frozen=True):
    """Append to an upload, which the first part (offset 0) begins. → `Kept`

    At another offset than the size that is held nothing is written: the reply tells that size, so
    that a sender who was cut goes on from there (an empty part at offset 0 asks for it). Refused:
    `too_large` (UPLOAD_LIMIT), `no_space` (the disk, or the limit of all uploads together).
    """

    upload: UploadId
    offset: Size
    data: Annotated[bytes, msgspec.Meta(max_length=MAX_PART_BYTES)]


class CheckUpload(Message, frozen=True):
    """Prove that an upload is whole. → `Kept`

    From then on it is held until `DropUpload`; before, it is dropped when nothing was added for
    UPLOAD_EXPIRES. Refused: `upload_unknown`, `upload_damaged` (another size or content).
    """

    upload: UploadId
    size: Size
    sha256: Sha256


class DropUpload(Message, frozen=True):
    """Forget an upload; one that is not there is none the less gone. → `Done(count)`."""

    upload: UploadId


class ListUploads(Message, frozen=True):
    """Every upload that is held, so that those that no job knows can be dropped. → `Uploads`."""


class AskSpace(Message, frozen=True):
    """How much a person may still store. → `Space`

    `wanted` (bytes) is really reserved for a moment, as that person: a quota shows itself only so.
    Refused: `unknown_person`.
    """

    login: Login
    wanted: Size = 0


class File(msgspec.Struct, frozen=True):
    """One file of a document: a whole upload, and the name it is to have."""

    upload: UploadId
    name: Name
    size: Size
    sha256: Sha256
    is_annex: bool = False


class PlaceDocument(Message, frozen=True):
    """Put files into `perso/devoirs/<teacher>/<folder>/` of a student. → `Placed`

    Said again it does what is missing, and never touches what it has already put there: what the
    student changed or deleted stays so. `owner_key` is the distribution: another one that asks
    for the same folder is refused (`folder_taken`). The space for all of it is tried before the
    first file appears. Also refused: `upload_unknown`, `upload_damaged`, `no_space`, `quota`,
    `not_a_folder`, `name_refused`, `unknown_person`, `home_missing`.
    """

    login: Login
    teacher: Login
    folder: Name
    files: Annotated[list[File], msgspec.Meta(min_length=1, max_length=MAX_FILES_A_DOCUMENT)]
    owner_key: OwnerKey


class CollectDocument(Message, frozen=True):
    """Copy a student's folder into the teacher's `perso/devoirs/ramasses/<folder>/<login>/`.

    → `Collected`. Not copied: annexes, `correction/`, the notice. What is unchanged since it was
    last collected is not copied again; what is newer replaces the teacher's copy, or where the
    teacher changed that, comes beside it with `round` (from 1, one more each time the teacher
    collects) in its name. Then `notice` is left for the student under `notice_name`. Said again
    with the same `round` it does what is missing. Refused: `unknown_document` (nothing was placed
    there under this key), `no_space`, `quota` (the teacher's), `not_a_folder`, `unknown_person`.
    """

    login: Login
    teacher: Login
    folder: Name
    owner_key: OwnerKey
    notice_name: Name
    notice: Annotated[str, msgspec.Meta(max_length=MAX_NOTICE_CHARACTERS)]
    round: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class ReturnDocument(Message, frozen=True):
    """Copy `ramasses/<folder>/<login>/` of the teacher into the student's `correction/`.

    → `Returned`. Rules, and refusals, as for `CollectDocument`, the other way round.
    """

    login: Login
    teacher: Login
    folder: Name
    owner_key: OwnerKey
    round: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1


class LookAtDocument(Message, frozen=True):
    """How a document is at these students. → `Looks`, in the order of `logins`."""

    logins: Annotated[list[Login], msgspec.Meta(max_length=MAX_LOGINS_A_REQUEST)]
    teacher: Login
    folder: Name
    owner_key: OwnerKey


class RemoveDocument(Message, frozen=True):
    """Remove what the distribution put there, and nothing else. → `Removed`

    What was changed since is kept and told, unless `with_changed`; files that others added always
    stay. With every kind in `what` (`collected` may be missing: it is the teacher's then), the
    folder is free for another distribution afterwards.
    """

    login: Login
    teacher: Login
    folder: Name
    owner_key: OwnerKey
    what: Annotated[list[What], msgspec.Meta(min_length=1, max_length=5)]
    with_changed: bool = False


class ListFiles(Message, frozen=True):
    """What a student has in the folder of a document. → `Files`; refused: `unknown_document`."""

    login: Login
    teacher: Login
    folder: Name


class ReadPart(Message, frozen=True):
    """A part of a file that `ListFiles` named. → `Part`; refused: `unknown_file`."""

    login: Login
    teacher: Login
    folder: Name
    name: FilePath
    offset: Size = 0


class TakeUpload(Message, frozen=True):
    """Put an upload into a student's folder, as that student: it replaces his file of that name.

    → `Taken`. Refused: `read_only` (an annex, the notice), `unknown_document`, `too_large`
    (the folder would be more than is ever collected, in bytes or in files), and as for
    `PlaceDocument`.
    """

    login: Login
    teacher: Login
    folder: Name
    file: File


FileRequest = (
    GetFilesStatus | KeepPart | CheckUpload | DropUpload | ListUploads | AskSpace | PlaceDocument
    | CollectDocument | ReturnDocument | LookAtDocument | RemoveDocument | ListFiles | ReadPart
    | TakeUpload
)  # fmt: skip


Request = (
    GetStatus | ListRooms | ListWorkstations | SaveWorkstation | SaveWorkstations
    | RemoveWorkstation | ProbeWorkstation | RetryWorkstation | IssueScreenTicket | IssueWallTicket
    | RenewLeases | RevokeSessions | CloseViewers | SwitchScreens | PullEvents | AcknowledgeEvents
    | SetRewind | ListRewind | GetRewind | FileRequest
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

    `controllers`: who controls it, the first first, each person once. `vnc_user` and `trust` as
    in `SaveWorkstation`, where they were asked for (`ListWorkstations.sign_in`).
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
    vnc_user: str | None = None
    trust: str | None = None


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


# --- replies of controle-vnc-files -------------------------------------------------------------

FileKind = Literal["document", "annex", "correction", "notice", "own"]
Limit = Literal["", "no_space", "quota"]


class FilesStatus(Message, frozen=True):
    """How controle-vnc-files is; `homes`: the folder of homes, empty for the system's accounts.

    `uploads_bytes` of `uploads_limit` are held for uploads; `free` bytes are left on that disk.
    """

    version: str
    homes: str
    uploads: int
    uploads_bytes: int
    uploads_limit: int
    free: int


class Kept(Message, frozen=True):
    """How much of an upload is held, in bytes."""

    size: int


class Upload(msgspec.Struct, frozen=True):
    """An upload: its bytes, when something was last added (ms), and whether it was proven whole."""

    upload: str
    size: int
    changed_at: int
    is_checked: bool


class Uploads(Message, frozen=True):
    uploads: list[Upload]


class Space(Message, frozen=True):
    """What a person may still store: the smaller of disk and quota, in bytes.

    `fits`: what was wanted could be reserved; where not, `limit` says by what: `no_space` or
    `quota`. `has_home` is false for who has no home on this server: a folder of the helper's stands
    for it, which only the site's pages show.
    """

    has_home: bool
    free: int
    fits: bool = True
    limit: Limit = ""


class Renamed(msgspec.Struct, frozen=True):
    """A name that not every system takes (Windows), and what it became."""

    name: str
    became: str


class Placed(Message, frozen=True):
    """`was_there`: nothing was left to do. `path` is where, below the home."""

    was_there: bool
    path: str
    has_home: bool
    renamed: list[Renamed] = []


class Skipped(msgspec.Struct, frozen=True):
    """A file that was left where it is, and why; a long path has its middle left out."""

    name: str
    why: Why


class Collected(Message, frozen=True):
    """What lies at the teacher's now of this student: files and bytes; `copied` this time.

    `is_there` is false where the student's folder is gone; `beside` are those names that came
    beside what the teacher had changed.
    """

    is_there: bool
    files: int
    bytes: int
    copied: int
    path: str
    skipped: list[Skipped] = []
    renamed: list[Renamed] = []
    beside: list[str] = []


class Returned(Message, frozen=True):
    """What lies in `correction/` now; as `Collected`."""

    is_there: bool
    files: int
    bytes: int
    copied: int
    path: str
    skipped: list[Skipped] = []
    renamed: list[Renamed] = []
    beside: list[str] = []


class Look(msgspec.Struct, frozen=True):
    """How a document is at one student, and what the teacher has of it.

    `was_opened` is `None` where the disk does not keep it (noatime). `files` and `bytes` are all
    that lie in the folder, without annexes, `correction/` and the notice; `collected` and
    `returned` count the files that were ever copied. `code` says why nothing is known:
    `unknown_person`, `home_missing`, `not_a_folder`, `unknown_document`, `internal` (the disk
    refuses, or the mark is damaged).
    """

    login: str
    is_there: bool = False
    was_opened: bool | None = False
    was_changed: bool = False
    files: int = 0
    bytes: int = 0
    collected: int = 0
    returned: int = 0
    has_home: bool = True
    code: str = ""


class Looks(Message, frozen=True):
    looks: list[Look]


class Removed(Message, frozen=True):
    """How many files are gone, and those that stayed with the reason."""

    files: int
    kept: list[Skipped] = []


class FileEntry(msgspec.Struct, frozen=True):
    """A file in a student's folder: its name, the folders it is in included; ms since 1970."""

    name: str
    size: int
    modified_at: int
    kind: FileKind


class Files(Message, frozen=True):
    """`path` is below the home; `is_cut`: there are more files than are listed.

    Files whose path is longer than `ReadPart` takes are not listed.
    """

    path: str
    has_home: bool
    files: list[FileEntry]
    is_cut: bool = False


class Part(Message, frozen=True):
    """A part of a file as it is now: `size` in all. Another `modified_at` is another file."""

    data: bytes
    size: int
    modified_at: int


class Taken(Message, frozen=True):
    """The name that the file has in the folder."""

    name: str


FilesReply = (
    FilesStatus | Kept | Uploads | Space | Placed | Collected | Returned | Looks | Removed | Files
    | Part | Taken
)  # fmt: skip

Reply = (
    Failure | Done | Status | Rooms | Workstations | WorkstationSaved | Probe | Ticket | Events
    | RewindTimes | RewindPicture | FilesReply
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
