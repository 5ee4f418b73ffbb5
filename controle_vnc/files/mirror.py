"""Copies what lies in one person's folder into another's: collecting, and giving back.

Nothing in the source is trusted, nothing in the target is overwritten that its owner changed.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from controle_vnc.control.messages import Renamed, Skipped, Why
from controle_vnc.errors import RequestRefusedError
from controle_vnc.files import drafts, folders, kernel
from controle_vnc.files.drafts import Draft, Seen
from controle_vnc.files.folders import MAX_DEPTH, MAX_ENTRIES, entries, open_file, status_of
from controle_vnc.files.homes import Owner
from controle_vnc.files.marks import Mark, Marks, Part, Pending, Put
from controle_vnc.files.names import BUSY, beside, portable, told
from controle_vnc.files.refusals import refusal, refused

MAX_BYTES = 500_000_000  # of one student's folder: five of the largest uploads
MAX_TOLD = 100  # names in a reply; a folder with more that is odd is odd as a whole

_WHY: dict[int, Why] = {
    errno.ELOOP: "link",
    errno.EINVAL: "special",
    errno.EXDEV: "special",
    errno.EAGAIN: "changing",  # somebody holds a lease on it
}


@dataclass
class Mirror:
    """One copying: what belongs to `source`, into folders of `owner`.

    `left_out`: names in the first folder, with what they are as long as they are not copied.
    """

    marks: Marks
    mark: Mark
    part: Part
    round: int
    source: Owner
    owner: Owner
    left_out: Mapping[bytes, tuple[int, int] | None] = field(default_factory=dict)
    copied: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    renamed: list[Renamed] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    _entries: int = 0
    _bytes: int = 0

    def run(self, source: int, target: int, way: tuple[bytes, ...] = ()) -> None:
        """Copy a folder and those in it; raises `RequestRefusedError` where the disk is full."""
        drafts.sweep(target, self.mark.temporary)
        busy = (*BUSY, drafts.prefix(self.mark.temporary))
        try:
            listed, is_cut = entries(source)
        except OSError:
            if not way:
                raise
            self._skip(way, "unreadable")
            return
        for name in listed:
            if name.startswith(busy):
                continue
            self._entries += 1
            if self._entries > MAX_ENTRIES:
                self._tell_too_many((*way, name))
                return
            self._one(source, target, (*way, name))
        if is_cut:
            self._tell_too_many((*way, listed[-1]))

    def _one(self, source: int, target: int, path: tuple[bytes, ...]) -> None:
        try:
            status = status_of(source, path[-1])
        except OSError as error:
            self._skip(path, _WHY.get(error.errno or 0, "unreadable"))
            return
        if status is None or (len(path) == 1 and self._is_left_out(path[0], status)):
            return  # gone meanwhile, or ours
        if stat.S_ISDIR(status.st_mode):
            self._deeper(source, target, path)
        elif stat.S_ISLNK(status.st_mode):
            self._skip(path, "link")
        elif not stat.S_ISREG(status.st_mode):
            self._skip(path, "special")
        else:
            self._file(source, target, path)

    def _tell_too_many(self, path: tuple[bytes, ...]) -> None:
        """Say that it is not all, once and first, and stop here."""
        self._entries = MAX_ENTRIES
        if not any(one.why == "too_many" for one in self.skipped[:1]):
            self.skipped.insert(0, Skipped(told(*path), "too_many"))

    def _is_left_out(self, name: bytes, status: os.stat_result) -> bool:
        """Whether a name of the first folder is ours, and still what we put there."""
        return name in self.left_out and self.left_out[name] in {None, Seen.of(status)}

    def _skip(self, path: tuple[bytes, ...], why: Why) -> None:
        if len(self.skipped) < MAX_TOLD:
            self.skipped.append(Skipped(told(*path), why))

    def _deeper(self, source: int, target: int, path: tuple[bytes, ...]) -> None:
        if len(path) > MAX_DEPTH:
            self._skip(path, "too_deep")
            return
        with contextlib.ExitStack() as opened:
            try:
                inner = folders.enter(source, path[-1], self.source)
            except (RequestRefusedError, FileNotFoundError):
                self._skip(path, "foreign")
                return
            opened.callback(os.close, inner)
            try:
                outer, _ = folders.enter_or_make(target, portable(path[-1]), self.owner)
            except RequestRefusedError as error:
                if error.code != "not_a_folder":
                    raise
                self._skip(path, "taken")
                return
            opened.callback(os.close, outer)
            self.run(inner, outer, path)

    def _file(self, source: int, target: int, path: tuple[bytes, ...]) -> None:
        try:
            file = open_file(source, path[-1])
        except FileNotFoundError:
            return  # gone meanwhile
        except OSError as error:
            self._skip(path, _WHY.get(error.errno or 0, "unreadable"))
            return
        try:
            status = os.fstat(file)
            if (why := self._why_not(status)) is not None:
                self._skip(path, why)
            elif not self._is_done(target, path, status):
                self._bytes += status.st_size
                self._copy(file, status, target, path)
        finally:
            os.close(file)

    def _why_not(self, status: os.stat_result) -> Why | None:
        if status.st_uid != self.source.uid:
            return "foreign"
        if status.st_nlink > 1:
            return "shared"
        return "too_large" if self._bytes + status.st_size > MAX_BYTES else None

    def _is_done(self, target: int, path: tuple[bytes, ...], status: os.stat_result) -> bool:
        """Whether this very version was copied; in a new round also that it is still there."""
        known = self._known(path)
        if known is None or known.source != Seen.of(status):
            return False
        return known.round == self.round or status_of(target, known.name) is not None

    def _known(self, path: tuple[bytes, ...]) -> Put | None:
        return self.mark.part(self.part).get(b"/".join(path))

    def _copy(
        self, file: int, status: os.stat_result, target: int, path: tuple[bytes, ...]
    ) -> None:
        try:
            with Draft(target, self.owner, self.mark.temporary) as draft:
                count = kernel.copy(file, draft.file, status.st_size)
                if count != status.st_size or Seen.of(os.fstat(file)) != Seen.of(status):
                    self._skip(path, "changing")
                    return
                made = draft.finish(status.st_mtime_ns - 1, status.st_mtime_ns)
                put = Put(
                    b"", made.st_ino, made.st_size, made.st_mtime_ns, made.st_atime_ns,
                    source_size=status.st_size, source_ns=status.st_mtime_ns, round=self.round,
                )  # fmt: skip
                self._name(draft, put, target, path)
        except OSError as error:
            raise refusal(error) from error
        self.copied += 1

    def _name(self, draft: Draft, put: Put, target: int, path: tuple[bytes, ...]) -> None:
        wanted, known = portable(path[-1]), self._known(path)
        there = None if known is None else status_of(target, known.name)
        if known is not None and there is not None and _is(there, known):
            put.name = known.name
            self._note(put, path, known.seen)
            draft.replace(put.name, Seen(known.seen))
        else:
            first = wanted if known is None or there is None else beside(wanted, self._number)
            self._name_new(draft, put, target, path, first)
        os.fsync(target)
        self.mark.part(self.part)[b"/".join(path)] = put
        self.mark.pending = []
        if put.name != path[-1] and len(self.renamed) < MAX_TOLD and put.name == wanted:
            self.renamed.append(Renamed(told(path[-1]), told(put.name)))

    @property
    def _number(self) -> int:
        return max(2, self.round)

    def _name_new(
        self, draft: Draft, put: Put, target: int, path: tuple[bytes, ...], first: bytes
    ) -> None:
        """The first free name; it is noted before it is given."""
        wanted = portable(path[-1])
        later = (beside(wanted, number) for number in range(self._number, drafts.MAX_BESIDE))
        for name in (first, *later):
            if status_of(target, name) is None:
                put.name = name
                self._note(put, path, None)
                with contextlib.suppress(FileExistsError):  # it came this very moment
                    draft.name(put.name)
                    if put.name != wanted and len(self.beside) < MAX_TOLD:
                        self.beside.append(told(*path[:-1], put.name))
                    return
        raise refused("name_refused", "every name for another version is taken")

    def _note(self, put: Put, path: tuple[bytes, ...], old: tuple[int, int] | None) -> None:
        self.mark.pending = [Pending(self.part, b"/".join(path), put, old)]
        self.marks.save(self.mark)


def _is(status: os.stat_result, put: Put) -> bool:
    """Whether a name is still what we put there."""
    return stat.S_ISREG(status.st_mode) and Seen.of(status) == put.seen
