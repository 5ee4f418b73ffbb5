"""A slow and simple reader of updates in every encoding and pixel format, to check encoders by."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from controle_vnc.rfb.pixel_format import RGBX, PixelFormat

CUBE = PixelFormat(8, 8, False, True, (7, 7, 3), (0, 3, 6))
BGRX_BIG = PixelFormat(32, 24, True, True, (255, 255, 255), (16, 8, 0))
BGRX = PixelFormat(32, 24, False, True, (255, 255, 255), (16, 8, 0))
HIGH = PixelFormat(32, 24, False, True, (255, 255, 255), (8, 16, 24))
HIGH_BIG = PixelFormat(32, 24, True, True, (255, 255, 255), (24, 16, 8))
DEEP = PixelFormat(32, 30, False, True, (1023, 1023, 1023), (20, 10, 0))
RGB565 = PixelFormat(16, 16, False, True, (31, 63, 31), (11, 5, 0))
RGB565_BIG = PixelFormat(16, 16, True, True, (31, 63, 31), (11, 5, 0))
BGR233 = CUBE
RGB111 = PixelFormat(8, 3, False, True, (1, 1, 1), (2, 1, 0))
MAP8 = PixelFormat(8, 8, False, False, (0, 0, 0), (0, 0, 0))
MAP32_BIG = PixelFormat(32, 8, True, False, (0, 0, 0), (0, 0, 0))
FORMATS = {
    "rgbx": RGBX, "bgrx": BGRX, "bgrx big": BGRX_BIG, "high": HIGH, "high big": HIGH_BIG,
    "deep": DEEP, "565": RGB565, "565 big": RGB565_BIG, "233": BGR233, "111": RGB111,
    "map": MAP8, "map of 32 bits": MAP32_BIG,
}  # fmt: skip


def seen_as(pixels, pixel_format):
    """What is left of `pixels` (… × 3 or 4) in `pixel_format`: … × 3."""
    maxima = (pixel_format if pixel_format.true_colour else CUBE).maxima
    levels = [
        np.array([round(round(v * top / 255) * 255 / top) for v in range(256)]) for top in maxima
    ]
    return np.stack([levels[one][pixels[..., one]] for one in range(3)], axis=-1)


class Reference:
    """`pixels` (rows × columns × 3) after the updates it was given."""

    def __init__(self, width, height, pixel_format=RGBX):
        self.pixels = np.zeros((height, width, 3), int)
        self.format = pixel_format
        self.encodings = []
        self._streams = [zlib.decompressobj() for _ in range(6)]

    def read(self, data):
        """Whole updates, one after the other."""
        self.data, self.at = data, 0
        while self.at < len(data):
            kind, count = struct.unpack(">BxH", self.take(4))
            assert kind == 0
            for _ in range(count):
                x, y, width, height, encoding = struct.unpack(">HHHHi", self.take(12))
                if encoding == -224:
                    break
                self.encodings.append(encoding)
                self.area = self.pixels[y : y + height, x : x + width]
                assert self.area.shape[:2] == (height, width), "outside the screen"
                READERS[encoding](self)

    def take(self, size):
        assert self.at + size <= len(self.data), "the update is cut off"
        self.at += size
        return self.data[self.at - size : self.at]

    # --- pixels

    def colours(self, data, size=None):
        """The colours of pixels in `data`, each of `size` bytes."""
        form = self.format
        size = size or form.bytes_per_pixel
        cells = np.frombuffer(data, np.uint8).reshape(-1, size).astype(np.int64)
        if size == 3 and form.bits_per_pixel == 32 and min(form.shifts) >= 8:
            shifted = [shift - 8 for shift in form.shifts]
        else:
            shifted = list(form.shifts)
        order = range(size - 1, -1, -1) if form.big_endian else range(size)
        values = sum(cells[:, byte] << 8 * place for place, byte in enumerate(order))
        if not form.true_colour:
            return seen_numbers(values, CUBE.maxima, CUBE.shifts)
        return seen_numbers(values, form.maxima, shifted)

    def pixel(self, count=1):
        return self.colours(self.take(count * self.format.bytes_per_pixel))

    def cpixel(self, count=1):
        return self.colours(self.take(count * self.compact), self.compact)

    def tpixel(self, count=1):
        if self.format.bits_per_pixel == 32 and self.format.depth == 24:
            return np.frombuffer(self.take(count * 3), np.uint8).reshape(-1, 3)
        return self.pixel(count)

    @property
    def compact(self):
        form = self.format
        if form.bits_per_pixel != 32 or form.depth > 24 or not form.true_colour:
            return form.bytes_per_pixel
        return 3

    # --- encodings

    def raw(self):
        height, width = self.area.shape[:2]
        self.area[:] = self.pixel(height * width).reshape(height, width, 3)

    def copy_rect(self):
        x, y = struct.unpack(">HH", self.take(4))
        height, width = self.area.shape[:2]
        self.area[:] = self.pixels[y : y + height, x : x + width].copy()

    def rre(self, layout=">HHHH"):
        (count,) = struct.unpack(">I", self.take(4))
        self.area[:] = self.pixel()
        for _ in range(count):
            colour = self.pixel()
            self.box(*struct.unpack(layout, self.take(struct.calcsize(layout))), colour)

    def box(self, x, y, width, height, colour):
        assert width > 0
        assert height > 0
        assert x + width <= self.area.shape[1]
        assert y + height <= self.area.shape[0]
        self.area[y : y + height, x : x + width] = colour

    def corre(self):
        assert max(self.area.shape) <= 255
        self.rre(">BBBB")

    def hextile(self):
        whole, ground, ink = self.area, None, None
        for y in range(0, whole.shape[0], 16):
            for x in range(0, whole.shape[1], 16):
                self.area = whole[y : y + 16, x : x + 16]
                kind = self.take(1)[0]
                if kind & 1:
                    assert kind == 1
                    self.raw()
                    ground = ink = None
                    continue
                ground = self.pixel() if kind & 2 else ground
                ink = self.pixel() if kind & 4 else ink
                assert ground is not None
                assert not (kind & 4 and kind & 16)
                self.area[:] = ground
                for _ in range(self.take(1)[0] if kind & 8 else 0):
                    colour = self.pixel() if kind & 16 else ink
                    assert colour is not None
                    place, sides = self.take(2)
                    self.box(place >> 4, place & 15, (sides >> 4) + 1, (sides & 15) + 1, colour)
                if kind & 16:
                    ink = None

    def inflated(self, number, size=None, most=1 << 24):
        if size is None:
            (size,) = struct.unpack(">I", self.take(4))
        return self._streams[number].decompress(self.take(size), most)

    def zlib(self):
        self.within(self.inflated(4), self.raw)

    def within(self, data, read):
        outer = self.data, self.at
        self.data, self.at = data, 0
        read()
        assert self.at == len(data), "bytes are left"
        self.data, self.at = outer

    def zrle(self):
        self.within(self.inflated(5), lambda: self.trle(64))

    def trle(self, side=16):
        whole = self.area
        for y in range(0, whole.shape[0], side):
            for x in range(0, whole.shape[1], side):
                self.area = whole[y : y + side, x : x + side]
                self.tile()

    def tile(self):
        height, width = self.area.shape[:2]
        kind = self.take(1)[0]
        if kind == 0:
            self.area[:] = self.cpixel(height * width).reshape(height, width, 3)
        elif kind == 1:
            self.area[:] = self.cpixel()
        elif kind <= 16:
            palette = self.cpixel(kind)
            bits = 1 if kind == 2 else 2 if kind <= 4 else 4
            for row in self.area:
                packed = self.take(-(-width * bits // 8))
                digits = "".join(f"{byte:08b}" for byte in packed)
                row[:] = [palette[int(digits[i * bits : (i + 1) * bits], 2)] for i in range(width)]
        elif kind == 128:
            self.runs(lambda: (self.cpixel()[0], True))
        else:
            assert kind >= 130, f"tile of kind {kind}"
            palette = self.cpixel(kind - 128)
            self.runs(lambda: self.palette_run(palette))

    def palette_run(self, palette):
        index = self.take(1)[0]
        return palette[index & 127], bool(index & 128)

    def runs(self, one):
        height, width = self.area.shape[:2]
        flat = []
        while len(flat) < height * width:
            colour, has_length = one()
            length = 1
            while has_length:
                length += (more := self.take(1)[0])
                has_length = more == 255
            flat += [colour] * length
        assert len(flat) == height * width
        self.area[:] = np.array(flat).reshape(height, width, 3)

    def tight(self, png=False):
        height, width = self.area.shape[:2]
        control = self.take(1)[0]
        for number in range(4):
            if control & 1 << number:
                self._streams[number] = zlib.decompressobj()
        kind = control >> 4
        if kind == 8:
            self.area[:] = self.tpixel()
        elif kind == 9 or (png and kind == 10):
            image = Image.open(io.BytesIO(self.take(self.length())))
            assert image.format == ("PNG" if kind == 10 else "JPEG")
            assert image.size == (width, height)
            self.area[:] = np.asarray(image.convert("RGB"))
        else:
            assert kind < 8
            assert not png
            palette = None
            if control & 0x40 and self.take(1)[0] == 1:
                palette = self.tpixel(self.take(1)[0] + 1)
            self.basic(kind & 3, palette)

    def basic(self, stream, palette):
        height, width = self.area.shape[:2]
        if palette is None:
            pixel = 3 if self.format.has_tight_pixels else self.format.bytes_per_pixel
            data = self.filtered(stream, height * width * pixel)
            area = self.area
            self.within(data, lambda: self.put(area, self.tpixel(height * width)))
            return
        two = len(palette) == 2
        data = self.filtered(stream, height * (-(-width // 8) if two else width))
        rows = np.frombuffer(data, np.uint8).reshape(height, -1)
        rows = np.unpackbits(rows, axis=1, count=width) if two else rows
        self.area[:] = palette[rows]

    def put(self, area, colours):
        area[:] = colours.reshape(area.shape)

    def filtered(self, stream, size):
        data = self.take(size) if size < 12 else self.inflated(stream, self.length())
        assert len(data) == size
        return data

    def length(self):
        first = self.take(1)[0]
        if first < 128:
            return first
        second = self.take(1)[0]
        length = first & 127 | (second & 127) << 7
        return length | self.take(1)[0] << 14 if second > 127 else length

    def jpeg(self):
        image = Image.open(io.BytesIO(self.data[self.at :]))
        assert image.size == self.area.shape[1::-1]
        self.area[:] = np.asarray(image.convert("RGB"))
        self.at = self.data.index(b"\xff\xd9", self.at) + 2


def seen_numbers(values, maxima, shifts):
    parts = [
        np.round((values >> shift & top) * 255 / top)
        for top, shift in zip(maxima, shifts, strict=True)
    ]
    return np.stack(parts, axis=-1).astype(int)


READERS = {
    0: Reference.raw, 1: Reference.copy_rect, 2: Reference.rre, 4: Reference.corre,
    5: Reference.hextile, 6: Reference.zlib, 7: Reference.tight,
    -260: lambda reader: reader.tight(True), 15: Reference.trle, 16: Reference.zrle,
    21: Reference.jpeg,
}  # fmt: skip
