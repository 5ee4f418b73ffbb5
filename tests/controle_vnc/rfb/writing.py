"""A small RFB server's side for tests: pictures written in any pixel format and encoding."""

import io
import struct
import zlib

import numpy as np
import simplejpeg
from PIL import Image

from controle_vnc.rfb.pixel_format import RGBX, PixelFormat

FORMATS = {
    "rgbx": RGBX,
    "bgrx": PixelFormat(32, 24, False, True, (255, 255, 255), (16, 8, 0)),
    "xrgb": PixelFormat(32, 24, True, True, (255, 255, 255), (16, 8, 0)),
    "rgbx big": PixelFormat(32, 24, True, True, (255, 255, 255), (24, 16, 8)),
    "xbgr high": PixelFormat(32, 24, False, True, (255, 255, 255), (8, 16, 24)),
    "30 bits": PixelFormat(32, 30, False, True, (1023, 1023, 1023), (20, 10, 0)),
    "565": PixelFormat(16, 16, False, True, (31, 63, 31), (11, 5, 0)),
    "565 big": PixelFormat(16, 16, True, True, (31, 63, 31), (11, 5, 0)),
    "555 in 32": PixelFormat(32, 15, True, True, (31, 31, 31), (10, 5, 0)),
    "332": PixelFormat(8, 8, False, True, (7, 7, 3), (5, 2, 0)),
    "233": PixelFormat(8, 8, False, True, (7, 7, 3), (0, 3, 6)),
    "64 colours": PixelFormat(8, 6, False, True, (3, 3, 3), (4, 2, 0)),
    "one colour": PixelFormat(8, 3, False, True, (0, 7, 0), (0, 0, 0)),
    "map": PixelFormat(8, 8, False, False, (0, 0, 0), (0, 0, 0)),
    "map 16": PixelFormat(16, 10, True, False, (0, 0, 0), (0, 0, 0)),
}
RUN = 255


def shown(numbers, pixel_format, colours=None):
    """What pixels that are `numbers` must look like: rows × columns × 3."""
    if not pixel_format.true_colour:
        return colours[numbers]
    parts = [
        (((numbers >> shift) & maximum) * 255 + maximum // 2) // max(1, maximum)
        for shift, maximum in zip(pixel_format.shifts, pixel_format.maxima, strict=True)
    ]
    return np.stack(parts, -1).astype(np.uint8)


def used_bits(pixel_format):
    """A mask of the bits that carry colour."""
    return pixel_format.colour_bits if pixel_format.true_colour else 0xFF


def noise(pixel_format, width, height, colours=None, seed=1):
    """Random numbers of that format, of `colours` different ones if given."""
    mask = used_bits(pixel_format)
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 2**32, (height, width), np.uint32) & np.uint32(mask)
    if colours is None:
        return pixels
    palette = (np.arange(1, colours + 1, dtype=np.uint32) * 0x9E3779B1 >> 7) & np.uint32(mask)
    return palette[random.integers(0, colours, (height, width))]


