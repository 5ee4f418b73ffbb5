"""A screen of one colour behind a lock: our server side, for viewers that others have written."""

import base64
import contextlib
import hashlib
import socket
import struct
import threading

from controle_vnc.errors import ControleVncError
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.messages import ServerInit, framebuffer_update, rectangle
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.server_handshake import ServerHandshake
from controle_vnc.rfb.viewer_messages import KeyEvent, SetPixelFormat, UpdateRequest, ViewerMessages
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
            try:
                self._let_in(pipe, handshake)
            except ControleVncError as error:
                self.refusals.append(str(error))
                pipe.send(handshake.data_to_send())
                return
            self.kinds.append(handshake.kind)
            self._show(pipe, handshake)

    def _let_in(self, pipe, handshake):
        is_offered = False
        while not handshake.done:
            if handshake.greeted and not is_offered:
                handshake.offer()
                is_offered = True
            pipe.send(handshake.data_to_send())
            handshake.receive_data(pipe.receive())
        handshake.open(ServerInit(WIDTH, HEIGHT, RGBX, "locked"))
        pipe.send(handshake.data_to_send())

    def _show(self, pipe, handshake):
        layer, parser, pixel_format = handshake.layer, ViewerMessages(), RGBX
        data = handshake.rest
        while True:
            for message in parser.feed(data):
                if isinstance(message, SetPixelFormat):
                    pixel_format = message.pixel_format
                elif isinstance(message, KeyEvent):
                    self.keys.append((message.down, message.keysym))
                elif isinstance(message, UpdateRequest):
                    self.requests.append(message.incremental)
                    if not message.incremental:
                        update = _picture(pixel_format)
                        pipe.send(update if layer is None else layer.seal(update))
            data = pipe.receive()
            data = data if layer is None else layer.open(data)


def _picture(pixel_format):
    head = struct.unpack(">BBBBHHHBBBxxx", pixel_format.to_bytes())
    assert head[0] == 32, "a viewer that wants few bits"
    pixel = sum(part << shift for part, shift in zip(COLOUR, head[7:], strict=True))
    pixels = struct.pack(">I" if head[2] else "<I", pixel) * (WIDTH * HEIGHT)
    return framebuffer_update(1, rectangle(Rect(0, 0, WIDTH, HEIGHT), Encoding.RAW) + pixels)


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
