"""As much of Xlib, through ctypes, as painting takes; pictures are kept in the server."""

import ctypes

import numpy as np
from PIL import Image

_x = ctypes.CDLL("libX11.so.6")
_Z_PIXMAP = 2
_P = ctypes.c_void_p
_U = ctypes.c_ulong
_I = ctypes.c_int

for _name, _result, _arguments in (
    ("XOpenDisplay", _P, [ctypes.c_char_p]),
    ("XDefaultRootWindow", _U, [_P]),
    ("XDefaultVisual", _P, [_P, _I]),
    ("XCreateGC", _P, [_P, _U, _U, _P]),
    ("XSetGraphicsExposures", _I, [_P, _P, _I]),
    ("XCreatePixmap", _U, [_P, _U, _I, _I, _I]),
    ("XSetForeground", _I, [_P, _P, _U]),
    ("XFillRectangle", _I, [_P, _U, _P, _I, _I, _I, _I]),
    ("XCopyArea", _I, [_P, _U, _U, _P, _I, _I, _I, _I, _I, _I]),
    ("XCreateImage", _P, [_P, _P, _I, _I, _I, ctypes.c_char_p, _I, _I, _I, _I]),
    ("XPutImage", _I, [_P, _U, _P, _P, _I, _I, _I, _I, _I, _I]),
    ("XFree", _I, [_P]),
    ("XFlush", _I, [_P]),
    ("XSync", _I, [_P, _I]),
    ("XDefaultColormap", _U, [_P, _I]),
    ("XAllocColor", _I, [_P, _U, _P]),
    ("XCloseDisplay", _I, [_P]),
):
    _function = getattr(_x, _name)
    _function.restype, _function.argtypes = _result, _arguments


class _Colour(ctypes.Structure):
    _fields_ = (
        ("pixel", _U),
        ("red", ctypes.c_ushort),
        ("green", ctypes.c_ushort),
        ("blue", ctypes.c_ushort),
        ("flags", ctypes.c_char),
        ("pad", ctypes.c_char),
    )


class Canvas:
    """The root window of one display of 24 bits."""

    def __init__(self, display: str) -> None:
        self._display = _x.XOpenDisplay(display.encode())
        assert self._display, f"{display} cannot be opened"
        self._root = _x.XDefaultRootWindow(self._display)
        self._gc = _x.XCreateGC(self._display, self._root, 0, None)
        _x.XSetGraphicsExposures(self._display, self._gc, 0)

    def keep(self, picture: Image.Image) -> int:
        """Give `picture` to the server; the number is for `show`."""
        width, height = picture.size
        pixels = np.zeros((height, width, 4), np.uint8)
        pixels[:, :, 2::-1] = np.asarray(picture.convert("RGB"))
        data = pixels.tobytes()
        pixmap = _x.XCreatePixmap(self._display, self._root, width, height, 24)
        visual = _x.XDefaultVisual(self._display, 0)
        image = _x.XCreateImage(self._display, visual, 24, _Z_PIXMAP, 0, data, width, height, 32, 0)
        _x.XPutImage(self._display, pixmap, self._gc, image, 0, 0, 0, 0, width, height)
        _x.XSync(self._display, 0)
        _x.XFree(image)  # not XDestroyImage: the bytes are Python's
        return pixmap

    def show(self, pixmap: int, source: tuple[int, int], size: tuple[int, int], at) -> None:
        """Copy `size` of a kept picture from `source` to `at` on the screen."""
        _x.XCopyArea(self._display, pixmap, self._root, self._gc, *source, *size, *at)

    def fill(self, box: tuple[int, int, int, int], colour: int) -> None:
        """`box` is x, y, width, height."""
        _x.XSetForeground(self._display, self._gc, colour)
        _x.XFillRectangle(self._display, self._root, self._gc, *box)

    def move(self, source: tuple[int, int], size: tuple[int, int], at: tuple[int, int]) -> None:
        """Copy `size` of the screen itself from `source` to `at`."""
        self.show(self._root, source, size, at)

    def colour(self, red: int, green: int, blue: int) -> int:
        """The number that a screen with a colour map gives to a colour."""
        wanted = _Colour(0, red * 257, green * 257, blue * 257)
        map_of_screen = _x.XDefaultColormap(self._display, 0)
        assert _x.XAllocColor(self._display, map_of_screen, ctypes.byref(wanted))
        return int(wanted.pixel)

    def close(self) -> None:
        """Wait until all is painted, and leave."""
        self.sync()
        _x.XCloseDisplay(self._display)

    def flush(self) -> None:
        _x.XFlush(self._display)

    def sync(self) -> None:
        _x.XSync(self._display, 0)
