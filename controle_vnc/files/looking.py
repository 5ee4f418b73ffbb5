"""Tells how documents are at students, shows their files, and tries how much fits."""

import contextlib
import logging
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import msgspec

from controle_vnc.control import messages as m
from controle_vnc.errors import RequestRefusedError
from controle_vnc.files import drafts, folders
from controle_vnc.files.cabinet import CORRECTION, Cabinet, Place
from controle_vnc.files.drafts import Draft, Seen
from controle_vnc.files.folders import status_of, way
from controle_vnc.files.homes import Person
from controle_vnc.files.marks import Mark
from controle_vnc.files.names import BUSY, named, shown
from controle_vnc.files.refusals import refusal, refused

logger = logging.getLogger(__name__)

MAX_LIST_BYTES = 700_000  # of names in a list, each with its size and time: below a message
ENTRY_BYTES = 80  # of what goes with a name
SEARCH_STEPS = 12  # to a 4,000th of what was wanted


class Looking:
    """Changes nothing."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet

    def look(self, request: m.LookAtDocument) -> m.Looks:
        """How the document is at each of these students."""
        return m.Looks(looks=[self._look(login, request) for login in request.logins])

    def _look(self, login: str, request: m.LookAtDocument) -> m.Look:
        try:
            mark, place = self._cabinet.found(login, request.teacher, request.folder)
            if mark.owner_key != request.owner_key:
                return m.Look(login, code="unknown_document")
            try:
                with self._cabinet.opened(place) as folder:
                    return self._looked(login, mark, place, folder)
            except FileNotFoundError:
                return m.Look(
                    login, was_changed=True, collected=len(mark.collected),
                    returned=len(mark.returned), has_home=mark.at_home,
                )  # fmt: skip
        except RequestRefusedError as error:
            return m.Look(login, code=error.code)
        except (OSError, msgspec.MsgspecError):  # of this student alone: the others are looked at
            logger.exception("the document of %s cannot be looked at", login)
            return m.Look(login, code="internal")

    def _looked(self, login: str, mark: Mark, place: Place, folder: int) -> m.Look:
        listed, _ = self._listed(mark, place, folder)
        own = [one for one in listed if one.kind in {"document", "own"}]
        changed = any(one.kind == "own" for one in listed)
        is_there = any(one.kind in {"document", "annex", "own"} for one in listed)
        opened: bool | None = False
        for put in mark.placed.values():
            status = status_of(folder, put.name)
            is_there |= status is not None
            if status is None or Seen.of(status) != put.seen:
                changed = True
            elif status.st_atime_ns > put.accessed_ns:
                opened = True
        if not opened and os.fstatvfs(folder).f_flag & os.ST_NOATIME:
            opened = None
        return m.Look(
            login,
            is_there=is_there,
            was_opened=opened or changed if opened is not None or changed else None,
            was_changed=changed,
            files=len(own),
            bytes=sum(one.size for one in own),
            collected=len(mark.collected),
            returned=len(mark.returned),
            has_home=place.person.has_home,
        )

    def list_files(self, request: m.ListFiles) -> m.Files:
        """What the student's page shows."""
        mark, place = self._cabinet.found(request.login, request.teacher, request.folder)
        try:
            with self._cabinet.opened(place) as folder:
                listed, is_cut = self._listed(mark, place, folder)
        except FileNotFoundError:
            listed, is_cut = [], False
        files = _fitting(listed)
        return m.Files(
            path=place.path,
            has_home=place.person.has_home,
            files=files,
            is_cut=is_cut or len(files) < len(listed),
        )

    def _listed(self, mark: Mark, place: Place, folder: int) -> tuple[list[m.FileEntry], bool]:
        kinds = {put.name: "annex" if put.is_annex else "document" for put in mark.placed.values()}
        kinds |= {put.name: "notice" for put in mark.notice.values()}
        hidden = (*BUSY, drafts.prefix(mark.temporary))
        readable = partial(self._is_readable, mark, place.person)
        listing = _Listing(place.person, kinds, hidden, readable)
        listing.walk(folder, ())
        return listing.found, listing.is_cut

    def _is_readable(
        self, mark: Mark, person: Person, path: tuple[bytes, ...], status: os.stat_result
    ) -> bool:
        """Whether a file is one that this person may be shown: his own, or an annex.

        Others of ours are not: as root, we own what nobody is to read.
        """
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            return False
        if status.st_uid != self._cabinet.homes.ours.uid or status.st_uid == person.owner.uid:
            return status.st_uid == person.owner.uid
        name = path[0] if len(path) == 1 else None  # we put nothing deeper
        annexes = {put.name: put.seen for put in mark.placed.values() if put.is_annex}
        return name is not None and annexes.get(name) == Seen.of(status)

    def read_part(self, request: m.ReadPart) -> m.Part:
        """A part of one file, read as the student: it counts as opened."""
        mark, place = self._cabinet.found(request.login, request.teacher, request.folder)
        parts, path = request.name.split("/"), list[bytes]()
        try:
            with contextlib.ExitStack() as opened:
                folder = opened.enter_context(self._cabinet.opened(place))
                for part in parts[:-1]:
                    path.append(_named(folder, part))
                    folder = opened.enter_context(way(folder, path[-1:], place.person.owner))
                path.append(_named(folder, parts[-1]))
                file = folders.open_file(folder, path[-1], is_look=False)
                opened.callback(os.close, file)
                status = os.fstat(file)
                if not self._is_readable(mark, place.person, tuple(path), status):
                    raise refused("unknown_file", "this is not a file of that person's own")
                data = os.pread(file, m.MAX_PART_BYTES, request.offset)
        except OSError as error:
            raise refused("unknown_file", str(error)) from error
        return m.Part(data=data, size=status.st_size, modified_at=status.st_mtime_ns // 1_000_000)

    def space(self, request: m.AskSpace) -> m.Space:
        """What a person may still store, tried by reserving what is wanted."""
        person = self._cabinet.homes.find(request.login)
        with self._cabinet.homes.opened(person) as home:
            try:
                free = self._cabinet.homes.free(person, home)
                free, limit = _reserved(home, person, request.wanted, free)
            except OSError as error:
                raise refusal(error) from error
        return m.Space(has_home=person.has_home, free=free, fits=not limit, limit=limit)


@dataclass
class _Listing:
    """The files in a folder and those in it."""

    person: Person
    kinds: dict[bytes, str]
    hidden: tuple[bytes, ...]
    is_readable: Callable[[tuple[bytes, ...], os.stat_result], bool]
    found: list[m.FileEntry] = field(default_factory=list)
    is_cut: bool = False
    _looked_at: int = 0

    def walk(self, folder: int, path: tuple[bytes, ...]) -> None:
        listed, is_cut = folders.entries(folder)
        self.is_cut |= is_cut
        for name in listed:
            self._looked_at += 1
            if self._looked_at > folders.MAX_ENTRIES:
                self.is_cut = True
                return
            if name.startswith(self.hidden):
                continue
            try:
                status = status_of(folder, name)
            except OSError:
                continue  # mounted, or refused by the disk: nothing that can be shown
            if status is None:
                continue
            if stat.S_ISDIR(status.st_mode) and len(path) < folders.MAX_DEPTH:
                self._deeper(folder, (*path, name))
            elif self.is_readable((*path, name), status):
                modified_at = status.st_mtime_ns // 1_000_000
                kind = _kind(path, name, self.kinds)
                shown_as = shown(b"/".join((*path, name)))
                self.found.append(m.FileEntry(shown_as, status.st_size, modified_at, kind))

    def _deeper(self, folder: int, path: tuple[bytes, ...]) -> None:
        with contextlib.suppress(RequestRefusedError, OSError):  # not the person's, or unreadable
            inner = folders.enter(folder, path[-1], self.person.owner)
            try:
                self.walk(inner, path)
            finally:
                os.close(inner)


def _fitting(listed: list[m.FileEntry]) -> list[m.FileEntry]:
    """Those that fit into one message and can be asked for: what was given comes first."""
    files, left = [], MAX_LIST_BYTES
    for one in sorted(listed, key=lambda one: one.kind == "own"):
        if len(one.name) > m.MAX_PATH_CHARACTERS:
            continue
        left -= len(one.name.encode()) + ENTRY_BYTES
        if left < 0:
            break
        files.append(one)
    return files


def _named(folder: int, text: str) -> bytes:
    """The name in a folder that is shown as `text`; raises `OSError`."""
    name = named(text)
    if name is None or status_of(folder, name) is None:
        raise FileNotFoundError("there is no such file")
    return name


def _kind(path: tuple[bytes, ...], name: bytes, kinds: dict[bytes, str]) -> m.FileKind:
    if path:
        return "correction" if path[0] == CORRECTION else "own"
    match kinds.get(name):
        case "document":
            return "document"
        case "annex":
            return "annex"
        case "notice":
            return "notice"
    return "own"


def _reserved(home: int, person: Person, wanted: int, free: int) -> tuple[int, m.Limit]:
    """What can really be had of `wanted` bytes, and what limits it.

    A quota of somebody else is not told to who has not every right; who tries finds out.
    """
    if wanted == 0:
        return free, ""
    if wanted > free:
        return free, "no_space"
    if (code := _tried(home, person, wanted)) is None:
        return free, ""
    least, most = 0, wanted
    for _ in range(SEARCH_STEPS):
        middle = (least + most) // 2
        if _tried(home, person, middle) is None:
            least = middle
        else:
            most = middle
    return least, code


def _tried(home: int, person: Person, size: int) -> m.Limit | None:
    """Why so much cannot be reserved, or None."""
    if size == 0:
        return None
    try:
        with Draft(home, person.owner, b"space") as draft:
            draft.hide()  # a document that is hidden yet is not to be told by it
            os.posix_fallocate(draft.file, 0, size)
    except OSError as error:
        code = refusal(error).code
        if code == "no_space":
            return "no_space"
        if code == "quota":
            return "quota"
        raise
    return None
