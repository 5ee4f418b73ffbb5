"""What a file may be called: escapes that lose nothing, for Windows and for messages. Pure."""

import hashlib
import re
import unicodedata

MAX_NAME_BYTES = 255  # what Linux file systems take
MAX_TOLD_CHARACTERS = 300  # of a path that is only told: hundreds of them fit into a message
MAX_EXTENSION_BYTES = 32  # of a name that is cut: a longer one is no extension
BUSY = (b".~lock.", b"~$")  # how names begin that office programs leave while one works
CUT_DIGITS = 16  # of the hash that stands for what was cut

_JOINERS = frozenset("\u200c\u200d")  # within an emoji, or a word of some scripts
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})  # they turn the reading of a name, or break its line
_FORBIDDEN = frozenset('<>:"/\\|?*')
_DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])[ ]*(\..*)?", re.IGNORECASE | re.DOTALL
)
# escapes that `portable` writes itself: where a name has one, its % is escaped, so that no two
# names become the same
_OURS = re.compile(
    r"%(?=0[0-9A-F]|1[0-9A-F]|2[25AF]|3[ACEF]|5C|7[CF]|[89A-F][0-9A-F])|^%(?=[0-9A-F]{2})"
    r"|%(?=2[0E]\Z)"
)
_LOCKS = tuple(start.decode() for start in BUSY)
_HEX = re.compile(r"%(?=25|[89A-F][0-9A-F])")
_SHOWN = re.compile(rb"%(25|[89A-F][0-9A-F])")


def portable(name: bytes) -> bytes:
    """A name that Windows takes, too: what it forbids is percent-escaped, as are bytes no text has.

    So are signs that nobody sees, and the beginning by which a file would pass for a lock (`BUSY`).
    Different names stay different; one that grows beyond 255 bytes is cut and carries a hash.
    """
    text = _OURS.sub("%25", name.decode("utf-8", "surrogateescape"))
    text = "".join(_escaped(sign) if _is_forbidden(sign) else sign for sign in text)
    if text[-1:] in {".", " "}:
        text = text[:-1] + _escaped(text[-1])
    if _DEVICES.fullmatch(text) or text.startswith(_LOCKS):
        text = _escaped(text[0]) + text[1:]
    encoded = text.encode()
    return encoded if len(encoded) <= MAX_NAME_BYTES else _cut(encoded, name)


def shown(name: bytes) -> str:
    """The name as text for a message; different names stay different."""
    text = _HEX.sub("%25", name.decode("utf-8", "surrogateescape"))
    return "".join(_escaped(sign) if _is_odd(sign) else sign for sign in text)


def told(*way: bytes) -> str:
    """A path as a person is told it: as `shown`, with the middle left out where it is long."""
    text = shown(b"/".join(way))
    if len(text) <= MAX_TOLD_CHARACTERS:
        return text
    half = MAX_TOLD_CHARACTERS // 2
    return f"{text[: half - 1]}…{text[-half:]}"


def named(text: str) -> bytes | None:
    """The name that `shown` tells as `text`; None where there is none."""
    name = _SHOWN.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode())
    return name if shown(name) == text else None


def beside(name: bytes, number: int) -> bytes:
    """The name of another version: `essay.odt` → `essay (2).odt`."""
    stem, dot, extension = name.rpartition(b".")
    if not stem or len(extension) > MAX_EXTENSION_BYTES:
        stem, dot, extension = name, b"", b""
    added = b" (%d)%s%s" % (number, dot, extension)
    return _whole(stem[: MAX_NAME_BYTES - len(added)]) + added


def _is_forbidden(sign: str) -> bool:
    return sign in _FORBIDDEN or sign < " " or sign == "\x7f" or _is_odd(sign)


def _is_odd(sign: str) -> bool:
    """Whether a sign beyond ASCII is no text, or not to be seen."""
    if sign.isascii():
        return False
    is_unseen = sign not in _JOINERS and unicodedata.category(sign) in _UNSEEN
    return is_unseen or "\udc80" <= sign <= "\udcff"


def _escaped(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "surrogateescape"))


def _cut(encoded: bytes, name: bytes) -> bytes:
    stem, dot, extension = encoded.rpartition(b".")
    if not stem or len(extension) > MAX_EXTENSION_BYTES:
        stem, dot, extension = encoded, b"", b""
    digest = hashlib.sha256(name).hexdigest()[:CUT_DIGITS].encode()
    end = b"~" + digest + dot + extension
    return _whole(stem[: MAX_NAME_BYTES - len(end)]) + end


def _whole(text: bytes) -> bytes:
    """`text` without a character that was cut in two at its end."""
    return text.decode("utf-8", "ignore").encode() if _ends_within(text) else text


def _ends_within(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False
