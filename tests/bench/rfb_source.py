"""VNC servers without a desktop, for gateways: paced, saturated or quiet, and an echo.

`python -m tests.bench.rfb_source --screens 41` prints the ports as one JSON list and then obeys
lines on standard input: `paced|saturated|quiet FIRST LAST`, each answered with `ok`. It ends with
its standard input. Security type None. Whatever the mode, a key or pointer event, and a request
that is not incremental, are answered at once with an update of one pixel.
"""

import argparse
import heapq
import json
import os
import select
import socket
import struct
import sys
import time

WIDTH, HEIGHT = 1280, 720
PIXEL_FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
VERSION = b"RFB 003.008\n"
UPDATES_A_SECOND = 30


def raw_update(width: int, height: int) -> bytes:
    """One FramebufferUpdate with one Raw rectangle."""
    head = struct.pack(">BxHHHHHi", 0, 1, 0, 0, width, height, 0)
    return head + os.urandom(width * height * 4)


SMALL = raw_update(22, 22)  # about 2 KB
PIXEL = raw_update(1, 1)
LARGE = raw_update(128, 128)  # 64 KB
BLOCK = memoryview(LARGE * 16)

CLIENT_MESSAGES = {0: 20, 3: 10, 4: 8, 5: 6, 150: 10}  # of a fixed size
ASKING = {4, 5}


class Visitor:
    """One connection of a gateway."""

    def __init__(self, connected: socket.socket, screen: int) -> None:
        self.socket, self.screen = connected, screen
        self.received = b""
        self.stage = 0
        self.unsent = memoryview(b"")
        self.is_waiting = False  # for the socket to take more


