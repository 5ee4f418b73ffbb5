"""The only door to controle-vnc: requests and replies, its failures told in the site's words."""

import threading
from collections.abc import Sequence
from typing import TypeVar

from controle_vnc.control import messages
from controle_vnc.control.client import ControlClient
from controle_vnc.errors import AuthenticationError, DaemonUnreachableError, RequestRefusedError
from controle_vnc.settings import Settings
from eop.errors import DaemonDownError, RefusedError

TIMEOUT_SECONDS = 2.0  # an open screen must close within a second or two of signing out
MAX_LEASES_A_REQUEST = 2000  # about 250 KiB, a quarter of the largest message

T = TypeVar("T")

CODES = {
    "unknown_workstation": "unknown_workstation",
    "not_leased": "signed_out",
    "invalid": "invalid",
    "exists": "exists",
    "switched_off": "switched_off",
    "rewind_off": "rewind_off",
    "nothing_kept": "nothing_kept",
    "files_down": "files_down",
    "unknown_person": "unknown_person",
    "home_missing": "home_missing",
    "unknown_document": "unknown_document",
    "unknown_file": "unknown_file",
    "upload_unknown": "upload_unknown",
    "upload_damaged": "upload_damaged",
    "folder_taken": "folder_taken",
    "not_a_folder": "not_a_folder",
    "name_refused": "name_refused",
    "read_only": "read_only",
    "too_large": "file_too_large",
    "no_space": "no_space",
    "quota": "quota",
}
"""The daemon's codes that have a sentence of their own here; others are `daemon_refused`."""


