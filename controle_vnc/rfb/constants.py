"""The numbers of RFB, named as RFC 6143 and the community's protocol page name them."""

from enum import IntEnum


class SecurityType(IntEnum):
    """RFC 6143 §7.1.2 and the community's page; the subtypes of VeNCrypt begin at 256."""

    INVALID = 0
    NONE = 1
    VNC_AUTHENTICATION = 2
    RA2 = 5
    RA2NE = 6
    VENCRYPT = 19
    RA2_256 = 129
    RA2NE_256 = 130
    PLAIN = 256
    TLS_NONE = 257
    TLS_VNC = 258
    TLS_PLAIN = 259
    X509_NONE = 260
    X509_VNC = 261
    X509_PLAIN = 262


class Encoding(IntEnum):
    """RFC 6143 §7.7 and the community's extensions."""

    RAW = 0
    COPY_RECT = 1
    RRE = 2
    CORRE = 4
    HEXTILE = 5
    ZLIB = 6
    TIGHT = 7
    TRLE = 15
    ZRLE = 16
    JPEG = 21
    CURSOR = -239
    X_CURSOR = -240
    DESKTOP_SIZE = -223
    LAST_RECT = -224
    QEMU_EXTENDED_KEY_EVENT = -258
    TIGHT_PNG = -260
    QEMU_LED_STATE = -261
    DESKTOP_NAME = -307
    EXTENDED_DESKTOP_SIZE = -308
    FENCE = -312
    CONTINUOUS_UPDATES = -313
    CURSOR_WITH_ALPHA = -314
    EXTENDED_MOUSE_BUTTONS = -316
    SUPPORTED_MESSAGES = -131071
    EXTENDED_CLIPBOARD = -1063131698  # 0xC0A1E5CE


JPEG_QUALITY_LEVELS = range(-32, -22)  # -32 is quality 0, -23 is quality 9
COMPRESSION_LEVELS = range(-256, -246)  # -256 is level 0


class ServerMessage(IntEnum):
    """RFC 6143 §7.6 and extensions."""

    FRAMEBUFFER_UPDATE = 0
    SET_COLOUR_MAP_ENTRIES = 1
    BELL = 2
    SERVER_CUT_TEXT = 3
    END_OF_CONTINUOUS_UPDATES = 150
    FENCE = 248


class ClientMessage(IntEnum):
    """RFC 6143 §7.5 and extensions."""

    SET_PIXEL_FORMAT = 0
    SET_ENCODINGS = 2
    FRAMEBUFFER_UPDATE_REQUEST = 3
    KEY_EVENT = 4
    POINTER_EVENT = 5
    CLIENT_CUT_TEXT = 6
    SET_SCALE = 8
    ENABLE_CONTINUOUS_UPDATES = 150
    FENCE = 248
    XVP = 250
    SET_DESKTOP_SIZE = 251
    QEMU = 255


FENCE_BLOCK_BEFORE = 1 << 0
FENCE_BLOCK_AFTER = 1 << 1
FENCE_SYNC_NEXT = 1 << 2
FENCE_REQUEST = 1 << 31
FENCE_KNOWN_FLAGS = FENCE_BLOCK_BEFORE | FENCE_BLOCK_AFTER | FENCE_SYNC_NEXT

LAST_RECT_COUNT = 65535  # "until LastRect" where that encoding was asked for

SUPPORTED_MESSAGES_BYTES = 64  # a bit for each type: 256 to the server, 256 from it

MAX_FENCE_BYTES = 64  # the protocol's own limit
MAX_RECTANGLES = 16384  # of one update; what Veyon's proxy allows, too
MAX_CUT_TEXT_BYTES = 1024 * 1024  # libvncserver refuses more, too
MAX_REASON_BYTES = 4096  # a sentence; servers send one line
MAX_NAME_BYTES = 4096  # of a desktop; read whole, shown shortened
MAX_NAME_CHARACTERS = 256
MAX_CURSOR_SIDE = 256  # the largest cursor any desktop draws
MAX_HELD_KEYS = 64  # nobody has more fingers; a page that "holds" more is not believed
MAX_SCREENS = 64  # monitors of one ExtendedDesktopSize