class Source:
    """All screens in one epoll loop."""

    def __init__(self, screens: int) -> None:
        self.poll = select.epoll()
        self.doors: dict[int, tuple[socket.socket, int]] = {}
        self.visitors: dict[int, Visitor] = {}
        self.modes = ["quiet"] * screens
        self.due: list[tuple[float, int]] = []
        self.ports = []
        for screen in range(screens):
            door = socket.create_server(("127.0.0.1", 0), backlog=64)
            door.setblocking(False)
            self.doors[door.fileno()] = (door, screen)
            self.ports.append(door.getsockname()[1])
            self.poll.register(door, select.EPOLLIN)
        self.init = (
            struct.pack(">HH", WIDTH, HEIGHT) + PIXEL_FORMAT + struct.pack(">I", 5) + b"bench"
        )

    def serve(self) -> None:
        self.poll.register(0, select.EPOLLIN)
        while True:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else None
            for handle, events in self.poll.poll(wait):
                if handle == 0:
                    if not self.obey():
                        return
                elif handle in self.doors:
                    self.let_in(*self.doors[handle])
                elif (visitor := self.visitors.get(handle)) is not None:
                    self.turn(visitor, events)
            self.pace()

    def obey(self) -> bool:
        """The next order; False at the end of them."""
        order = os.read(0, 4096).decode().split()
        if not order:
            return False
        mode, first, last = order[0], int(order[1]), int(order[2])
        now = time.monotonic()
        changed = range(first, last + 1)
        self.due = [entry for entry in self.due if entry[1] not in changed]
        for place, screen in enumerate(changed):
            self.modes[screen] = mode
            if mode == "paced":  # the screens of a class do not change in step
                self.due.append((now + place / len(changed) / UPDATES_A_SECOND, screen))
        heapq.heapify(self.due)
        for visitor in self.visitors.values():
            if visitor.screen in changed and visitor.stage == 3:
                self.feed(visitor)
        print("ok", flush=True)
        return True

    def let_in(self, door: socket.socket, screen: int) -> None:
        connected, _ = door.accept()
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        visitor = Visitor(connected, screen)
        self.visitors[connected.fileno()] = visitor
        self.poll.register(connected, select.EPOLLIN)
        self.send(visitor, VERSION)

    def turn(self, visitor: Visitor, events: int) -> None:
        try:
            if events & ~select.EPOLLOUT:
                data = visitor.socket.recv(65536)
                if not data:
                    raise ConnectionError
                visitor.received += data
                self.understand(visitor)
            if events & select.EPOLLOUT:
                self.flush(visitor)
        except BlockingIOError:
            pass
        except OSError:
            self.see_out(visitor)

    def see_out(self, visitor: Visitor) -> None:
        if self.visitors.pop(visitor.socket.fileno(), None) is not None:
            self.poll.unregister(visitor.socket)
            visitor.socket.close()

    def understand(self, visitor: Visitor) -> None:
        for size, answer in ((12, b"\1\1"), (1, bytes(4)), (1, self.init))[visitor.stage :]:
            if len(visitor.received) < size:
                return
            visitor.received = visitor.received[size:]
            visitor.stage += 1
            self.send(visitor, answer)
            if visitor.stage == 3:
                self.feed(visitor)
        while (size := message_size(visitor.received)) and len(visitor.received) >= size:
            message, visitor.received = visitor.received[:size], visitor.received[size:]
            self.answer(visitor, message)

    def answer(self, visitor: Visitor, message: bytes) -> None:
        """What one whole message of a client is worth."""
        asks = message[0] in ASKING or (message[0] == 3 and not message[1])
        if asks and self.modes[visitor.screen] != "saturated":
            self.send(visitor, PIXEL)

    def send(self, visitor: Visitor, data: bytes | memoryview) -> None:
        """Send whole messages; nothing else comes in between."""
        if len(visitor.unsent):
            visitor.unsent = memoryview(bytes(visitor.unsent) + bytes(data))
        else:
            visitor.unsent = memoryview(data)
            self.flush(visitor)

    def feed(self, visitor: Visitor) -> None:
        """Begin or end the flood."""
        left = len(visitor.unsent)
        if self.modes[visitor.screen] == "saturated":
            self.send(visitor, BLOCK)
        elif left > len(LARGE):
            visitor.unsent = visitor.unsent[: left % len(LARGE) or len(LARGE)]

    def flush(self, visitor: Visitor) -> None:
        try:
            sent = visitor.socket.send(visitor.unsent) if len(visitor.unsent) else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self.see_out(visitor)
            return
        visitor.unsent = visitor.unsent[sent:]
        is_flooding = visitor.stage == 3 and self.modes[visitor.screen] == "saturated"
        if is_flooding and not len(visitor.unsent):
            visitor.unsent = BLOCK
        if bool(len(visitor.unsent)) != visitor.is_waiting:
            visitor.is_waiting = not visitor.is_waiting
            out = select.EPOLLOUT if visitor.is_waiting else 0
            self.poll.modify(visitor.socket, select.EPOLLIN | out)

    def pace(self) -> None:
        now = time.monotonic()
        ready = set()
        while self.due and self.due[0][0] <= now:
            at, screen = self.due[0]
            ready.add(screen)
            heapq.heapreplace(self.due, (max(at + 1 / UPDATES_A_SECOND, now - 0.1), screen))
        if ready:
            for visitor in list(self.visitors.values()):
                if visitor.screen in ready and visitor.stage == 3 and not len(visitor.unsent):
                    self.send(visitor, SMALL)


def message_size(data: bytes) -> int:
    """How long the client's message at the start of `data` is; 0 where that is not known yet."""
    if not data:
        return 0
    if (size := CLIENT_MESSAGES.get(data[0])) is not None:
        return size
    if data[0] == 2:
        return 4 + 4 * struct.unpack_from(">H", data, 2)[0] if len(data) >= 4 else 0
    if data[0] == 6:
        return 8 + struct.unpack_from(">I", data, 4)[0] if len(data) >= 8 else 0
    if data[0] == 248:
        return 9 + data[8] if len(data) >= 9 else 0
    sys.exit(f"a client's message of type {data[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screens", type=int, default=41)
    source = Source(parser.parse_args().screens)
    print(json.dumps(source.ports), flush=True)
    source.serve()


if __name__ == "__main__":
    main()
