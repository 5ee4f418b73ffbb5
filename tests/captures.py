"""Records what real VNC servers say, for the decoders' tests: `python -m tests.captures`.

Starts Xvnc and x0vncserver (TigerVNC; Debian has the latter in tigervnc-scraping-server) and x11vnc
(LibVNCServer) with a small screen, asks each for every encoding in pixels of 8, 16 and 32 bits,
changes the screen in three steps, and stores the server's bytes in `tests/data/rfb/SERVER.tar.xz`
beside what X says is on the screen. In the bytes the pixel format of ServerInit is the one that was
asked for, so that they can be played to a client that asks for nothing.
"""

import contextlib
import io
import lzma
import select
import socket
import struct
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from controle_vnc.rfb import messages
from controle_vnc.rfb.client import ColoursChanged, RfbClient, Updated
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.stream import to_the_end
from tests.bench.xlib import Canvas
from tests.controle_vnc.rfb.recorded import FOLDER, LOSSY, PASSWORD, SCREEN
from tests.controle_vnc.rfb.writing import FORMATS
from tests.desktops import START_SECONDS, Desktop, X11vncDesktop, XvncDesktop, wait_until

WIDTH, HEIGHT = 200, 150
QUIET_SECONDS = 0.7  # after this nothing more comes of a change; x11vnc looks every 20 ms or so
COMMON = [Encoding.DESKTOP_SIZE, Encoding.LAST_RECT, Encoding.FENCE]
JPEG_QUALITY = -32 + 3
BEST_COMPRESSION = -256 + 9
ASKED = {
    "raw": [Encoding.RAW],
    "copy": [Encoding.COPY_RECT, Encoding.RAW],
    "rre": [Encoding.RRE],
    "corre": [Encoding.CORRE],
    "hextile": [Encoding.HEXTILE],
    "zlib": [Encoding.ZLIB],
    "tight": [Encoding.TIGHT],
    "tight jpeg": [Encoding.TIGHT, JPEG_QUALITY],
    "tightpng": [Encoding.TIGHT_PNG],
    "tightpng jpeg": [Encoding.TIGHT_PNG, JPEG_QUALITY],
    "trle": [Encoding.TRLE],
    "zrle": [Encoding.ZRLE],
    "jpeg": [Encoding.JPEG],
}
EXTRAS = {
    "raw": [Encoding.CURSOR, Encoding.EXTENDED_DESKTOP_SIZE, Encoding.DESKTOP_NAME],
    "copy": [Encoding.X_CURSOR, Encoding.CONTINUOUS_UPDATES],
    "rre": [Encoding.CURSOR_WITH_ALPHA, Encoding.CURSOR],
    "hextile": [Encoding.EXTENDED_CLIPBOARD, Encoding.CURSOR],
}
ASKED_FORMATS = ("rgbx", "xrgb", "565", "565 big", "233", "map")
FEW = ["raw", "hextile", "tight", "zrle"]  # in the formats that differ little


def hide_pointer(desktop: Desktop) -> None:
    """Give the screen a pointer of no pixels."""
    with tempfile.NamedTemporaryFile("w", suffix=".xbm") as file:
        for word, value in (("width", 8), ("height", 1), ("x_hot", 0), ("y_hot", 0)):
            file.write(f"#define p_{word} {value}\n")
        file.write("static char p_bits[] = {\n 0x00 };\n")
        file.flush()
        desktop.run("xsetroot", "-cursor", file.name, file.name)


class X0vncDesktop(Desktop):
    """Xvfb with TigerVNC's x0vncserver over it."""

    depth = 24

    def start(self) -> None:
        screen = f"{self.geometry}x{self.depth}"
        self.start_x("Xvfb", "-screen", "0", screen, "-nolisten", "tcp")
        self.spawn(
            "X0tigervnc", "-display", self.display, "-rfbport", str(self.port), "-localhost",
            "-PasswordFile", str(self.password_file), "-SecurityTypes", "VncAuth",
        )  # fmt: skip
        wait_until(self.listening, START_SECONDS, "x0vncserver listening")
        # It paints the pointer into the picture and X leaves it out. Not before: X without clients
        # forgets what it was told.
        hide_pointer(self)


