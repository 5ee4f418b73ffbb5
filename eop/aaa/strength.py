"""How hard a password is to guess, by zxcvbn, and its advice in the page's language."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext

from eop.errors import RefusedError

MAX_CHARACTERS = 72  # its work grows with the square; what is longer is judged by its beginning
MAX_INPUTS = 16
# signs that stand for letters ("p4$$"): zxcvbn tries every reading, and above eight of them that
# takes seconds; 16 characters take a tenth of one
SUBSTITUTES = frozenset("4@8({[<369!1|0$5+7%2")
MAX_SUBSTITUTES = 8
MAX_WITH_SUBSTITUTES = 16
WAIT_SECONDS = 5.0
WEAKEST, STRONGEST = 0, 4

# zxcvbn keeps the words of one person in a table of all: one password at a time
_turn = threading.Lock()


@dataclass(frozen=True)
class Strength:
    """A score from 0 (guessed at once) to 4, and zxcvbn's own English advice."""

    score: int
    advice: tuple[str, ...] = ()


def of(password: str, inputs: Sequence[str] = ()) -> Strength:
    """The strength of a password for whom these words (login, name, school) are easy to guess.

    Raises `RefusedError("busy")`.
    """
    from zxcvbn import zxcvbn  # its word lists cost 20 MB, and only passwords that change need them

    words = [part for text in inputs for part in (text, *text.replace(".", " ").split())]
    judged = password[:MAX_CHARACTERS]
    if len(SUBSTITUTES & set(judged)) > MAX_SUBSTITUTES:
        judged = judged[:MAX_WITH_SUBSTITUTES]
    if not _turn.acquire(timeout=WAIT_SECONDS):
        raise RefusedError("busy", retry_after=int(WAIT_SECONDS))
    try:
        found: Any = zxcvbn(  # type: ignore[no-untyped-call]
            judged, words[:MAX_INPUTS], max_length=MAX_CHARACTERS
        )
    finally:
        _turn.release()
    feedback = found["feedback"]
    advice = [feedback["warning"], *feedback["suggestions"]]
    return Strength(int(found["score"]), tuple(text for text in advice if text))


def in_words(text: str) -> str:
    """A sentence of zxcvbn in the language of the page."""
    return str(ADVICE.get(text, text))


def _english(sentence: Any) -> str:
    text: str = sentence._args[0]
    return text


_SENTENCES: tuple[Any, ...] = (
    lazy_gettext("Use a few words, avoid common phrases."),
    lazy_gettext("No need for symbols, digits, or uppercase letters."),
    lazy_gettext("Add another word or two. Uncommon words are better."),
    lazy_gettext("Straight rows of keys are easy to guess."),
    lazy_gettext("Short keyboard patterns are easy to guess."),
    lazy_gettext("Use a longer keyboard pattern with more turns."),
    lazy_gettext('Repeats like "aaa" are easy to guess.'),
    lazy_gettext('Repeats like "abcabcabc" are only slightly harder to guess than "abc".'),
    lazy_gettext("Avoid repeated words and characters."),
    lazy_gettext('Sequences like "abc" or "6543" are easy to guess.'),
    lazy_gettext("Avoid sequences."),
    lazy_gettext("Recent years are easy to guess."),
    lazy_gettext("Avoid recent years."),
    lazy_gettext("Avoid years that are associated with you."),
    lazy_gettext("Dates are often easy to guess."),
    lazy_gettext("Avoid dates and years that are associated with you."),
    lazy_gettext("This is a top-10 common password."),
    lazy_gettext("This is a top-100 common password."),
    lazy_gettext("This is a very common password."),
    lazy_gettext("This is similar to a commonly used password."),
    lazy_gettext("A word by itself is easy to guess."),
    lazy_gettext("Names and surnames by themselves are easy to guess."),
    lazy_gettext("Common names and surnames are easy to guess."),
    lazy_gettext("Capitalization doesn't help very much."),
    lazy_gettext("All-uppercase is almost as easy to guess as all-lowercase."),
    lazy_gettext("Reversed words aren't much harder to guess."),
    lazy_gettext("Predictable substitutions like '@' instead of 'a' don't help very much."),
)

ADVICE: dict[str, Any] = {_english(sentence): sentence for sentence in _SENTENCES}
"""Every sentence of zxcvbn → the same, translated when shown."""
