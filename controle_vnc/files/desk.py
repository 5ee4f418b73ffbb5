"""Which part of the process carries out which request."""

import logging
import os
from collections.abc import Callable
from typing import Any

import msgspec

from controle_vnc import __version__
from controle_vnc.control import messages as m
from controle_vnc.errors import RequestRefusedError
from controle_vnc.files.cabinet import Cabinet
from controle_vnc.files.collecting import Collecting
from controle_vnc.files.homes import Homes
from controle_vnc.files.looking import Looking
from controle_vnc.files.marks import Marks
from controle_vnc.files.placing import Placing
from controle_vnc.files.refusals import refusal
from controle_vnc.files.removing import Removing
from controle_vnc.files.spool import MB, Spool
from controle_vnc.settings import Settings

logger = logging.getLogger(__name__)


class Desk:
    """Answers requests; never raises. Safe between threads."""

    def __init__(self, settings: Settings) -> None:
        folder = settings.files_dir
        self._folder = folder
        self.homes = Homes(settings.FILES_HOMES, folder / "homes", folder / "seen")
        self.spool = Spool(
            folder / "uploads",
            settings.UPLOAD_LIMIT * MB,
            settings.UPLOAD_SPACE * MB,
            settings.UPLOAD_EXPIRES * 60,
        )
        self.marks = Marks(folder / "marks")
        cabinet = Cabinet(self.homes, self.marks, self.spool)
        placing, collecting, looking = Placing(cabinet), Collecting(cabinet), Looking(cabinet)
        self._table: dict[type[Any], Callable[[Any], m.Reply]] = {
            m.GetFilesStatus: self._status,
            m.KeepPart: lambda one: m.Kept(size=self.spool.keep(one.upload, one.offset, one.data)),
            m.CheckUpload: lambda one: m.Kept(
                size=self.spool.check(one.upload, one.size, one.sha256)
            ),
            m.DropUpload: lambda one: m.Done(count=self.spool.drop(one.upload)),
            m.ListUploads: lambda _: m.Uploads(uploads=self.spool.uploads()),
            m.AskSpace: looking.space,
            m.PlaceDocument: placing.place,
            m.CollectDocument: collecting.collect,
            m.ReturnDocument: collecting.give_back,
            m.LookAtDocument: looking.look,
            m.RemoveDocument: Removing(cabinet).remove,
            m.ListFiles: looking.list_files,
            m.ReadPart: looking.read_part,
            m.TakeUpload: placing.take_upload,
        }

    def prepare(self) -> None:
        """Make our folders; raises `OSError`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for part in (self.homes, self.spool, self.marks):
            part.prepare()

    def answer(self, request: m.FileRequest) -> m.Reply:
        """The reply to one request."""
        try:
            return self._table[type(request)](request)
        except RequestRefusedError as error:
            return _failure(request, error)
        except OSError as error:
            logger.exception("%s failed", type(request).__name__)
            return _failure(request, refusal(error))
        except msgspec.MsgspecError:
            logger.exception("a mark cannot be read")
            return m.Failure(code="internal", message="a mark of controle-vnc-files is damaged")
        except Exception:
            logger.exception("%s failed", type(request).__name__)
            return m.Failure(code="internal", message="see the log of controle-vnc-files")

    def _status(self, _: m.GetFilesStatus) -> m.Reply:
        held, disk = self.spool.uploads(), os.statvfs(self._folder)
        return m.FilesStatus(
            version=__version__,
            homes=self.homes.folder,
            uploads=len(held),
            uploads_bytes=sum(one.size for one in held),
            uploads_limit=self.spool.space,
            free=disk.f_bavail * disk.f_frsize,
        )


def _failure(request: m.FileRequest, error: RequestRefusedError) -> m.Failure:
    login = getattr(request, "login", "")
    logger.warning("%s %s: %s: %s", type(request).__name__, login, error.code, error)
    return m.Failure(code=error.code, message=str(error))
