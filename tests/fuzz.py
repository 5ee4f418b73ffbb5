"""Feeds every parser of RFB what nobody should send: `python -m tests.fuzz [SECONDS [TARGET …]]`.

Begins with what real servers have said (`tests/data/rfb`) and with rectangles of every encoding,
and changes them: bytes, lengths, order, and what is inside of compressed data. Nothing may be
raised but the package's own errors, nothing may take long, and the process may not grow by more
than 64 MiB above the largest picture. Where atheris is installed it takes half of the time, guided
by what the input reaches; `--unguided` does without. What went wrong is kept in a file, and
`--again FILE` plays it.
"""

import contextlib
import faulthandler
import importlib.util
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from controle_vnc.errors import AuthenticationError, ProtocolError, UnsupportedError
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.client import DEFAULT_ENCODINGS, RfbClient
from controle_vnc.rfb.client_filter import ClientMessageFilter
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.messages import ServerInit, framebuffer_update, rectangle
from controle_vnc.rfb.pixel_format import RGBX, PixelFormat
from controle_vnc.rfb.server_filter import ServerMessageFilter
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.rfb.viewer_messages import ViewerMessages
from tests.controle_vnc.rfb import recorded
from tests.controle_vnc.rfb.sessions import opening
from tests.controle_vnc.rfb.writing import FORMATS, Writer, compact_length, jpeg, noise, png, shown

DEFAULT_SECONDS = 600.0
INPUT_SECONDS = 20  # for one input: a slow machine that traces it all is no hang
MOST_BYTES = 64 * 1024 * 1024
MAX_INPUT = 256 * 1024  # bytes; longer inputs find nothing more
LED_SECONDS = 60  # beside its time, for its start; not every target lets it look at the clock
MAX_LED = 4 * 1024  # where atheris begins: it traces each of these before anything else
SIZE = (40, 36)
PLAYED_AGAIN = "--again"
GUIDED = "--guided"
UNGUIDED = "--unguided"
CRASHES = Path("fuzz-crashes")
ODD = (0, 1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 127, 128, 129, 130, 254, 255)
ASKED = [*DEFAULT_ENCODINGS, Encoding.EXTENDED_CLIPBOARD, Encoding.CONTINUOUS_UPDATES]
SERVERS = ("xvnc", "x0vncserver", "x11vnc", "mapped", "mac", "to-mac")

Chance = random.Random


class HungError(Exception):
    """One input took too long."""


# --- targets: each takes bytes and may raise the package's own errors only