class Writer:
    """Encodes rectangles of numbers for one connection with `pixel_format`."""

    def __init__(self, pixel_format):
        self.format = pixel_format
        self.streams = {name: zlib.compressobj() for name in ("zlib", "zrle", 0, 1, 2, 3)}

    # --- pixels

    def plain(self, numbers):
        order = ">" if self.format.big_endian else "<"
        return np.asarray(numbers).astype(f"{order}u{self.format.bytes_per_pixel}").tobytes()

    def compact(self, numbers):
        whole = np.frombuffer(self.plain(numbers), np.uint8).reshape(
            -1, self.format.bytes_per_pixel
        )
        if not self.format.has_compact_pixels:
            return whole.tobytes()
        is_low = used_bits(self.format) < 1 << 24
        begin = 0 if is_low != self.format.big_endian else 1
        return whole[:, begin : begin + 3].tobytes()

    def tight_pixels(self, numbers):
        if not self.format.has_tight_pixels:
            return self.plain(numbers)
        return shown(np.asarray(numbers), self.format).tobytes()

    # --- compression

    def packed(self, name, data):
        stream = self.streams[name]
        return stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)

    def with_length(self, name, data):
        packed = self.packed(name, data)
        return struct.pack(">I", len(packed)) + packed

    # --- encodings

    def raw(self, numbers):
        return self.plain(numbers)

    def rre(self, numbers, places=">HHHH"):
        rows, columns = np.nonzero(numbers != numbers[0, 0])
        data = struct.pack(">I", len(rows)) + self.plain(numbers[0, 0])
        for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
            data += self.plain(numbers[y, x]) + struct.pack(places, x, y, 1, 1)
        return data

    def corre(self, numbers):
        return self.rre(numbers, ">BBBB")

    def hextile(self, numbers):
        data = b""
        for tile in tiles(numbers, 16):
            few = len(np.unique(tile)) <= 4
            if not few:
                data += b"\x01" + self.plain(tile)
                continue
            rows, columns = np.nonzero(tile != tile[0, 0])
            spots = list(zip(rows.tolist(), columns.tolist(), strict=True))[:255]
            if len(rows) > 255:
                data += b"\x01" + self.plain(tile)
                continue
            data += b"\x1a" + self.plain(tile[0, 0]) + bytes([len(spots)])
            for y, x in spots:
                data += self.plain(tile[y, x]) + bytes([x << 4 | y, 0])
        return data

    def zlib(self, numbers):
        return self.with_length("zlib", self.plain(numbers))

    def trle(self, numbers):
        return b"".join(self.tile(tile) for tile in tiles(numbers, 16))

    def zrle(self, numbers):
        return self.with_length("zrle", b"".join(self.tile(tile) for tile in tiles(numbers, 64)))

    def tile(self, tile):
        """Raw, solid, packed, plain runs or palette runs, whichever suits."""
        palette, indices = np.unique(tile, return_inverse=True)
        indices = indices.reshape(tile.shape)
        if len(palette) == 1:
            return b"\x01" + self.compact(palette)
        if len(palette) <= 16:
            head = bytes([len(palette)]) + self.compact(palette)
            return head + packed_indices(indices, len(palette))
        if len(palette) <= 100:
            runs = b"".join(
                bytes([index | 128]) + run for index, run in runs_of(indices.ravel().tolist())
            )
            return bytes([128 + len(palette)]) + self.compact(palette) + runs
        if tile[0, 0] & 1:
            return b"\0" + self.compact(tile)
        runs = b"".join(
            self.compact([pixel]) + run for pixel, run in runs_of(tile.ravel().tolist())
        )
        return b"\x80" + runs

    def tight(self, numbers, stream=0, resets=0, filter_id=None):
        """Basic data with the filter asked for, or the one that suits."""
        for number in range(4):
            if resets & 1 << number:
                self.streams[number] = zlib.compressobj()
        palette, indices = np.unique(numbers, return_inverse=True)
        indices = indices.reshape(numbers.shape).astype(np.uint8)
        if filter_id is None:
            filter_id = 1 if 2 <= len(palette) <= 256 else 0
        control = (stream | 4) << 4 | resets
        data = bytes([control, filter_id])
        if filter_id == 1:
            data += bytes([len(palette) - 1]) + self.tight_pixels(palette)
            pixels = (np.packbits(indices, axis=1) if len(palette) == 2 else indices).tobytes()
        elif filter_id == 2:
            pixels = self.tight_pixels(self.differences(numbers))
        else:
            pixels = self.tight_pixels(numbers)
        if len(pixels) < 12:
            return data + pixels
        packed = self.packed(stream, pixels)
        return data + compact_length(len(packed)) + packed

    def differences(self, numbers):
        """What the gradient filter sends, pixel by pixel as the encoding's text says it."""
        height, width = numbers.shape
        sent = np.zeros_like(numbers)
        for shift, maximum in zip(self.format.shifts, self.format.maxima, strict=True):
            part = (numbers >> shift) & maximum
            for y in range(height):
                for x in range(width):
                    left = int(part[y, x - 1]) if x else 0
                    above = int(part[y - 1, x]) if y else 0
                    corner = int(part[y - 1, x - 1]) if x and y else 0
                    guess = min(maximum, max(0, left + above - corner))
                    sent[y, x] |= (int(part[y, x]) - guess & maximum) << shift
        return sent


def tiles(numbers, side):
    height, width = numbers.shape
    for y in range(0, height, side):
        for x in range(0, width, side):
            yield numbers[y : y + side, x : x + side]


def packed_indices(indices, colours):
    bits = 1 if colours == 2 else 2 if colours <= 4 else 4
    spread = np.unpackbits(indices.astype(np.uint8)[:, :, None], axis=2)[:, :, -bits:]
    return np.packbits(spread.reshape(len(indices), -1), axis=1).tobytes()


def runs_of(values):
    """Each value and how often it comes, as the bytes of a run's length."""
    at = 0
    while at < len(values):
        end = at
        while end < len(values) and values[end] == values[at]:
            end += 1
        whole, rest = divmod(end - at - 1, RUN)
        yield values[at], bytes([RUN]) * whole + bytes([rest])
        at = end


def compact_length(length):
    if length < 1 << 7:
        return bytes([length])
    if length < 1 << 14:
        return bytes([length & 127 | 128, length >> 7])
    return bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14])


def jpeg(pixels, quality=95):
    return simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=quality, colorspace="RGB")


def png(pixels, mode="RGB"):
    out = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(out, "PNG")
    return out.getvalue()
