"""Puts files into a student's folder: the teacher's, and those the student sends by the page."""

import contextlib
import hashlib
import os
import stat

from controle_vnc.control import messages as m
from controle_vnc.errors import RequestRefusedError
from controle_vnc.files import drafts, folders, kernel
from controle_vnc.files.cabinet import BEFORE_NS, Cabinet, Place, free
from controle_vnc.files.drafts import Draft, Seen
from controle_vnc.files.folders import made_way, status_of
from controle_vnc.files.homes import Person
from controle_vnc.files.marks import Mark, Pending, Put
from controle_vnc.files.names import portable, shown
from controle_vnc.files.refusals import refusal, refused
from controle_vnc.files.room import Usage


class Placing:
    """Each can be said again: what was put there once is not put there twice."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet

    def place(self, request: m.PlaceDocument) -> m.Placed:
        """Put the files that are missing into the student's folder."""
        if len({file.name for file in request.files}) != len(request.files):
            raise refused("name_refused", "two files have the same name")
        with self._cabinet.marks.locked(request.login):
            mark = self._cabinet.marks.find(request.login, request.teacher, request.folder)
            if mark is not None and mark.owner_key != request.owner_key:
                raise refused("folder_taken", "another distribution has this folder")
            place = self._cabinet.place_of(request.login, request.teacher, request.folder, mark)
            if mark is None:
                mark = Mark(
                    request.login, request.teacher, request.folder, request.owner_key,
                    at_home=place.person.has_home,
                )  # fmt: skip
            else:
                self._cabinet.recover(mark, place)
            missing = [one for one in request.files if one.name.encode() not in mark.placed]
            if missing:
                self._put_all(mark, place, missing)
        became = {one.name: mark.placed[one.name.encode()].name for one in request.files}
        return m.Placed(
            was_there=not missing,
            path=place.path,
            has_home=place.person.has_home,
            renamed=[
                m.Renamed(name, shown(put)) for name, put in became.items() if put != name.encode()
            ],
        )

    def _put_all(self, mark: Mark, place: Place, files: list[m.File]) -> None:
        """All of them get their names once all of them are written: nothing half fits."""
        person = place.person
        with contextlib.ExitStack() as opened:
            home = opened.enter_context(self._cabinet.homes.opened(person))
            self._cabinet.homes.check_room(person, home, sum(file.size for file in files))
            folder, made = opened.enter_context(made_way(home, place.way, person.owner))
            try:
                drafts.sweep(folder, mark.temporary)
                # empty: it was made for this, by us before a kill if not just now
                mark.made_folder |= made or folders.is_empty(folder)
                made_drafts = []
                taken = set[bytes]()
                for file in files:
                    draft = opened.enter_context(self._draft(mark, person, folder, file))
                    put = self._written(draft, file)
                    put.name = free(folder, portable(file.name.encode()), taken)
                    taken.add(put.name)
                    made_drafts.append((draft, Pending("placed", file.name.encode(), put)))
                mark.pending = [pending for _, pending in made_drafts]
                self._cabinet.marks.save(mark)
                self._name_all(mark, folder, made_drafts)
            except OSError as error:
                raise self._undone(refusal(error), home, place, made=made) from error
            except RequestRefusedError as error:
                raise self._undone(error, home, place, made=made) from error
        self._cabinet.marks.save(mark)

    def _draft(self, mark: Mark, person: Person, folder: int, file: m.File) -> Draft:
        if file.is_annex:  # ours: the student can read it and not make it writable
            return Draft(folder, self._cabinet.homes.ours, mark.temporary, drafts.READ_ONLY_MODE)
        return Draft(folder, person.owner, mark.temporary)

    def _written(self, draft: Draft, file: m.File) -> Put:
        with self._cabinet.spool.opened(file) as source:
            if kernel.copy(source, draft.file, file.size) != file.size:
                raise refused("upload_damaged", "the upload changed while it was read")
        now = self._cabinet.clock_ns()
        made = draft.finish(now - BEFORE_NS, now)
        return Put(
            b"", made.st_ino, made.st_size, made.st_mtime_ns, made.st_atime_ns, file.is_annex
        )

    def _name_all(self, mark: Mark, folder: int, made_drafts: list[tuple[Draft, Pending]]) -> None:
        for draft, pending in made_drafts:
            while True:
                try:
                    draft.name(pending.put.name)
                    break
                except FileExistsError:  # the student made it this very moment
                    taken = {other.put.name for _, other in made_drafts}
                    pending.put.name = free(folder, pending.put.name, taken)
                    self._cabinet.marks.save(mark)
            mark.placed[pending.key] = pending.put
        os.fsync(folder)
        mark.pending = []

    def _undone(
        self, error: RequestRefusedError, home: int, place: Place, *, made: bool
    ) -> RequestRefusedError:
        """`error`, with a folder that was made for nothing removed."""
        if made:
            self._cabinet.remove_folder(home, place.person, place.way)
        return error

    def take_upload(self, request: m.TakeUpload) -> m.Taken:
        """Put a file of the student's own into the folder, in the place of the one before it."""
        with self._cabinet.marks.locked(request.login):
            mark, place = self._cabinet.found(request.login, request.teacher, request.folder)
            self._cabinet.recover(mark, place)
            name = portable(request.file.name.encode())
            if name in self._cabinet.left_out(mark):
                raise refused("read_only", "this name is not the student's to change")
            person = place.person
            try:
                with (
                    self._cabinet.homes.opened(person) as home,
                    made_way(home, place.way, person.owner) as (folder, _),
                ):
                    self._cabinet.homes.check_room(person, home, request.file.size)
                    drafts.sweep(folder, mark.temporary)
                    self._take(mark, person, folder, request.file, name)
            except OSError as error:
                raise refusal(error) from error
        return m.Taken(name=shown(name))

    def _take(self, mark: Mark, person: Person, folder: int, file: m.File, name: bytes) -> None:
        there = status_of(folder, name)
        if there is not None:
            if not (stat.S_ISREG(there.st_mode) and there.st_uid == person.owner.uid):
                raise refused("not_a_folder", "something else than a file has this name")
            if there.st_size == file.size and _digest(folder, name) == file.sha256:
                return
        ours = {put.name: put.seen for put in mark.placed.values()}
        usage = Usage(person.owner, {**ours, **self._cabinet.left_out(mark)})
        usage.count(folder)
        usage.check(name, file.size, there)
        with Draft(folder, person.owner, mark.temporary) as draft:
            self._written(draft, file)
            if there is not None:
                draft.replace(name, Seen.of(there))
            else:
                draft.name(name)
        os.fsync(folder)


def _digest(folder: int, name: bytes) -> str:
    with os.fdopen(folders.open_file(folder, name), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
