"""The order of names as readers of each language look for them. Pure.

Case and accents count last (É beside E), figures by their value (pc-2 before pc-10). Letters that
a language has of its own stand where its alphabet puts them (Polish ą after a, ł after l).
"""

import re
import unicodedata

OWN_LETTERS = {
    "pl": {"ą": "a", "ć": "c", "ę": "e", "ł": "l", "ń": "n", "ó": "o", "ś": "s", "ź": "z", "ż": "z"}
}
"""Language → its letters that come after another one; two after the same, in their own order."""

_AFTER = "\U0010fffe"  # sorts after every letter that may follow
_PLAIN = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "œ": "oe", "æ": "ae", "ß": "ss", "й": "й"})
_KEPT = "й"  # a letter of its own, which decomposing would make an accented и
_DIGITS = re.compile(r"(\d+)")

Key = tuple[list[tuple[int, str]], str]


def key(text: str, language: str = "") -> Key:
    """What to sort a name by."""
    letters = OWN_LETTERS.get(language, {})
    small = unicodedata.normalize("NFC", text).casefold()
    primary = "".join(
        letters[letter] + _AFTER + letter if letter in letters else fold(letter) for letter in small
    )
    parts = [
        (int(part), "") if part.isascii() and part.isdigit() else (-1, part)
        for part in _DIGITS.split(primary)
    ]
    return parts, small


def fold(text: str) -> str:
    """Letters without case and accents: É and e are the same."""
    small = unicodedata.normalize("NFC", text).casefold()
    return "".join(
        letter
        if letter in _KEPT
        else "".join(
            one for one in unicodedata.normalize("NFD", letter) if not unicodedata.combining(one)
        )
        for letter in small.translate(_PLAIN)
    )