def client(data: bytes) -> None:
    """A server's whole session; the first byte says in what pieces it comes."""
    one = RfbClient(recorded.PASSWORD, ASKED, native=True)
    step = (1, 7, 1000, len(data) + 1)[data[0] & 3] if data else 1
    step = max(step, len(data) // 500)
    with contextlib.suppress(ProtocolError, UnsupportedError, AuthenticationError):
        for at in range(1, len(data), step):
            one.receive_data(data[at : at + step], to_the_end)
            one.events()
            one.data_to_send()
    note_size(one.framebuffer)


def screen(data: bytes) -> None:
    """What a server says after its handshake, in one of several pixel formats."""
    if not data:
        return
    names = list(FORMATS)
    pixel_format = FORMATS[names[data[0] % len(names)]]
    client(b"\3" + opening(*SIZE, pixel_format=pixel_format) + data[1:])


def handshake(data: bytes) -> None:
    """What a server says first; the first byte says whether there is a password."""
    one = ClientHandshake(b"password" if data[:1] < b"\x80" else None)
    with contextlib.suppress(ProtocolError, UnsupportedError, AuthenticationError):
        one.receive_data(data[1:], to_the_end)


def passing(data: bytes) -> None:
    """What a server says to a viewer of its own, undecoded."""
    init = ServerInit(*SIZE, RGBX, "desk")
    walk = ServerMessageFilter(init, ClientMessageFilter(True, True))
    with contextlib.suppress(ProtocolError):
        for at in range(0, len(data), 1000):
            walk.feed(data[at : at + 1000])


def viewer(data: bytes) -> None:
    """What a viewer says."""
    with contextlib.suppress(ProtocolError):
        ViewerMessages().feed(data)
    with contextlib.suppress(ProtocolError):
        watch = ClientMessageFilter(bool(data[:1] < b"\x80"), True)
        watch.feed(data)
        watch.releases()


def pixel_format(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        PixelFormat.from_bytes(data[:16].ljust(16, b"\0"))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "client": client,
    "screen": screen,
    "handshake": handshake,
    "passing": passing,
    "viewer": viewer,
    "pixel_format": pixel_format,
}

_largest = 0


def note_size(framebuffer: Framebuffer | None) -> None:
    global _largest
    if framebuffer is not None:
        _largest = max(_largest, framebuffer.pixels.nbytes)


# --- where to begin


class SpoilingWriter(Writer):
    """Compresses something else than it was given, now and then."""

    def __init__(self, pixel_format: PixelFormat, chance: Chance) -> None:
        super().__init__(pixel_format)
        self._chance = chance

    def packed(self, name, data):
        return super().packed(name, spoilt(data, self._chance, 3))


KINDS = {
    "raw": 0, "rre": 2, "corre": 4, "hextile": 5, "zlib": 6, "tight": 7, "trle": 15, "zrle": 16,
}  # fmt: skip


def some_rectangles(chance: Chance) -> bytes:
    """An update of one to four rectangles in one pixel format, made afresh; see `screen`."""
    number = chance.randrange(len(FORMATS))
    pixel_format = list(FORMATS.values())[number]
    writer = SpoilingWriter(pixel_format, chance)
    count = chance.randint(1, 4)
    rects = b"".join(one_rectangle(writer, chance) for _ in range(count))
    return bytes([number]) + framebuffer_update(count, rects)


def one_rectangle(writer: Writer, chance: Chance) -> bytes:
    width, height = chance.randint(1, SIZE[0]), chance.randint(1, SIZE[1])
    rect = Rect(chance.randint(0, SIZE[0] - width), 0, width, height)
    colours = chance.choice([1, 2, 3, 12, 60, None])
    numbers = noise(writer.format, width, height, colours, chance.randrange(1000))
    kind = chance.choice([*KINDS, "jpeg", "tightpng", "gradient", "pseudo"])
    if kind in KINDS:
        return rectangle(rect, KINDS[kind]) + getattr(writer, kind)(numbers)
    if kind == "gradient":
        stream = chance.randrange(4)
        return rectangle(rect, 7) + writer.tight(numbers, stream, chance.randrange(16), 2)
    if kind == "pseudo":
        return pseudo_rectangle(chance)
    pixels = shown(numbers & 0xFFFFFF, RGBX)
    if kind == "jpeg":
        return rectangle(rect, Encoding.JPEG) + jpeg(pixels)
    data = png(pixels)
    return rectangle(rect, Encoding.TIGHT_PNG) + b"\xa0" + compact_length(len(data)) + data


def pseudo_rectangle(chance: Chance) -> bytes:
    """A pointer, a size, a name or the end."""
    bits = chance.randbytes(2 * 9)
    pointer = Rect(1, 1, 9, 9)
    return chance.choice(
        [
            rectangle(pointer, Encoding.CURSOR) + chance.randbytes(81 * 4) + bits,
            rectangle(pointer, Encoding.X_CURSOR) + chance.randbytes(6) + bits + bits,
            rectangle(pointer, Encoding.CURSOR_WITH_ALPHA) + bytes(4) + chance.randbytes(81 * 4),
            messages.desktop_size(*SIZE),
            messages.extended_desktop_size(*SIZE),
            rectangle(Rect(0, 0, 0, 0), Encoding.DESKTOP_NAME) + struct.pack(">I", 4) + b"name",
            rectangle(Rect(0, 0, 64, 0), Encoding.SUPPORTED_MESSAGES) + bytes(64),
            rectangle(Rect(0, 0, 0, 0), Encoding.LAST_RECT),
        ]
    )


def other_messages(chance: Chance) -> bytes:
    """What else a server says."""
    text = struct.pack(">I", 4) + chance.randbytes(4)
    body = struct.pack(">I", chance.choice([1 << 24 | 0x1F, 1 << 28 | 1, 1 << 27 | 1, 1 << 25 | 1]))
    body += zlib.compress(text) if chance.random() < 0.7 else text
    return chance.choice(
        [
            struct.pack(">BxHH", 1, chance.choice([0, 254, 255, 256, 65535]), 3)
            + chance.randbytes(18),
            messages.bell(),
            messages.server_cut_text(b"text"),
            struct.pack(">B3xi", 3, -len(body)) + body,
            messages.end_of_continuous_updates(),
            messages.fence(1 << 31 | 7, b"payload"),
        ]
    )


def said_by_viewers(chance: Chance) -> bytes:
    bounds = Rect(0, 0, *SIZE)
    return b"".join(
        chance.sample(
            [
                messages.set_pixel_format(RGBX),
                messages.set_encodings(ASKED),
                messages.update_request(True, bounds),
                messages.key_event(True, 0x61),
                messages.pointer_event(1, 2, 3),
                messages.client_cut_text(b"text"),
                messages.fence(1 << 31, b"x"),
                messages.enable_continuous_updates(True, bounds),
                messages.set_desktop_size(*SIZE),
            ],
            6,
        )
    )


def captured() -> list[bytes]:
    """Every capture, behind the byte that says how it is cut."""
    return [
        b"\3" + data
        for server in SERVERS
        for data in recorded.sessions(server).values()
        if len(data) < MAX_INPUT
    ]


def openings() -> list[bytes]:
    sessions = {data[1:400] for data in captured()}
    return [b"\0" + data for data in sessions] + [b"\xff" + opening(*SIZE)]


def seed(target: str, chance: Chance) -> bytes:
    """Something that `target` can make sense of."""
    if target == "client":
        return chance.choice(_seeds(target))
    if target == "handshake":
        return chance.choice(_seeds(target))
    if target == "viewer":
        return said_by_viewers(chance)
    if target == "pixel_format":
        return chance.choice(list(FORMATS.values())).to_bytes()
    begun = some_rectangles(chance)
    if chance.random() < 0.3:
        begun += other_messages(chance)
    return begun[1:] if target == "passing" else begun


_kept: dict[str, list[bytes]] = {}


def _seeds(target: str) -> list[bytes]:
    if target not in _kept:
        _kept[target] = captured() if target == "client" else openings()
    return _kept[target]


# --- change


def spoilt(data: bytes, chance: Chance, rarely: int = 1) -> bytes:
    """`data` with some bytes changed, added, left out or repeated; one time of `rarely`."""
    if not data or chance.randrange(rarely):
        return data
    changed = bytearray(data)
    for _ in range(1 << chance.randrange(4)):
        at = chance.randrange(len(changed)) if changed else 0
        if chance.random() < 0.5:
            at = min(at, chance.randrange(64))  # heads decide more than pixels
        way = chance.randrange(6)
        size = 1 << chance.randrange(5)
        if way == 0 and changed:
            changed[at % len(changed)] ^= 1 << chance.randrange(8)
        elif way == 1 and changed:
            changed[at % len(changed)] = chance.choice(ODD)
        elif way == 2:
            changed[at : at + size] = chance.choice([b"\0", b"\xff"]) * size
        elif way == 3:
            changed[at:at] = chance.randbytes(size)
        elif way == 4:
            del changed[at : at + size]
        else:
            changed[at:at] = changed[: size * 8]
    return bytes(changed[:MAX_INPUT])


# --- the loop


def run(seconds: float, names: list[str], seed_number: int) -> int:
    """Feed changed input to the targets in turn; how many inputs that were."""
    chance = random.Random(seed_number)
    signal.signal(signal.SIGALRM, _hung)
    for name in names:  # what is made once is made before memory is measured
        TARGETS[name](seed(name, chance))
    before = _resident()
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        name = names[count % len(names)]
        data = spoilt(seed(name, chance), chance)
        feed(name, data)
        count += 1
    grown = _resident() - before - _largest
    if grown > MOST_BYTES:
        raise AssertionError(f"{grown} bytes more than before and than the largest screen")
    return count


def feed(name: str, data: bytes) -> None:
    """One input; what goes wrong is kept and raised."""
    signal.setitimer(signal.ITIMER_REAL, INPUT_SECONDS)
    try:
        TARGETS[name](data)
    except BaseException:
        CRASHES.mkdir(exist_ok=True)
        path = CRASHES / f"{name}-{zlib.crc32(data):08x}"
        path.write_bytes(data)
        print(f"kept: {path}", file=sys.stderr)
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _hung(*_) -> None:
    raise HungError(f"more than {INPUT_SECONDS} s")


def _resident() -> int:
    """Bytes of memory that the process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def guided(seconds: float, name: str, folder: Path) -> None:
    """Let atheris lead, from what is put into `folder`; does not return."""
    import atheris

    chance = random.Random(1)
    for number in range(200):
        (folder / str(number)).write_bytes(seed(name, chance)[:MAX_LED])
    CRASHES.mkdir(exist_ok=True)
    atheris.instrument_all()
    options = [
        f"-max_total_time={max(1, round(seconds))}", f"-max_len={MAX_INPUT}",
        f"-timeout={INPUT_SECONDS}",
        "-rss_limit_mb=1024", f"-artifact_prefix={CRASHES}/{name}-", "-verbosity=0",
        "-print_final_stats=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(folder)], TARGETS[name])
    atheris.Fuzz()


def has_atheris() -> bool:
    return importlib.util.find_spec("atheris") is not None


def run_guided(seconds: float, name: str) -> bool:
    """Whether atheris found nothing, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz", GUIDED, str(seconds), name, folder]
        try:
            return (
                subprocess.run(command, check=False, timeout=seconds + LED_SECONDS).returncode == 0
            )
        except subprocess.TimeoutExpired:
            return True  # its time is over; what went wrong would have ended it


def play_again(path: Path) -> int:
    """Feed what was kept to the target that its name begins with."""
    TARGETS[path.name.partition("-")[0]](path.read_bytes())
    return 0


def main(arguments: list[str]) -> int:
    """Fuzz; 1 where something went wrong."""
    faulthandler.enable()
    if arguments[:1] == [GUIDED]:
        guided(float(arguments[1]), arguments[2], Path(arguments[3]))
    if arguments[:1] == [PLAYED_AGAIN]:
        return play_again(Path(arguments[1]))
    leads = has_atheris() and UNGUIDED not in arguments
    arguments = [word for word in arguments if word != UNGUIDED]
    seconds = float(arguments[0]) if arguments else DEFAULT_SECONDS
    names = arguments[1:] or list(TARGETS)
    if not leads:
        print("without atheris: inputs are changed without its guidance")
    number = random.SystemRandom().randrange(1 << 32)
    print(f"seed {number}", flush=True)
    count = run(seconds / 2 if leads else seconds, names, number)
    print(f"{count} inputs, nothing went wrong", flush=True)
    share = seconds / 2 / len(names)
    return int(leads and not all([run_guided(share, name) for name in names]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
