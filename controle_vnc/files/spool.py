"""Uploads: files that arrive in parts, are proven whole, and wait until they are placed."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from controle_vnc.control.messages import File, Upload
from controle_vnc.files import reserve
from controle_vnc.files.refusals import refusal, refused

MB = 1_000_000
ID_DIGITS = 32
MAX_UPLOADS = 1000  # a school's teachers have some dozens under way
MAX_LOCKS = 32  # stripes; two uploads that share one wait for each other


class Spool:
    """Uploads in a folder of ours: `<id>` while they arrive, `<id>-<sha256>` when proven whole."""

    def __init__(
        self,
        folder: Path,
        limit: int,
        space: int,
        expires_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`limit` is for one upload, `space` for all; bytes."""
        self._folder, self.limit, self.space = folder, limit, space
        self._expires, self._clock = expires_seconds, clock
        self._locks = [Lock() for _ in range(MAX_LOCKS)]
        self._room = Lock()

    def prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, upload: str, offset: int, data: bytes) -> int:
        """Append where the upload ends at `offset`; the size that is held then."""
        with self._locked(upload):
            if (whole := self._whole(upload)) is not None:
                return whole.stat().st_size
            path = self._folder / upload
            size = _size(path)
            if size is None and offset:
                return 0
            if (size or 0) != offset:
                return size or 0
            if offset + len(data) > self.limit:
                raise refused("too_large", f"an upload has at most {self.limit} bytes")
            with self._room:
                self._check_room(len(data), is_new=size is None)
                self._append(path, offset, data)
            return offset + len(data)

    def _append(self, path: Path, offset: int, data: bytes) -> None:
        try:
            with path.open("ab") as file:
                try:
                    file.write(data)
                    file.flush()
                except OSError:
                    os.ftruncate(file.fileno(), offset)  # half a part is no part
                    raise
                now = self._clock()
                os.utime(file.fileno(), (now, now))
        except OSError as error:
            raise refusal(error) from error

    def _check_room(self, added: int, *, is_new: bool) -> None:
        held = self.uploads()
        if sum(one.size for one in held) + added > self.space:
            raise refused("no_space", f"all uploads together have at most {self.space} bytes")
        if is_new and len(held) >= MAX_UPLOADS:
            raise refused("no_space", f"{MAX_UPLOADS} uploads are held")
        if (added or is_new) and reserve.left(self._folder) <= added:
            raise refused("no_space", "what is left of the disk is for notes")

    def check(self, upload: str, size: int, sha256: str) -> int:
        """Prove an upload whole and hold it from now on; its size."""
        with self._locked(upload):
            self._prove(upload, size, sha256)
        return size

    def _prove(self, upload: str, size: int, sha256: str) -> Path:
        whole, path = self._whole(upload), self._folder / upload
        if whole is not None:
            if (whole.name, whole.stat().st_size) != (f"{upload}-{sha256}", size):
                raise refused("upload_damaged", "the upload has another content")
            return whole
        try:
            file = path.open("rb")
        except FileNotFoundError:
            raise refused("upload_unknown", "there is no such upload") from None
        with file:
            held = os.fstat(file.fileno()).st_size
            if held != size or hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise refused("upload_damaged", f"{held} bytes with another content are held")
            try:
                os.fsync(file.fileno())
            except OSError as error:
                raise refusal(error) from error
        return path.rename(path.with_name(f"{upload}-{sha256}"))

    @contextmanager
    def opened(self, file: File) -> Iterator[int]:
        """The content of a whole upload; raises `RequestRefusedError`."""
        with self._locked(file.upload):
            path = self._prove(file.upload, file.size, file.sha256)
            number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            yield number
        finally:
            os.close(number)

    def drop(self, upload: str) -> int:
        """Forget an upload; how many there were."""
        with self._locked(upload):
            found = [self._folder / upload, *self._folder.glob(f"{upload}-*")]
            return sum(_removed(path) for path in found)

    def uploads(self) -> list[Upload]:
        """All that are held."""
        found = []
        with os.scandir(self._folder) as listed:
            for entry in listed:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # dropped meanwhile
                changed, is_checked = int(status.st_mtime * 1000), len(entry.name) > ID_DIGITS
                name = entry.name[:ID_DIGITS]
                found.append(Upload(name, status.st_size, changed, is_checked))
        return found

    def sweep(self) -> int:
        """Drop uploads that were begun and left; how many."""
        oldest = (self._clock() - self._expires) * 1000
        gone = 0
        for one in self.uploads():
            if not one.is_checked and one.changed_at < oldest:
                with self._locked(one.upload):
                    path = self._folder / one.upload
                    if (_modified(path) or oldest) < oldest:
                        gone += _removed(path)
        return gone

    @contextmanager
    def _locked(self, upload: str) -> Iterator[None]:
        with self._locks[int(upload[:8], 16) % MAX_LOCKS]:
            yield

    def _whole(self, upload: str) -> Path | None:
        return next(self._folder.glob(f"{upload}-*"), None)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _modified(path: Path) -> float | None:
    try:
        return path.stat().st_mtime * 1000
    except FileNotFoundError:
        return None


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True
