"""A screen of one colour behind a lock: our server side, for viewers that others have written."""

import base64
import contextlib
import hashlib
import socket
import threading
import time

from controle_vnc.errors import ControleVncError
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.rfb.server import RfbServer
from controle_vnc.rfb.server_handshake import ServerHandshake
from controle_vnc.rfb.viewer_messages import KeyEvent
from controle_vnc.websocket import BINARY, FrameReader, frame
from tests.desktops import wait_until

WIDTH, HEIGHT = 64, 48
COLOUR = (200, 100, 50)
SECONDS = 15
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455


class LockedScreen:
    """Serves each connection in a thread; `websocket`: viewers are pages."""

    def __init__(self, lock, websocket=False):
        self.lock = lock
        self.websocket = websocket
        self.kinds = []
        self.refusals = []
        self.requests = []
        self.keys = []
        self._sockets = []
        self._threads = []

    def __enter__(self):
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._begin(self._accept)
        return self

    def __exit__(self, *_):
        for one in (self._listening, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def until(self, condition, what):
        return wait_until(lambda: condition(self), SECONDS, what)

    def _begin(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connected, _ = self._listening.accept()
                connected.settimeout(SECONDS)
                self._sockets.append(connected)
                self._begin(self._serve, connected)

    def _serve(self, connected):
        with connected, contextlib.suppress(OSError, EOFError):
            pipe = _Page(connected) if self.websocket else _Bare(connected)
            handshake = ServerHandshake(self.lock)
            framebuffer = Framebuffer(WIDTH, HEIGHT)
            framebuffer.fill(framebuffer.bounds, COLOUR)
            server = RfbServer(framebuffer, "locked", handshake)
            try:
                self._let_in(pipe, server)
            except ControleVncError as error:
                self.refusals.append(str(error))
                self._say(pipe, server)
                return
            self.kinds.append(handshake.kind)
            while not server.is_over:
                self._hear(pipe, server)
                self._say(pipe, server)

    def _let_in(self, pipe, server):
        while not server.is_open:
            self._say(pipe, server)
            self._hear(pipe, server)
        self._say(pipe, server)

    def _hear(self, pipe, server):
        for wish in server.receive_data(pipe.receive(), time.monotonic()):
            if isinstance(wish, KeyEvent):
                self.keys.append((wish.down, wish.keysym))
        if wanted := server.session.flow.wanted:
            self.requests.append(wanted.incremental)

    @staticmethod
    def _say(pipe, server):
        while data := server.data_to_send(time.monotonic()):
            pipe.send(data)


class _Bare:
    def __init__(self, connected):
        self._socket = connected

    def send(self, data):
        self._socket.sendall(data)

    def receive(self):
        data = self._socket.recv(65536)
        if not data:
            raise EOFError
        return data


class _Page(_Bare):
    """RFC 6455, as much as a test needs."""

    def __init__(self, connected):
        super().__init__(connected)
        self._frames = FrameReader()
        request = b""
        while b"\r\n\r\n" not in request:
            request += super().receive()
        heads = dict(line.split(": ", 1) for line in request.decode().split("\r\n")[1:] if line)
        key = next(value for head, value in heads.items() if head.lower() == "sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest()).decode()
        connected.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )

    def send(self, data):
        if data:
            super().send(frame(BINARY, data))

    def receive(self):
        while True:
            pieces = self._frames.feed(super().receive())
            if data := b"".join(piece.data for piece in pieces if piece.kind == BINARY):
                return data
