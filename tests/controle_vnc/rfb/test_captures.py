"""What real servers have said, played to our client; `python -m tests.captures` records it."""

from functools import cache

import numpy as np
import pytest

from controle_vnc.errors import UnsupportedError
from controle_vnc.rfb import client as rfb
from controle_vnc.rfb.client import RfbClient
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.recorded import FOLDER, LOSSY, PASSWORD, screen, sessions
from tests.controle_vnc.rfb.writing import FORMATS

CHUNK = 9973  # bytes at a time: messages begin and end anywhere in one
MOST_BYTES = 800_000  # of all captures together, so that a checkout stays small
LEAST_PSNR = 28  # decibels; noise and small letters lose most in a JPEG
COLOUR_STEP = {"map": 85, "native": 0}  # two bits of blue in a map of 256 colours
SPOKEN = {
    "xvnc": {"raw", "copy", "rre", "hextile", "tight", "tight jpeg", "zrle"},
    "x0vncserver": {"raw", "rre", "hextile", "tight", "tight jpeg", "zrle"},
    "x11vnc": {
        "raw", "rre", "corre", "hextile", "zlib", "tight", "tight jpeg", "zrle",
    },
    "mapped": {"raw", "hextile", "zrle"},
}  # fmt: skip


@cache
def played(server, name):
    """The picture after a capture, and what was told on the way."""
    client = RfbClient(PASSWORD, [Encoding.EXTENDED_CLIPBOARD], native=True)
    data = sessions(server)[name]
    for at in range(0, len(data), CHUNK):
        client.receive_data(data[at : at + CHUNK], to_the_end)
    assert not client.is_behind
    return client.framebuffer.pixels[:, :, :3].copy(), client.events()


def names():
    return [
        pytest.param(server, name, id=f"{server} {name}")
        for server in SPOKEN
        for name in sessions(server)
    ]


def psnr(one, other):
    return 10 * np.log10(255**2 / ((one - other) ** 2).mean())


@pytest.mark.parametrize(("server", "name"), names())
def test_what_a_real_server_said_paints_what_was_on_its_screen(server, name):
    pixels, events = played(server, name)
    pixels = pixels.astype(int)
    kind = name.split("/")
    assert sum(isinstance(event, rfb.Updated) for event in events) >= 3
    if kind[1] in LOSSY:
        assert psnr(pixels, screen(server)) > LEAST_PSNR
        return
    pixel_format = FORMATS.get(kind[0])
    if pixel_format is not None and pixel_format.true_colour:
        # Some round a colour to the nearest that the format has, some down.
        steps = [255 / maximum if maximum < 255 else 0 for maximum in pixel_format.maxima]
    else:
        steps = [COLOUR_STEP[kind[0]]] * 3
    assert (abs(pixels - screen(server)) <= np.array(steps) + 0.5).all()


@pytest.mark.parametrize(("server", "name"), names())
def test_every_lossless_encoding_of_a_server_paints_what_raw_does(server, name):
    pixel_format, kind = name.split("/")
    if kind in LOSSY:
        return
    assert (played(server, name)[0] == played(server, f"{pixel_format}/raw")[0]).all()


@pytest.mark.parametrize("server", SPOKEN)
def test_every_encoding_that_a_server_speaks_is_there(server):
    kinds = {name.split("/")[1] for name in sessions(server)}
    assert kinds >= SPOKEN[server]


def told(kind):
    return any(
        isinstance(event, kind)
        for server in SPOKEN
        for name in sessions(server)
        for event in played(server, name)[1]
    )


def test_pointers_names_colour_maps_and_the_end_of_continuous_updates_are_among_them():
    assert told(rfb.CursorChanged)
    assert told(rfb.Renamed)
    assert told(rfb.ColoursChanged)
    assert told(rfb.ContinuousUpdatesEnded)


@pytest.mark.parametrize(("server", "session", "size", "title", "updates"), [
    ("xclock", "xclock/corre", (1024, 768), "baccala's X desktop (vm:1)", 21),
    ("to-mac", "native/zlib", (1024, 768), "root's X desktop (martin-VirtualBox:1)", 1),
    ("mac", "native/zrle", (1280, 720), "vmac", 12),
])  # fmt: skip
def test_a_recording_of_another_server_is_played_to_its_end(server, session, size, title, updates):
    pixels, events = played(server, session)
    assert (pixels == screen(server)).all()
    assert events[0] == rfb.Connected(*size, title)
    assert sum(isinstance(event, rfb.Updated) for event in events) >= updates


def test_what_a_mac_alone_speaks_is_told():
    """A recorded greeting: its version, and four types of which we know none."""
    client = RfbClient(PASSWORD)
    with pytest.raises(UnsupportedError, match="30, 33, 35, 36"):
        client.receive_data(b"RFB 003.889\n" + bytes((4, 30, 33, 36, 35)), to_the_end)


def test_the_captures_are_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES
