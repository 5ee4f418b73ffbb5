"""Copies a student's work to the teacher, and the corrected work back."""

import contextlib
import os

from controle_vnc.control import messages as m
from controle_vnc.errors import RequestRefusedError
from controle_vnc.files import drafts
from controle_vnc.files.cabinet import BEFORE_NS, CORRECTION, Cabinet, Place, free
from controle_vnc.files.drafts import Draft, Seen
from controle_vnc.files.folders import made_way, status_of
from controle_vnc.files.marks import Mark, Pending, Put
from controle_vnc.files.mirror import Mirror
from controle_vnc.files.names import portable
from controle_vnc.files.refusals import refusal


class Collecting:
    """Again and late: what was copied is known, what changed is copied anew."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet

    def collect(self, request: m.CollectDocument) -> m.Collected:
        """Copy what the student has into the teacher's folder, and leave the notice."""
        with self._cabinet.known(
            request.login, request.teacher, request.folder, request.owner_key
        ) as (
            mark,
            place,
        ):
            target = self._cabinet.collected(mark)
            mirror = Mirror(
                self._cabinet.marks, mark, "collected", request.round,
                place.person.owner, target.person.owner, self._cabinet.left_out(mark),
            )  # fmt: skip
            is_there = self._mirror(mirror, place, target)
            if is_there:
                self._leave_notice(mark, place, request, mirror)
            self._cabinet.marks.save(mark)
            return m.Collected(
                is_there=is_there,
                files=len(mark.collected),
                bytes=sum(put.size for put in mark.collected.values()),
                copied=mirror.copied,
                path=target.path,
                skipped=mirror.skipped,
                renamed=mirror.renamed,
                beside=mirror.beside,
            )

    def give_back(self, request: m.ReturnDocument) -> m.Returned:
        """Copy what the teacher has of this student into `correction/`."""
        with self._cabinet.known(
            request.login, request.teacher, request.folder, request.owner_key
        ) as (
            mark,
            place,
        ):
            source = self._cabinet.collected(mark)
            target = Place(place.person, (*place.way, CORRECTION))
            mirror = Mirror(
                self._cabinet.marks, mark, "returned", request.round,
                source.person.owner, target.person.owner,
            )  # fmt: skip
            is_there = self._mirror(mirror, source, target)
            self._cabinet.marks.save(mark)
            return m.Returned(
                is_there=is_there,
                files=len(mark.returned),
                bytes=sum(put.size for put in mark.returned.values()),
                copied=mirror.copied,
                path=target.path,
                skipped=mirror.skipped,
                renamed=mirror.renamed,
                beside=mirror.beside,
            )

    def _mirror(self, mirror: Mirror, source: Place, target: Place) -> bool:
        """Whether the source is there."""
        with contextlib.ExitStack() as opened:
            try:
                inner = opened.enter_context(self._cabinet.opened(source))
            except FileNotFoundError:
                return False
            home = opened.enter_context(self._cabinet.homes.opened(target.person))
            self._cabinet.homes.check_room(target.person, home)
            outer, _ = opened.enter_context(made_way(home, target.way, target.person.owner))
            mirror.run(inner, outer)
        return True

    def _leave_notice(
        self, mark: Mark, place: Place, request: m.CollectDocument, mirror: Mirror
    ) -> None:
        known = mark.notice.get(b"")
        if known is not None and known.round == request.round:
            return
        try:
            with self._cabinet.opened(place) as folder:
                self._write_notice(mark, place, request, folder)
        except (OSError, RequestRefusedError) as error:
            code = (refusal(error) if isinstance(error, OSError) else error).code
            why: m.Why = "unreadable"
            if code == "no_space":
                why = "no_space"
            elif code == "quota":
                why = "quota"
            mirror.skipped.append(m.Skipped(request.notice_name, why))

    def _write_notice(
        self, mark: Mark, place: Place, request: m.CollectDocument, folder: int
    ) -> None:
        known = mark.notice.get(b"")
        drafts.sweep(folder, mark.temporary)
        old = None if known is None else status_of(folder, known.name)
        with Draft(folder, place.person.owner, mark.temporary, drafts.READ_ONLY_MODE) as draft:
            os.pwrite(draft.file, request.notice.encode(), 0)
            now = self._cabinet.clock_ns()
            made = draft.finish(now - BEFORE_NS, now)
            put = Put(
                b"", made.st_ino, made.st_size, made.st_mtime_ns, made.st_atime_ns,
                round=request.round,
            )  # fmt: skip
            is_ours = known is not None and old is not None and Seen.of(old) == known.seen
            if known is not None and is_ours:
                put.name = known.name
            else:
                put.name = free(folder, portable(request.notice_name.encode()))
            seen = known.seen if known is not None and is_ours else None
            mark.pending = [Pending("notice", b"", put, seen)]
            self._cabinet.marks.save(mark)
            if seen is not None:
                draft.replace(put.name, Seen(seen))
            else:
                draft.name(put.name)
        os.fsync(folder)
        mark.notice[b""], mark.pending = put, []
