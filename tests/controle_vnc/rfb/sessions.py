"""Bytes of a VNC server for tests: the opening, updates and rectangles, made by hand."""

import struct

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.client import RfbClient
from controle_vnc.rfb.messages import framebuffer_update, rectangle
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.stream import to_the_end


def server_init(width=8, height=6, name=b"desk", pixel_format=RGBX):
    head = struct.pack(">HH", width, height) + pixel_format.to_bytes()
    return head + struct.pack(">I", len(name)) + name


def opening(width=8, height=6, name=b"desk", pixel_format=RGBX):
    """Everything a server without password says up to its ServerInit, in RFB 3.8."""
    return (
        b"RFB 003.008\n" + b"\x01\x01" + bytes(4) + server_init(width, height, name, pixel_format)
    )


def update(rect, encoding, data, count=1):
    return framebuffer_update(count, rectangle(Rect(*rect), encoding) + data)


def connected(width=8, height=6, pixel_format=None, **options):
    """A client after its handshake; with `pixel_format`, of a server whose own it takes."""
    client = RfbClient(None, native=pixel_format is not None, **options)
    client.receive_data(opening(width, height, pixel_format=pixel_format or RGBX), to_the_end)
    client.events()
    client.data_to_send()
    return client


def painted(chunks, width=8, height=6):
    """The picture after a session cut into `chunks`."""
    client = connected(width, height)
    for chunk in chunks:
        client.receive_data(chunk, to_the_end)
    return client.framebuffer.pixels[:, :, :3].copy()


def bytewise(data):
    return [data[at : at + 1] for at in range(len(data))]