class Daemon:
    """controle-vnc, as the site knows it. Raises only `RefusedError` and `DaemonDownError`."""

    is_elsewhere = False

    def __init__(self, settings: Settings, secret: bytes, timeout: float = TIMEOUT_SECONDS) -> None:
        self._settings = settings
        self._secret = secret
        self._timeout = timeout
        self._client: ControlClient | None = None
        self._lock = threading.Lock()

    def ask(self, request: messages.Request, kind: type[T], timeout: float | None = None) -> T:
        """Send one request; its reply is of that kind."""
        try:
            reply = self._open().request(request, timeout)
        except DaemonUnreachableError as error:
            raise DaemonDownError(str(error)) from error
        except AuthenticationError as error:
            raise DaemonDownError(
                f"controle-vnc did not prove the shared secret: {error}"
            ) from error
        except RequestRefusedError as error:
            raise RefusedError(
                CODES.get(error.code, "daemon_refused"), detail=str(error)
            ) from error
        if not isinstance(reply, kind):
            raise DaemonDownError(f"controle-vnc answered {type(reply).__name__}")
        return reply

    def _open(self) -> ControlClient:
        """The client, made at first use: after gunicorn has forked."""
        with self._lock:
            if self._client is None:
                self._client = ControlClient(self._settings, self._secret, timeout=self._timeout)
            return self._client

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def status(self) -> messages.Status:
        return self.ask(messages.GetStatus(), messages.Status)

    def rooms(self) -> list[messages.Room]:
        return self.ask(messages.ListRooms(), messages.Rooms).rooms

    def workstations(
        self,
        *,
        room: str | None = None,
        users: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        refresh: bool = False,
        sign_in: bool = False,
    ) -> list[messages.Workstation]:
        """Workstations that fulfil every condition given; all of them without any.

        `sign_in`: with what only who administers them may know, `vnc_user` and `trust`.
        """
        request = messages.ListWorkstations(
            room=room,
            users=list(users) if users is not None else None,
            ids=list(ids) if ids is not None else None,
            refresh=refresh,
            sign_in=sign_in,
        )
        return self.ask(request, messages.Workstations).workstations

    def workstation(self, workstation_id: str) -> messages.Workstation:
        """One workstation; raises `RefusedError("unknown_workstation")`."""
        found = self.workstations(ids=[workstation_id])
        if not found:
            raise RefusedError("unknown_workstation")
        return found[0]

    def screen_ticket(
        self, viewer: messages.Viewer, workstation: str, mode: messages.Mode
    ) -> messages.Ticket:
        request = messages.IssueScreenTicket(viewer=viewer, workstation=workstation, mode=mode)
        return self.ask(request, messages.Ticket)

    def wall_ticket(
        self,
        viewer: messages.Viewer,
        room: str | None,
        users: Sequence[str] | None,
        label: str = "",
    ) -> messages.Ticket:
        request = messages.IssueWallTicket(
            viewer=viewer,
            room=room,
            users=list(users) if users is not None else None,
            label=label,
        )
        return self.ask(request, messages.Ticket)

    def renew(self, leases: Sequence[messages.Lease]) -> None:
        """Keep the screens of live sessions open."""
        for first in range(0, len(leases), MAX_LEASES_A_REQUEST):
            part = list(leases[first : first + MAX_LEASES_A_REQUEST])
            self.ask(messages.RenewLeases(leases=part), messages.Done)

    def revoke(self, sessions: Sequence[str]) -> None:
        """Close the screens of ended sessions."""
        self.ask(messages.RevokeSessions(sessions=list(sessions)), messages.Done)

    def close_viewers(self, sessions: Sequence[str]) -> None:
        """Close what these sessions have open; they open anew what they still may."""
        self.ask(messages.CloseViewers(sessions=list(sessions)), messages.Done)

    def switch_screens(self, closed: bool, at: int) -> int:
        """Close all screens, or allow them; how many are told to close."""
        request = messages.SwitchScreens(closed=closed, at=at)
        return self.ask(request, messages.Done).count

    def keep_rewind(self, rooms: Sequence[str], at: int) -> None:
        """Have the last five minutes kept in these rooms and in no other."""
        self.ask(messages.SetRewind(rooms=list(rooms), at=at), messages.Done)

    def rewind_times(self, workstation: str) -> messages.RewindTimes:
        return self.ask(messages.ListRewind(workstation=workstation), messages.RewindTimes)

    def rewind_picture(self, workstation: str, at: int) -> messages.RewindPicture:
        """What a screen showed at `at` (ms); raises `RefusedError("nothing_kept")`."""
        return self.ask(messages.GetRewind(workstation=workstation, at=at), messages.RewindPicture)

    def events(self, after: int) -> list[messages.Event]:
        return self.ask(messages.PullEvents(after=after), messages.Events).events

    def acknowledge(self, up_to: int) -> None:
        self.ask(messages.AcknowledgeEvents(up_to=up_to), messages.Done)

    def save(self, request: messages.SaveWorkstation) -> messages.WorkstationSaved:
        return self.ask(request, messages.WorkstationSaved)

    def save_all(
        self,
        changes: Sequence[messages.SaveWorkstation],
        by: str,
        timeout: float | None = None,
    ) -> int:
        """Carry out all of these, or none; how many workstations are news."""
        request = messages.SaveWorkstations(changes=list(changes), by=by)
        return self.ask(request, messages.Done, timeout).count

    def remove(self, workstation: str, by: str = "") -> None:
        self.ask(messages.RemoveWorkstation(workstation=workstation, by=by), messages.Done)

    def probe(self, workstation: str) -> messages.Probe:
        return self.ask(messages.ProbeWorkstation(workstation=workstation), messages.Probe)

    def retry(self, workstation: str) -> None:
        self.ask(messages.RetryWorkstation(workstation=workstation), messages.Done)

    def files_status(self) -> messages.FilesStatus:
        """Whether controle-vnc-files answers; raises `RefusedError("files_down")`."""
        return self.ask(messages.GetFilesStatus(), messages.FilesStatus)

    def keep_part(self, upload: str, offset: int, data: bytes) -> int:
        """Append to an upload; the size that is held now, whether or not it was the offset."""
        request = messages.KeepPart(upload=upload, offset=offset, data=data)
        return self.ask(request, messages.Kept).size

    def check_upload(self, upload: str, size: int, sha256: str) -> None:
        """Have an upload proven whole, and held from now on."""
        self.ask(messages.CheckUpload(upload=upload, size=size, sha256=sha256), messages.Kept)

    def drop_upload(self, upload: str) -> None:
        self.ask(messages.DropUpload(upload=upload), messages.Done)

    def uploads(self) -> list[messages.Upload]:
        return self.ask(messages.ListUploads(), messages.Uploads).uploads

    def space(self, login: str, wanted: int = 0) -> messages.Space:
        """Whether `wanted` bytes fit where a person's files are."""
        return self.ask(messages.AskSpace(login=login, wanted=wanted), messages.Space)

    def place(self, request: messages.PlaceDocument) -> messages.Placed:
        return self.ask(request, messages.Placed)

    def collect(self, request: messages.CollectDocument) -> messages.Collected:
        return self.ask(request, messages.Collected)

    def give_back(self, request: messages.ReturnDocument) -> messages.Returned:
        return self.ask(request, messages.Returned)

    def look_at(
        self, logins: Sequence[str], teacher: str, folder: str, owner_key: str
    ) -> list[messages.Look]:
        """How a document is at these students, in their order."""
        looks: list[messages.Look] = []
        for first in range(0, len(logins), messages.MAX_LOGINS_A_REQUEST):
            request = messages.LookAtDocument(
                logins=list(logins[first : first + messages.MAX_LOGINS_A_REQUEST]),
                teacher=teacher,
                folder=folder,
                owner_key=owner_key,
            )
            looks += self.ask(request, messages.Looks).looks
        return looks

    def clean_up(self, request: messages.RemoveDocument) -> messages.Removed:
        return self.ask(request, messages.Removed)

    def files_of(self, login: str, teacher: str, folder: str) -> messages.Files:
        request = messages.ListFiles(login=login, teacher=teacher, folder=folder)
        return self.ask(request, messages.Files)

    def read_part(
        self, login: str, teacher: str, folder: str, name: str, offset: int
    ) -> messages.Part:
        request = messages.ReadPart(
            login=login, teacher=teacher, folder=folder, name=name, offset=offset
        )
        return self.ask(request, messages.Part)

    def take_upload(self, login: str, teacher: str, folder: str, file: messages.File) -> str:
        """Put an upload into a student's folder; the name it has there."""
        request = messages.TakeUpload(login=login, teacher=teacher, folder=folder, file=file)
        return self.ask(request, messages.Taken).name


class AbsentDaemon(Daemon):
    """For a sign-in service on a host of its own: the site's worker tells what must be told."""

    is_elsewhere = True

    def ask(self, request: messages.Request, kind: type[T], timeout: float | None = None) -> T:
        raise DaemonDownError("controle-vnc runs on another host")
