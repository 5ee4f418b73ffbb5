"""Many screens in one cheap process: opens WebSockets or bare RFB, then reads and counts.

`python -m tests.bench.ws_client` obeys lines of JSON on standard input and answers each with one
line of JSON; it ends with its standard input. Orders: `{"open": [target, …]}`, `{"count": true}`,
`{"stall": [index, …]}` (reads no more), `{"close": true}`. A target is `{"host", "port"}` with,
for a WebSocket, `{"path", "protocols", "origin"}`; `{"password"}` where one may be asked for;
`{"watches": true}` asks for pictures as noVNC does (Tight, quality 6) and counts the updates that
paint a certain spot: an Xvnc repairs what JPEG spoilt in hundreds of small updates beside.
"""

import base64
import contextlib
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Generator

from controle_vnc.rfb.security import vnc_response

READ_BYTES = 1024 * 1024
PONG_SECONDS = 15.0  # an unasked pong, so that frames need not be read to answer pings
SPOT = 8  # x and y; `tests.bench.painter` marks every picture there
NAG_SECONDS = 1 / 30
OPEN_SECONDS = 30.0

RAW, COPY_RECT, TIGHT, LAST_RECT = 0, 1, 7, -224
QUALITY_6, COMPRESSION_2 = -26, -254  # what noVNC asks for
ENCODINGS = (COPY_RECT, TIGHT, RAW, QUALITY_6, COMPRESSION_2, LAST_RECT)
PIXEL_FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)

_buffer = bytearray(READ_BYTES)


def masked(opcode: int, data: bytes) -> bytes:
    """A frame of a client, whose mask is zero."""
    assert len(data) < 126
    return struct.pack(">BBI", 0x80 | opcode, 0x80 | len(data), 0) + data


