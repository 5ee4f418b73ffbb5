"""The daemon's way to controle-vnc-files: one connection a request over its private socket."""

import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import Any

from controle_vnc import peer
from controle_vnc.control import messages
from controle_vnc.control.framing import HEADER_BYTES, body_length, pack, unpack
from controle_vnc.control.messages import MAX_MESSAGE_BYTES, FileRequest, Reply
from controle_vnc.errors import ProtocolError, RequestRefusedError

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0  # a socket of this machine: longer means that it hangs
ANSWER_SECONDS = 295.0  # a little less than the site waits for a document
MAX_ASKING = 32  # at once; others wait here and not at the disk

_reply = messages.decoder(messages.FilesReply | messages.Done | messages.Failure)


class FilesRelay:
    """Hands requests on; who listens at `path` must be root, or we ourselves."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turns = asyncio.Semaphore(MAX_ASKING)

    async def ask(self, request: FileRequest) -> Reply:
        """The reply; raises `RequestRefusedError`, with `files_down` where nobody answers."""
        async with self._turns:
            try:
                reply = await self._exchange(request)
            except (OSError, ProtocolError, asyncio.IncompleteReadError) as error:
                logger.warning("controle-vnc-files at %s: %s", self._path, error)
                raise RequestRefusedError(
                    "files_down", f"controle-vnc-files does not answer at {self._path}: {error}"
                ) from error
        if isinstance(reply, messages.Failure):
            raise RequestRefusedError(reply.code, reply.message)
        answered: Reply = reply
        return answered

    async def _exchange(self, request: FileRequest) -> Any:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(self._path)
        try:
            self._check(writer)
            async with asyncio.timeout(ANSWER_SECONDS):
                writer.write(pack(request))
                await writer.drain()
                length = body_length(await reader.readexactly(HEADER_BYTES), MAX_MESSAGE_BYTES)
                return unpack(await reader.readexactly(length), _reply)
        finally:
            writer.transport.abort()

    def _check(self, writer: asyncio.StreamWriter) -> None:
        """Nobody else is told what students wrote."""
        connection: socket.socket = writer.get_extra_info("socket")
        if (uid := peer.uid_of(connection)) not in {0, os.geteuid()}:
            raise ProtocolError(f"a process of uid {uid} listens there, not root's")
