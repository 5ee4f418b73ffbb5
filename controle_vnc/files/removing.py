"""Removes what a distribution put somewhere, and nothing else."""

import contextlib
import os
import stat

from controle_vnc.control import messages as m
from controle_vnc.files.cabinet import CORRECTION, Cabinet
from controle_vnc.files.drafts import Seen
from controle_vnc.files.folders import status_of, way
from controle_vnc.files.homes import Person
from controle_vnc.files.marks import Mark, Put
from controle_vnc.files.mirror import MAX_TOLD
from controle_vnc.files.names import portable, told

EVERYTHING = frozenset({"documents", "annexes", "notice", "corrections"})
"""What a distribution leaves at a student: with it gone, the folder is free for another one."""


class Removing:
    """What others added stays; what was changed stays unless that is asked."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet

    def remove(self, request: m.RemoveDocument) -> m.Removed:
        """Remove what was put there, and forget the distribution once everything is."""
        with self._cabinet.marks.locked(request.login):
            mark = self._cabinet.marks.find(request.login, request.teacher, request.folder)
            if mark is None or mark.owner_key != request.owner_key:
                return m.Removed(files=0)
            place = self._cabinet.place_of(request.login, request.teacher, request.folder, mark)
            self._cabinet.recover(mark, place)
            removal = _Removal(request.with_changed)
            what = set(request.what)
            with contextlib.suppress(FileNotFoundError), self._cabinet.opened(place) as folder:
                self._remove_there(mark, folder, what, removal)
            if "collected" in what:
                self._remove_collected(mark, removal)
            with self._cabinet.homes.opened(place.person) as home:
                self._cabinet.remove_folder(home, place.person, (*place.way, CORRECTION))
                if mark.made_folder:
                    self._cabinet.remove_folder(home, place.person, place.way)
            if what >= EVERYTHING:
                self._cabinet.marks.forget(mark)
            else:
                self._cabinet.marks.save(mark)
            return m.Removed(files=removal.files, kept=removal.kept)

    def _remove_there(
        self, mark: Mark, folder: int, what: set[m.What], removal: "_Removal"
    ) -> None:
        for is_annex, part in ((False, "documents"), (True, "annexes")):
            if part in what:
                puts = {key: put for key, put in mark.placed.items() if put.is_annex is is_annex}
                for key in removal.run(folder, puts):
                    del mark.placed[key]
        if "notice" in what:
            for key in removal.run(folder, mark.notice):
                del mark.notice[key]
        if "corrections" in what:
            with contextlib.suppress(FileNotFoundError):
                person = self._cabinet.place_of(mark.login, mark.teacher, mark.folder, mark).person
                with way(folder, (CORRECTION,), person.owner) as inner:
                    self._remove_tree(mark.returned, inner, person, removal)

    def _remove_collected(self, mark: Mark, removal: "_Removal") -> None:
        place = self._cabinet.collected(mark)
        with contextlib.suppress(FileNotFoundError), self._cabinet.opened(place) as folder:
            self._remove_tree(mark.collected, folder, place.person, removal)
        with self._cabinet.homes.opened(place.person) as home:
            self._cabinet.remove_folder(home, place.person, place.way)
            self._cabinet.remove_folder(home, place.person, place.way[:-1])

    def _remove_tree(
        self, puts: dict[bytes, Put], top: int, person: Person, removal: "_Removal"
    ) -> None:
        """Remove copies below `top`, and the folders that are empty then."""
        ways: dict[tuple[bytes, ...], dict[bytes, Put]] = {}
        for key, put in puts.items():
            folder = tuple(portable(name) for name in key.split(b"/")[:-1])
            ways.setdefault(folder, {})[key] = put
        for names in sorted(ways, key=len, reverse=True):
            try:
                with way(top, names, person.owner) as inner:
                    gone = removal.run(inner, ways[names])
            except FileNotFoundError:
                gone = list(ways[names])
            for key in gone:
                del puts[key]
            for depth in range(len(names), 0, -1):
                self._cabinet.remove_folder(top, person, names[:depth])


class _Removal:
    """Files that went, and those that stayed."""

    def __init__(self, with_changed: bool) -> None:
        self._with_changed = with_changed
        self.files = 0
        self.kept: list[m.Skipped] = []

    def run(self, folder: int, puts: dict[bytes, Put]) -> list[bytes]:
        """Remove these where they are still ours; the keys of those that are gone."""
        gone = []
        for key, put in puts.items():
            status = status_of(folder, put.name)
            if status is None:
                gone.append(key)
            elif not stat.S_ISREG(status.st_mode):
                self._keep(put, "taken")
            elif Seen.of(status) != put.seen and not self._with_changed:
                self._keep(put, "changed")
            else:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(put.name, dir_fd=folder)
                self.files += 1
                gone.append(key)
        return gone

    def _keep(self, put: Put, why: m.Why) -> None:
        if len(self.kept) < MAX_TOLD:
            self.kept.append(m.Skipped(told(put.name), why))
