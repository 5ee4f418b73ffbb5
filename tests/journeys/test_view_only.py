"""View-only is the daemon's doing: a hand-written client tries every message on a real Xvnc."""

import struct
import subprocess

import pytest
from websockets.exceptions import ConnectionClosed

from tests.desktops import XvncDesktop, wait_until
from tests.journeys.test_contract import Bytes

A, B, RETURN = 0x61, 0x62, 0xFF0D
UPDATE, CUT_TEXT = 0, 3


def key(keysym):
    return struct.pack(">BBxxI", 4, 1, keysym) + struct.pack(">BBxxI", 4, 0, keysym)


class RfbClient:
    """A viewer in forty lines: Raw only, so that every message can be cut by hand."""

    def __init__(self, stack, workstation, mode):
        self.socket = stack.sign_in().open(kind="screen", workstation=workstation, mode=mode)
        self.reader = Bytes(self.socket)
        self.reader.exactly(12)
        self.socket.send(b"RFB 003.008\n")
        self.reader.exactly(2)
        self.socket.send(b"\x01")
        self.reader.exactly(4)
        self.socket.send(b"\x01")
        init = self.reader.exactly(24)
        self.size = struct.unpack(">HH", init[:4])
        self.reader.exactly(struct.unpack(">I", init[20:24])[0])
        self.socket.send(struct.pack(">BxHi", 2, 1, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.send(data)

    def ask(self, incremental=0):
        self.send(struct.pack(">BBHHHH", 3, incremental, 0, 0, 8, 8))

    def message(self):
        """The type of the next message, read to its end, and its text if it is cut text."""
        kind = self.reader.exactly(1)[0]
        if kind == UPDATE:
            for _ in range(struct.unpack(">xH", self.reader.exactly(3))[0]):
                _, _, width, height, encoding = struct.unpack(">HHHHi", self.reader.exactly(12))
                assert encoding == 0
                self.reader.exactly(width * height * 4)
            return kind, b""
        assert kind == CUT_TEXT, f"message type {kind}"
        return kind, self.reader.exactly(struct.unpack(">xxxI", self.reader.exactly(7))[0])

    def until_update(self):
        """The cut texts that came before the next update."""
        self.ask()
        texts = []
        while True:
            kind, text = self.message()
            if kind == UPDATE:
                return texts
            texts.append(text)


@pytest.fixture(scope="module")
def note(stack, tmp_path_factory):
    """An Xvnc whose terminal writes what is typed to a file, and its id."""
    folder = tmp_path_factory.mktemp("note")
    with XvncDesktop(folder / "desktop") as desktop:
        identifier = stack.add_workstation("pc-note", desktop, room="S13", user="rose.lambert")
        desktop.open_note(folder / "typed.txt")
        desktop.run("xdotool", "mousemove", "100", "100")
        yield desktop, identifier, folder / "typed.txt"


def pointer(desktop):
    done = subprocess.run(
        ["xdotool", "getmouselocation"],
        env={"DISPLAY": desktop.display, "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return done.stdout.split()[:2]


FORBIDDEN = {
    "a key": key(A) + key(RETURN),
    "the pointer": struct.pack(">BBHH", 5, 1, 300, 300),
    "cut text": struct.pack(">BxxxI", 6, 5) + b"hello",
    "an extended key": struct.pack(">BBHII", 255, 0, 1, A, 0x1E)
    + struct.pack(">BBHII", 255, 0, 0, A, 0x1E),
    "another size": struct.pack(">BxHHBx", 251, 640, 480, 1)
    + struct.pack(">IHHHHI", 0, 0, 0, 640, 480, 0),
    "xvp": struct.pack(">BBBB", 250, 0, 1, 2),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_under_view_no_input_reaches_the_desktop(stack, note, name):
    desktop, identifier, typed = note
    before, place = typed.read_text(), pointer(desktop)
    with RfbClient(stack, identifier, "view") as viewer:
        size = viewer.size
        viewer.send(FORBIDDEN[name])
        viewer.until_update()
    # What is typed under control afterwards comes after anything the viewer could have typed.
    with RfbClient(stack, identifier, "control") as controller:
        assert controller.size == size
        assert pointer(desktop) == place
        controller.send(key(B) + key(RETURN))
        wait_until(
            lambda: typed.read_text().removeprefix(before).endswith("b\n"),
            5,
            "the letter typed under control",
        )
    assert typed.read_text() == before + "b\n"


@pytest.mark.parametrize("kind", [7, 9, 11, 77, 173, 252])
def test_an_unknown_message_closes_the_screen(stack, note, kind):
    _, identifier, _ = note
    with RfbClient(stack, identifier, "view") as viewer:
        viewer.send(bytes([kind]) + bytes(40))
        with pytest.raises(ConnectionClosed):
            viewer.reader.exactly(1_000_000)


def copy_on(desktop, text):
    subprocess.run(
        ["xclip", "-selection", "clipboard"],
        input=text,
        env={"DISPLAY": desktop.display, "PATH": "/usr/bin"},
        check=True,
        timeout=10,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_the_clipboard_comes_back_under_control_and_never_under_view(stack, note):
    desktop, identifier, _ = note
    with (
        RfbClient(stack, identifier, "view") as viewer,
        RfbClient(stack, identifier, "control") as controller,
    ):
        viewer.until_update()
        controller.until_update()
        copy_on(desktop, b"private")
        while True:
            kind, text = controller.message()
            if kind == CUT_TEXT:
                break
        assert text == b"private"
        assert viewer.until_update() == []
