"""Where a document is at a student and at the teacher, found again whatever happened."""

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from controle_vnc.errors import RequestRefusedError
from controle_vnc.files import drafts, recovery
from controle_vnc.files.folders import status_of, way
from controle_vnc.files.homes import Homes, Person
from controle_vnc.files.marks import Mark, Marks, Pending
from controle_vnc.files.names import beside, portable, shown
from controle_vnc.files.refusals import refused
from controle_vnc.files.spool import Spool

TOP = (b"perso", b"devoirs")
COLLECTED = b"ramasses"
CORRECTION = b"correction"
BEFORE_NS = 1_000_000_000  # a file is "read" a second before it is written: relatime then tells


class Place(NamedTuple):
    """Where a document is at a student: the names of the folders below the home."""

    person: Person
    way: tuple[bytes, ...]

    @property
    def path(self) -> str:
        return shown(b"/".join(self.way))


class Cabinet:
    """Homes, marks and uploads together, and the places of documents in them."""

    def __init__(
        self,
        homes: Homes,
        marks: Marks,
        spool: Spool,
        clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.homes, self.marks, self.spool, self.clock_ns = homes, marks, spool, clock_ns

    def place_of(self, login: str, teacher: str, folder: str, mark: Mark | None) -> Place:
        """Where a document is, or is to be: it stays where it was begun."""
        person = self.homes.find(login)
        if mark is not None and not mark.at_home:
            person = self.homes.without_home(login)
        name = portable(teacher.encode())
        if name == COLLECTED:
            raise refused("name_refused", f"a teacher cannot be called {teacher}")
        return Place(person, (*TOP, name, portable(folder.encode())))

    def collected(self, mark: Mark) -> Place:
        """Where the teacher has what was collected of this student."""
        student = portable(mark.login.encode())
        folder = portable(mark.folder.encode())
        return Place(self.homes.find(mark.teacher), (*TOP, COLLECTED, folder, student))

    @contextmanager
    def opened(self, place: Place) -> Iterator[int]:
        """The folder at a place; raises `FileNotFoundError`, `RequestRefusedError`."""
        with (
            self.homes.opened(place.person) as home,
            way(home, place.way, place.person.owner) as folder,
        ):
            yield folder

    @contextmanager
    def known(
        self, login: str, teacher: str, folder: str, owner_key: str
    ) -> Iterator[tuple[Mark, Place]]:
        """A distribution that was placed, locked, and settled after a kill."""
        with self.marks.locked(login):
            mark, place = self.found(login, teacher, folder)
            if mark.owner_key != owner_key:
                raise refused("unknown_document", "this is another distribution's folder")
            self.recover(mark, place)
            yield mark, place

    def found(self, login: str, teacher: str, folder: str) -> tuple[Mark, Place]:
        mark = self.marks.find(login, teacher, folder)
        if mark is None:
            raise refused("unknown_document", "nothing was placed there")
        return mark, self.place_of(login, teacher, folder, mark)

    def left_out(self, mark: Mark) -> dict[bytes, tuple[int, int] | None]:
        """Names in a student's folder that are not his work, as long as they are what we put."""
        annexes = [put for put in mark.placed.values() if put.is_annex]
        ours = {put.name: put.seen for put in (*annexes, *mark.notice.values())}
        return {**ours, CORRECTION: None}

    def recover(self, mark: Mark, place: Place) -> None:
        """Find out what became of names that were being given when we were killed."""
        if not mark.pending:
            return
        for pending in mark.pending:
            with (
                contextlib.suppress(FileNotFoundError),
                self.opened(self._pending_at(mark, place, pending)) as folder,
            ):
                if recovery.settle(mark, pending, folder):
                    mark.part(pending.part)[pending.key] = pending.put
        mark.pending = []
        self.marks.save(mark)

    def _pending_at(self, mark: Mark, place: Place, pending: Pending) -> Place:
        below = tuple(portable(name) for name in pending.key.split(b"/")[:-1])
        if pending.part == "collected":
            collected = self.collected(mark)
            return Place(collected.person, (*collected.way, *below))
        if pending.part == "returned":
            return Place(place.person, (*place.way, CORRECTION, *below))
        return place

    def remove_folder(self, start: int, person: Person, names: tuple[bytes, ...]) -> None:
        """Remove the folder at the end of `names` where it is empty."""
        with (
            contextlib.suppress(OSError, RequestRefusedError),
            way(start, names[:-1], person.owner) as parent,
        ):
            os.rmdir(names[-1], dir_fd=parent)


def free(folder: int, name: bytes, taken: Collection[bytes] = ()) -> bytes:
    """`name`, or where it is in the folder or `taken`, the next version of it."""
    for other in (name, *(beside(name, number) for number in range(2, drafts.MAX_BESIDE))):
        if other not in {CORRECTION, *taken} and status_of(folder, other) is None:
            return other
    raise refused("name_refused", "every name for another version is taken")