class MappedDesktop(X11vncDesktop):
    """A screen of 8 bits with a colour map under x11vnc."""

    def start(self) -> None:
        self.start_x("Xvfb", "-screen", "0", f"{self.geometry}x8", "-nolisten", "tcp")
        self.spawn(
            "x11vnc", "-display", self.display, "-rfbport", str(self.port), "-localhost",
            "-rfbauth", str(self.password_file), "-shared", "-forever", "-noxdamage", "-quiet",
        )  # fmt: skip
        wait_until(self.listening, START_SECONDS, "x11vnc listening")


SERVERS = {"xvnc": XvncDesktop, "x0vncserver": X0vncDesktop, "x11vnc": X11vncDesktop}


def picture() -> Image.Image:
    """Text, lines and flat areas, a gradient and a little noise: something for every encoding."""
    image = Image.new("RGB", (WIDTH, HEIGHT), (58, 110, 165))
    draw = ImageDraw.Draw(image)
    draw.rectangle((10, 8, 139, 99), (255, 255, 255), (40, 40, 40))
    draw.rectangle((10, 8, 139, 20), (10, 36, 106))
    for line in range(6):
        text = "Exercice de calcul"[line:]
        draw.text((14, 24 + 12 * line), text, (0, 0, 32 * line), ImageFont.load_default_imagefont())
    y, x = np.mgrid[0:40, 0:40]
    ramp = np.stack([x * 6, y * 6, 255 - (x + y) * 3], 2).astype(np.uint8)
    image.paste(Image.fromarray(ramp), (150, 10))
    noise = np.random.default_rng(1).integers(0, 256, (16, 24, 3), np.uint8)
    image.paste(Image.fromarray(noise), (150, 60))
    for number in range(12):
        draw.line((5, 105 + number * 3, 195, 140 - number), (20 * number, 255 - 9 * number, 90))
    return image


