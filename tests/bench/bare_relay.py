"""What a relay in Python costs at the least: bytes from socket to socket, and nothing else.

`python -m tests.bench.bare_relay PORT …` accepts connections on a port for each given one, prints
them as one JSON list, and copies both ways until its standard input ends. No handshake, no
WebSocket frames, no filter, no limit but the sockets' own: a floor, not a gateway.
"""

import json
import os
import select
import socket
import sys

READ_BYTES = 256 * 1024
STANDARD_INPUT = 0

_buffer = memoryview(bytearray(READ_BYTES))


class End:
    """One socket of a pair; `unsent` waits for it to take more, and its peer is not read."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connected
        self.unsent = memoryview(b"")
        self.peer = self


class Relay:
    """All pairs in one epoll loop."""

    def __init__(self, targets: list[int]) -> None:
        self.poll = select.epoll()
        self.poll.register(STANDARD_INPUT, select.EPOLLIN)
        self.doors: dict[int, tuple[socket.socket, int]] = {}
        self.ends: dict[int, End] = {}
        self.ports = []
        for target in targets:
            door = socket.create_server(("127.0.0.1", 0), backlog=16)
            self.doors[door.fileno()] = door, target
            self.poll.register(door, select.EPOLLIN)
            self.ports.append(door.getsockname()[1])

    def run(self) -> None:
        while True:
            for number, mask in self.poll.poll():
                if number == STANDARD_INPUT:
                    return
                if number in self.doors:
                    self.accept(*self.doors[number])
                elif (end := self.ends.get(number)) is not None:
                    self.serve(end, mask)

    def accept(self, door: socket.socket, target: int) -> None:
        near, far = End(door.accept()[0]), End(socket.create_connection(("127.0.0.1", target)))
        near.peer, far.peer = far, near
        for end in (near, far):
            self.ends[end.socket.fileno()] = end
            self.poll.register(end.socket, select.EPOLLIN)

    def serve(self, end: End, mask: int) -> None:
        try:
            if mask & select.EPOLLOUT:
                end.unsent = end.unsent[end.socket.send(end.unsent) :]
                if not end.unsent:
                    self.listen(end)
                    self.listen(end.peer)
            elif not self.copy(end):
                self.close(end)
        except BlockingIOError:
            return
        except ConnectionError:
            self.close(end)

    def copy(self, end: End) -> bool:
        """What has come goes to the peer; whether `end` is still there."""
        count = end.socket.recv_into(_buffer)
        try:
            sent = end.peer.socket.send(_buffer[:count])
        except BlockingIOError:
            sent = 0
        if sent < count:
            end.peer.unsent = memoryview(bytes(_buffer[sent:count]))
            self.listen(end)
            self.listen(end.peer)
        return count > 0

    def listen(self, end: End) -> None:
        wants = select.EPOLLOUT * bool(end.unsent) | select.EPOLLIN * (not end.peer.unsent)
        self.poll.modify(end.socket, wants)

    def close(self, end: End) -> None:
        for one in (end, end.peer):
            if self.ends.pop(one.socket.fileno(), None) is not None:
                self.poll.unregister(one.socket)
                one.socket.close()


def main() -> None:
    relay = Relay([int(port) for port in sys.argv[1:]])
    os.write(1, (json.dumps(relay.ports) + "\n").encode())
    relay.run()


if __name__ == "__main__":
    main()
