"""Names that every system takes: of a document's folder and of its files. Pure.

Homes are reached over Windows shares, too: what Windows forbids is replaced, and two names that
differ in case alone are the same.
"""

import unicodedata

MAX_BYTES = 255  # of one name, in the file systems that homes are on
MAX_ENDING_BYTES = 32  # ".tar.gz" and the like stay when a name is cut; longer ones are no ending
STAND_IN = "_"

_FORBIDDEN = frozenset('<>:"/\\|?*')
_JOINERS = frozenset("\u200c\u200d")  # within an emoji, or a word of some scripts
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"]
)


def safe(text: str) -> str:
    """`text` as the name of a file; empty where nothing of it can stay."""
    return _whole(_cut_before_ending(_written(text)))


def folder(reference: str, group: str) -> str:
    """The folder of a document: reference and class joined; only the reference is ever cut."""
    end = _written(group)
    start = _cut(_written(reference, is_start=True), MAX_BYTES - len(end.encode()))
    return _whole(start + end) if start.strip() else ""


def key(name: str) -> str:
    """What is equal for two names that are one on some system."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _written(text: str, *, is_start: bool = False) -> str:
    """Without what cannot be written; its spaces single."""
    shown = unicodedata.normalize("NFC", text)
    kept = "".join(_sign(sign) for sign in shown)
    words = " ".join(kept.split())
    return words + " " if is_start and words and kept[-1:] == " " else words


def _sign(sign: str) -> str:
    if sign in _FORBIDDEN:
        return STAND_IN
    if sign.isspace():
        return " "
    category = unicodedata.category(sign)
    if sign in _JOINERS or not category.startswith("C") or category == "Co":
        return sign
    return ""  # control signs, halves of pairs, and what turns the direction of reading


def _whole(name: str) -> str:
    """Neither hidden, nor a device, nor ending as Windows cannot keep it."""
    name = name.strip(" ").rstrip(" .")
    if not name:
        return ""
    if name.startswith("."):
        name = STAND_IN + name[1:]
    if name.split(".")[0].strip(" ").upper() in _DEVICES:
        name = STAND_IN + name
    return _cut_before_ending(name).rstrip(" .")


def _cut_before_ending(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    start, dot, ending = name.rpartition(".")
    ending = dot + ending
    if not start or len(ending.encode()) > MAX_ENDING_BYTES:
        return _cut(name, MAX_BYTES)
    return _cut(start, MAX_BYTES - len(ending.encode())).rstrip(" .") + ending


def _cut(text: str, most: int) -> str:
    """The first `most` bytes, no letter left without its accent and no emoji in half."""
    if len(text.encode()) <= most:
        return text
    cut = text.encode()[:most].decode(errors="ignore")
    following = text[len(cut)]
    while cut and (_belongs(following) or cut[-1] in _JOINERS):
        cut, following = cut[:-1], cut[-1]
    return cut


def _belongs(sign: str) -> bool:
    """Whether a sign only completes the one before it."""
    is_skin = "\U0001f3fb" <= sign <= "\U0001f3ff"
    return unicodedata.category(sign).startswith("M") or sign in _JOINERS or is_skin