def change(desktop: Desktop, step: int) -> None:
    """Show the picture, then move some of it, then paint over it."""
    canvas = Canvas(desktop.display)
    if step == 0 and isinstance(desktop, MappedDesktop):
        for number in range(64):
            pixel = canvas.colour(number * 4, 255 - number * 3, number * 37 % 256)
            canvas.fill((number % 8 * 25, number // 8 * 19, 25 - number // 8, 19), pixel)
    elif step == 0:
        kept = canvas.keep(picture())
        canvas.show(kept, (0, 0), (WIDTH, HEIGHT), (0, 0))
    elif step == 1:
        canvas.move((20, 24), (100, 60), (60, 40))
    else:
        canvas.fill((30, 30, 50, 25), 0)
    canvas.close()


def on_screen(desktop: Desktop) -> Image.Image:
    """What X itself says is there."""
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        desktop.run("import", "-window", "root", file.name)
        return Image.open(file.name).convert("RGB")


class Session:
    """One connection whose bytes are kept."""

    def __init__(self, desktop: Desktop, pixel_format, encodings: list[int]) -> None:
        self.sent = bytearray()
        self._socket = socket.create_connection(("127.0.0.1", desktop.port))
        handshake = ClientHandshake(PASSWORD)
        while handshake.server_init is None:
            self._say(handshake.data_to_send())
            handshake.receive_data(self._hear(START_SECONDS), to_the_end)
        self._say(handshake.data_to_send())
        init = handshake.server_init
        if pixel_format is not None:
            at = self.sent.rindex(struct.pack(">HH", init.width, init.height)) + 4
            self.sent[at : at + 16] = pixel_format.to_bytes()
            self._say(messages.set_pixel_format(pixel_format))
        self._say(messages.set_encodings(encodings))
        self.client = RfbClient(PASSWORD, encodings, native=True)
        self.client.receive_data(bytes(self.sent), to_the_end)
        self.client.request_update(False)
        self.seen: set[int] = set()

    def _say(self, data: bytes) -> None:
        self._socket.sendall(data)

    def _hear(self, seconds: float) -> bytes:
        if not select.select([self._socket], [], [], seconds)[0]:
            return b""
        data = self._socket.recv(65536)
        assert data, "the server hung up"
        self.sent += data
        return data

    def follow(self) -> None:
        """Ask for more after each update, until nothing comes."""
        while True:
            out = self.client.data_to_send()
            # What a client says of its handshake and wishes was said already.
            self._say(b"" if out.startswith(b"RFB ") else out)
            for event in self.client.events():
                if isinstance(event, Updated | ColoursChanged):
                    is_new = isinstance(event, Updated)
                    self._say(messages.update_request(is_new, self.client.framebuffer.bounds))
            data = self._hear(QUIET_SECONDS)
            if not data:
                return
            self.client.receive_data(data, to_the_end)

    def close(self) -> None:
        self._socket.close()


def record(desktop: Desktop, name: str, kind: str) -> tuple[Session, Image.Image]:
    """All that the server says in one format and encoding, and what it should look like."""
    pixel_format = FORMATS.get(name)
    change(desktop, 0)
    extras = EXTRAS.get(kind, []) if name in ("rgbx", "565") else [Encoding.CURSOR]
    extras = extras or [Encoding.CURSOR]
    session = Session(desktop, pixel_format, [*ASKED[kind], *COMMON, *extras, BEST_COMPRESSION])
    session._say(messages.update_request(False, session.client.framebuffer.bounds))
    session.client.data_to_send()
    with contextlib.closing(session):
        session.follow()
        for step in (1, 2):
            change(desktop, step)
            session.follow()
        if isinstance(desktop, XvncDesktop) and Encoding.DESKTOP_NAME in extras:
            desktop.run("vncconfig", "-set", "desktop=renamed")
            session.follow()
    return session, on_screen(desktop)


def answered(sent: bytes) -> set[int]:
    """The encodings of the rectangles in a session, as a client meets them."""
    met: set[int] = set()

    class Noting(dict):
        def get(self, key, default=None):
            met.add(key)
            return super().get(key, default)

    client = RfbClient(PASSWORD, [Encoding.EXTENDED_CLIPBOARD], native=True)
    client.receive_data(sent, lambda: client.framebuffer is not None)
    client._decoders = Noting(client._decoders)
    client.receive_data(b"", to_the_end)
    return met


def kinds(name: str) -> list[str]:
    """What is asked for in that format: all in one, in others what each size of pixel changes."""
    if name == "rgbx":
        return list(ASKED)
    if name == "565":
        return [kind for kind in ASKED if kind not in LOSSY]
    if name == "xrgb":
        return ["raw", "hextile", "zrle"]  # Tight's pixels are the same bytes
    return [*FEW, "zlib", "rre"] if name in ("233", "map") else FEW


def record_server(server: str, folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    with SERVERS[server](folder, PASSWORD.decode(), f"{WIDTH}x{HEIGHT}") as desktop:
        shown = None
        for name in ASKED_FORMATS:
            for kind in kinds(name):
                try:
                    session, screen = record(desktop, name, kind)
                except (AssertionError, ConnectionError) as error:
                    print(f"{server} {name} {kind}: {error}")
                    continue
                met = answered(bytes(session.sent))
                if ASKED[kind][0] not in met:
                    print(f"{server} {name} {kind}: answered with {sorted(met)}")
                    continue
                shown = shown or screen
                assert screen.tobytes() == shown.tobytes(), "the screen differs from time to time"
                print(f"{server} {name} {kind}: {len(session.sent)} bytes, {sorted(met)}")
                files[f"{name}/{kind}"] = bytes(session.sent)
        files[SCREEN] = png(shown)
    return files


def record_native(folder: Path) -> dict[str, bytes]:
    """A server whose own format is a colour map, asked for nothing else."""
    files: dict[str, bytes] = {}
    with MappedDesktop(folder, PASSWORD.decode(), f"{WIDTH}x{HEIGHT}") as desktop:
        record(desktop, "native", "raw")  # the first one meets colours that nobody uses later
        for kind in ("raw", "hextile", "zrle"):
            session, screen = record(desktop, "native", kind)
            files[f"native/{kind}"] = bytes(session.sent)
            print(f"mapped {kind}: {len(session.sent)} bytes")
        files[SCREEN] = png(screen)
    return files


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def store(server: str, files: dict[str, bytes]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{server}.tar.xz"
    with (
        lzma.open(path, "wb", preset=9 | lzma.PRESET_EXTREME) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    print(f"{path}: {path.stat().st_size} bytes, {len(files)} files")


def main(names: list[str]) -> int:
    """Record the servers named, or all."""
    for server in names or [*SERVERS, "mapped"]:
        with tempfile.TemporaryDirectory() as folder:
            files = (
                record_native(Path(folder))
                if server == "mapped"
                else record_server(server, Path(folder))
            )
        store(server, files)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