class Screen:
    """One connection up to its ServerInit; then its bytes are counted, not understood."""

    def __init__(self, target: dict) -> None:
        self.target = target
        self.is_websocket = "path" in target
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex((target["host"], target["port"]))
        self.frames = b""
        self.plain = b""
        self.stage = "head" if self.is_websocket else "version"
        self.banner_at = self.ready_at = 0.0
        self.is_dead = False
        self.bytes = self.pictures = 0

    def begin(self) -> None:
        """The connection stands."""
        if self.is_websocket:
            host = f"{self.target['host']}:{self.target['port']}"
            key = base64.b64encode(os.urandom(16)).decode()
            lines = [
                f"GET {self.target['path']} HTTP/1.1", f"Host: {host}", "Upgrade: websocket",
                "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
                f"Origin: {self.target['origin']}",
                f"Sec-WebSocket-Protocol: {', '.join(self.target['protocols'])}", "", "",
            ]  # fmt: skip
            self.socket.send("\r\n".join(lines).encode())

    def send(self, data: bytes) -> None:
        self.socket.send(masked(2, data) if self.is_websocket else data)

    def receive(self) -> None:
        """The handshakes; raises `ConnectionError`."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError(f"closed in stage {self.stage}")
        if self.stage == "head":
            self.frames += data
            head, border, rest = self.frames.partition(b"\r\n\r\n")
            if not border:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                raise ConnectionError(head.split(b"\r\n", 1)[0].decode())
            self.frames, data, self.stage = b"", rest, "version"
        self.unwrap(data)
        self.shake_hands()

    def unwrap(self, data: bytes) -> None:
        if not self.is_websocket:
            self.plain += data
            return
        self.frames += data
        while len(self.frames) >= 2:
            at, size = 2, self.frames[1] & 0x7F
            if size == 126:
                at, size = 4, struct.unpack_from(">H", self.frames.ljust(4), 2)[0]
            elif size == 127:
                at, size = 10, struct.unpack_from(">Q", self.frames.ljust(10), 2)[0]
            if len(self.frames) < at + size:
                return
            if self.frames[0] & 0x0F in (0, 2):
                self.plain += self.frames[at : at + size]
            self.frames = self.frames[at + size :]

    def shake_hands(self) -> None:
        while True:
            size, answer, following = {
                "version": (12, b"RFB 003.008\n", "security"),
                "security": (2, b"", "result"),
                "challenge": (16, b"", "result"),
                "result": (4, b"\1", "init"),
                "init": (24, b"", "ready"),
                "ready": (0, b"", ""),
            }[self.stage]
            if not size or len(self.plain) < size:
                return
            if self.stage == "security":
                answer, following = self.choose(self.plain)
            elif self.stage == "challenge":
                answer = vnc_response(self.target["password"].encode(), self.plain[:16])
            if self.stage == "version":
                self.banner_at = time.monotonic()
            block, self.plain = self.plain[:size], self.plain[size:]
            if self.stage == "init":
                (length,) = struct.unpack_from(">I", block, 20)
                if len(self.plain) < length:
                    self.plain = block + self.plain
                    return
                self.ready_at = time.monotonic()
            if answer:
                self.send(answer)
            if self.stage == "init":
                self.plain = self.plain[length:]
                self.opened(*struct.unpack_from(">HH", block))
            self.stage = following

    @staticmethod
    def choose(offered: bytes) -> tuple[bytes, str]:
        """The answer to one security type, and what comes next."""
        if offered[:2] == b"\1\1":
            return b"\1", "result"
        if offered[:2] == b"\1\2":
            return b"\2", "challenge"
        raise ConnectionError(f"security {offered!r}")

    def opened(self, width: int, height: int) -> None:
        """The screen is there."""

    def take(self, count: int) -> None:
        """So many bytes have come into `_buffer`."""
        self.bytes += count


class Viewer(Screen):
    """A screen that asks for the next picture when one has come, as noVNC does; decodes nothing."""

    def opened(self, width: int, height: int) -> None:
        self.size = struct.pack(">HHHH", 0, 0, width, height)
        self.head = bytearray()
        self.left = 0  # of the WebSocket frame that is being read
        self.is_data = not self.is_websocket
        self.held, self.wanted, self.skip = bytearray(), 0, 0
        self.walk = self.messages()
        self.go_on(next(self.walk))
        encodings = struct.pack(f">BxH{len(ENCODINGS)}i", 2, len(ENCODINGS), *ENCODINGS)
        self.send(b"\0\0\0\0" + PIXEL_FORMAT)
        self.send(encodings)
        self.ask(0)
        early, self.plain = self.plain, b""
        self.feed(memoryview(early))

    def ask(self, incremental: int = 1) -> None:
        self.send(bytes((3, incremental)) + self.size)

    def take(self, count: int) -> None:
        self.bytes += count
        view = memoryview(_buffer)[:count]
        if not self.is_websocket:
            self.feed(view)
            return
        at = 0
        while at < count:
            if self.left:
                step = min(self.left, count - at)
                if self.is_data:
                    self.feed(view[at : at + step])
                at += step
                self.left -= step
                continue
            wanted = self.head_size() - len(self.head)
            self.head += view[at : at + wanted]
            at += wanted
            if len(self.head) >= 2 and len(self.head) >= self.head_size():
                self.is_data = self.head[0] & 0x0F in (0, 2)
                short = self.head[1]
                self.left = int.from_bytes(self.head[2:], "big") if short > 125 else short
                self.head.clear()

    def head_size(self) -> int:
        return 2 if len(self.head) < 2 else 2 + {126: 2, 127: 8}.get(self.head[1], 0)

    def feed(self, view: memoryview) -> None:
        at = 0
        while True:
            if self.skip:
                step = min(self.skip, len(view) - at)
                at += step
                self.skip -= step
                if self.skip:
                    return
                self.go_on(self.walk.send(b""))
                continue
            missing = self.wanted - len(self.held)
            self.held += view[at : at + missing]
            at = min(len(view), at + missing)
            if len(self.held) < self.wanted:
                return
            block, self.held = bytes(self.held), bytearray()
            self.go_on(self.walk.send(block))

    def go_on(self, wish: int) -> None:
        self.wanted, self.skip = (wish, 0) if wish >= 0 else (0, -wish)

    def messages(self) -> Generator[int, bytes, None]:
        """Yields how many bytes it must see (positive), or how many it need not see (negative)."""
        while True:
            kind = (yield 1)[0]
            if kind == 0:
                yield from self.update()
                self.ask()
            elif kind == 3:
                yield -struct.unpack(">3xI", (yield 7))[0]
            elif kind != 2:
                raise ConnectionError(f"a server's message of type {kind}")

    def update(self) -> Generator[int, bytes, None]:
        marked = False
        for _ in range(struct.unpack(">xH", (yield 3))[0]):
            x, y, width, height, encoding = struct.unpack(">HHHHi", (yield 12))
            if encoding == LAST_RECT:
                break
            marked = marked or (x <= SPOT < x + width and y <= SPOT < y + height)
            if encoding == TIGHT:
                yield from self.tight(width, height)
            elif encoding == COPY_RECT:
                yield -4
            elif encoding == RAW:
                yield -4 * width * height
            else:
                raise ConnectionError(f"encoding {encoding}")
        self.pictures += marked

    def tight(self, width: int, height: int) -> Generator[int, bytes, None]:
        control = (yield 1)[0]
        if control >> 4 == 8:
            yield -3
            return
        size = 3 * width * height
        if control >> 4 != 9:
            if control & 0x40 and (yield 1)[0] == 1:
                colours = (yield 1)[0] + 1
                yield -3 * colours
                size = height * ((width + 7) // 8 if colours == 2 else width)
            if size < 12:
                yield -size
                return
        length = 0
        for shift in (0, 7, 14):
            byte = (yield 1)[0]
            length |= (byte & (0xFF if shift == 14 else 0x7F)) << shift
            if not byte & 0x80:
                break
        yield -length


class Reader:
    """Obeys, opens, reads, counts."""

    def __init__(self) -> None:
        self.poll = select.epoll()
        self.poll.register(0, select.EPOLLIN)
        self.screens: list[Screen] = []
        self.by_handle: dict[int, Screen] = {}
        self.stalled: list[Screen] = []
        self.pong_at = time.monotonic() + PONG_SECONDS
        self.nag_at = 0.0
        self.is_over = False

    def serve(self) -> None:
        while not self.is_over:
            self.turn(NAG_SECONDS if self.stalled else max(0.0, self.pong_at - time.monotonic()))
            if self.stalled and time.monotonic() >= self.nag_at:
                self.nag_at = time.monotonic() + NAG_SECONDS
                self.nag()
            if time.monotonic() >= self.pong_at:
                self.pong_at = time.monotonic() + PONG_SECONDS
                for screen in self.by_handle.values():
                    if screen.is_websocket and screen.stage == "ready":
                        self.say(screen, masked(10, b""))

    def nag(self) -> None:
        """Who reads nothing any more goes on asking."""
        for screen in self.stalled:
            if isinstance(screen, Viewer):
                with contextlib.suppress(OSError):
                    screen.ask()

    def say(self, screen: Screen, data: bytes) -> None:
        try:
            screen.socket.send(data)
        except OSError:
            screen.is_dead = True

    def turn(self, wait: float) -> None:
        for handle, events in self.poll.poll(wait):
            if handle == 0:
                self.obey()
                continue
            screen = self.by_handle.get(handle)
            if screen is None:
                continue
            try:
                if screen.stage == "ready":
                    count = screen.socket.recv_into(_buffer)
                    if not count:
                        raise ConnectionError
                    screen.take(count)
                elif events & select.EPOLLOUT:
                    self.poll.modify(handle, select.EPOLLIN)
                    screen.begin()
                else:
                    screen.receive()
            except BlockingIOError:
                continue
            except OSError as error:
                screen.is_dead, screen.why = True, str(error)
                self.poll.unregister(handle)
                del self.by_handle[handle]

    def obey(self) -> None:
        line = sys.stdin.readline()
        if not line:
            self.is_over = True
            return
        order = json.loads(line)
        if "open" in order:
            answer = self.open(order["open"])
        elif "stall" in order:
            for index in order["stall"]:
                self.poll.unregister(self.screens[index].socket)
                self.stalled.append(self.screens[index])
            answer = {}
        elif "close" in order:
            for screen in self.screens:
                screen.socket.close()
            self.screens, self.by_handle, self.stalled = [], {}, []
            answer = {}
        else:
            answer = {
                "bytes": [screen.bytes for screen in self.screens],
                "pictures": [screen.pictures for screen in self.screens],
                "dead": sum(screen.is_dead for screen in self.screens),
            }
        print(json.dumps({"at": time.monotonic(), **answer}), flush=True)

    def open(self, targets: list[dict]) -> dict:
        """Open all at once; milliseconds until the last banner and the last ServerInit."""
        began = time.monotonic()
        opened = [Viewer(one) if one.get("watches") else Screen(one) for one in targets]
        for screen in opened:
            self.by_handle[screen.socket.fileno()] = screen
            self.poll.register(screen.socket, select.EPOLLOUT | select.EPOLLIN)
        self.screens += opened
        while any(not screen.ready_at and not screen.is_dead for screen in opened):
            self.turn(0.2)
            if time.monotonic() > began + OPEN_SECONDS:
                break
        failed = [getattr(s, "why", s.stage) for s in opened if not s.ready_at]
        return {
            "banner_ms": 1000 * (max(s.banner_at for s in opened) - began),
            "ready_ms": 1000 * (max(s.ready_at for s in opened) - began),
            "failed": failed,
        }


class ReaderProcess:
    """The other end: one `ws_client` and its answers."""

    def __enter__(self) -> "ReaderProcess":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.ws_client"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def ask(self, **order: object) -> dict:
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert not answer.get("failed"), answer["failed"][:3]
        return answer


def main() -> None:
    Reader().serve()


if __name__ == "__main__":
    main()
