"""Many screens in one cheap process: opens WebSockets or bare RFB, then only reads and counts.

`python -m tests.bench.ws_client` obeys lines of JSON on standard input and answers each with one
line of JSON; it ends with its standard input. Orders: `{"open": [target, …]}`, `{"count": true}`,
`{"stall": [index, …]}` (reads no more), `{"close": true}`. A target is
`{"host", "port"}` with, for a WebSocket, `{"path", "protocols", "origin"}`.
"""

import base64
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

READ_BYTES = 1024 * 1024
PONG_SECONDS = 15.0  # an unasked pong, so that frames need not be read to answer pings
OPEN_SECONDS = 30.0

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
        self.bytes = 0

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
                "security": (2, b"\1", "result"),
                "result": (4, b"\1", "init"),
                "init": (24, b"", "ready"),
                "ready": (0, b"", ""),
            }[self.stage]
            if not size or len(self.plain) < size:
                return
            if self.stage == "security" and self.plain[:2] != b"\1\1":
                raise ConnectionError(f"security {self.plain!r}")
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
            self.stage = following


class Reader:
    """Obeys, opens, reads, counts."""

    def __init__(self) -> None:
        self.poll = select.epoll()
        self.poll.register(0, select.EPOLLIN)
        self.screens: list[Screen] = []
        self.by_handle: dict[int, Screen] = {}
        self.pong_at = time.monotonic() + PONG_SECONDS
        self.is_over = False

    def serve(self) -> None:
        while not self.is_over:
            self.turn(max(0.0, self.pong_at - time.monotonic()))
            if time.monotonic() >= self.pong_at:
                self.pong_at = time.monotonic() + PONG_SECONDS
                for screen in self.by_handle.values():
                    if screen.is_websocket and screen.stage == "ready":
                        self.say(screen, masked(10, b""))

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
                    screen.bytes += count
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
            answer = {}
        elif "close" in order:
            for screen in self.screens:
                screen.socket.close()
            self.screens, self.by_handle = [], {}
            answer = {}
        else:
            answer = {
                "bytes": [screen.bytes for screen in self.screens],
                "dead": sum(screen.is_dead for screen in self.screens),
            }
        print(json.dumps({"at": time.monotonic(), **answer}), flush=True)

    def open(self, targets: list[dict]) -> dict:
        """Open all at once; milliseconds until the last banner and the last ServerInit."""
        began = time.monotonic()
        opened = [Screen(target) for target in targets]
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
