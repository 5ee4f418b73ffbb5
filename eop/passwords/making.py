"""New passwords of each kind, and the names that one kind is made from. Pure but for chance."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from eop import collation
from eop.passwords.words import WORDS

Kind = Literal["random", "birth", "name", "same"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GUESSABLE: frozenset[Kind] = frozenset({"birth", "name", "same"})
"""Kinds that whoever knows the student, or one other student, can guess."""

FIGURES = "23456789"  # 0 looks like O, 1 like l
LETTERS = "abcdefghjkmnpqrstuvwxyz"  # no i, l, o
SIGNS = "*+-=?!"


@dataclass(frozen=True)
class Name:
    """A person's first and last name."""

    first: str
    last: str


def split(name: str, last: str = "") -> Name:
    """A name to show, in its two parts; `last` is what the source says, or nothing.

    Without it: words in capitals are the last name (Jean Marie DUPONT), else all but the first.
    """
    name = " ".join(name.split())
    if last and name.casefold().endswith(" " + last.casefold()):
        return Name(name[: -len(last)].strip(), name[-len(last) :])
    if last and name.casefold().startswith(last.casefold() + " "):
        return Name(name[len(last) :].strip(), name[: len(last)])
    words = name.split(" ")
    capitals = [word for word in words if len(word) > 1 and word == word.upper() != word.lower()]
    others = [word for word in words if word not in capitals]
    if capitals and others:
        return Name(" ".join(others), " ".join(capitals))
    return Name(words[0], " ".join(words[1:])) if len(words) > 1 else Name("", name)


def of_name(name: Name) -> str:
    """`ines.amrani`: small letters without accents, hyphens stay; empty without any letter."""
    parts = [_plain(name.first), _plain(name.last)]
    return ".".join(part for part in parts if part)


def _plain(text: str) -> str:
    kept = (one for one in collation.fold(text) if one.isalnum() or one == "-")
    return "".join(kept).strip("-")


def of_birth(date: str) -> str:
    """`14032012` of 2012-03-14."""
    year, month, day = date.split("-")
    return day + month + year


def _words() -> str:
    """`dune-729-Cadre`: some 25 million of them, read and typed with ease."""
    first, second = secrets.choice(WORDS), secrets.choice(WORDS)
    return f"{first}-{_some(FIGURES, 3)}-{second.capitalize()}"


def _mixed() -> str:
    """Ten characters of every kind, a letter first."""
    middle = [
        secrets.choice(LETTERS).upper(), secrets.choice(LETTERS).upper(), *_some(LETTERS, 3),
        *_some(FIGURES, 2), *_some(SIGNS, 2),
    ]  # fmt: skip
    secrets.SystemRandom().shuffle(middle)
    return secrets.choice(LETTERS) + "".join(middle)


def _some(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))


SHAPES: tuple[Callable[[], str], ...] = (
    _words,
    lambda: _words().replace("-", ""),
    _mixed,
    lambda: _some(LETTERS, 12),
    lambda: _some(FIGURES, 10),
)
"""Ways to make a random password, the easiest to read first: a school's rule may exclude some."""
