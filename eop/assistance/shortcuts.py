"""Every keyboard shortcut of the console: one table, shown in the page's help and on /help."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from flask_babel import gettext, lazy_gettext

from eop.aaa.policy import Action


class How(Enum):
    """How several keys of one shortcut are pressed."""

    ANY = "any"  # one of them
    TOGETHER = "together"
    THEN = "then"  # one after the other


@dataclass(frozen=True)
class Shortcut:
    """Keys and what they do; `is_single`: a letter or sign alone, so it can be switched off."""

    keys: tuple[str, ...]
    does: Any
    how: How = How.ANY
    is_single: bool = False
    needs: Action | None = None  # shown only to who may do this


@dataclass(frozen=True)
class Group:
    """The shortcuts of one place of the console."""

    name: str
    title: Any
    shortcuts: tuple[Shortcut, ...]
    needs: Action | None = None  # shown only to who may open the place


def _single(key: str, does: Any) -> Shortcut:
    return Shortcut((key,), does, is_single=True)


def _go(key: str, does: Any, needs: Action | None = None) -> Shortcut:
    """`frame`'s link with this key as `data-go` is where it leads (keys.js)."""
    return Shortcut(("G", key), does, How.THEN, is_single=True, needs=needs)


EVERYWHERE = Group(
    "everywhere",
    lazy_gettext("Everywhere"),
    (
        _single("?", lazy_gettext("This help")),
        _go("H", lazy_gettext("Home page")),
        _go("W", lazy_gettext("Observe: rooms and classes"), "observe"),
        _go("D", lazy_gettext("Documents"), "documents"),
        _go("P", lazy_gettext("Passwords of students"), "observe"),
        _go("M", lazy_gettext("My page: who looked at my screen"), "account"),
        _go("A", lazy_gettext("Administration"), "administer"),
        Shortcut(("Escape",), lazy_gettext("Close a menu or a dialog")),
    ),
)
WALL = Group(
    "wall",
    lazy_gettext("On the wall"),
    (
        Shortcut(("←", "↑", "→", "↓"), lazy_gettext("From tile to tile")),
        Shortcut(("Home", "End"), lazy_gettext("First tile, last tile")),
        Shortcut(("Enter",), lazy_gettext("Open the screen")),
        Shortcut(("Space",), lazy_gettext("Select this tile, or not; pause the slideshow")),
        Shortcut(("Shift", "→"), lazy_gettext("Select from tile to tile"), How.TOGETHER),
        Shortcut(("Ctrl", "A"), lazy_gettext("Select all that are shown"), How.TOGETHER),
        Shortcut(("Z",), lazy_gettext("Held: this picture large"), is_single=True),
        _single("P", lazy_gettext("Projector mode, without names")),
        _single("F", lazy_gettext("Full screen, and back")),
        _single("V", lazy_gettext("View this screen")),
        _single("C", lazy_gettext("Control this screen")),
        _single("/", lazy_gettext("Search a student or a workstation")),
        Shortcut(
            ("Escape",), lazy_gettext("Clear the selection; from the search back to the tiles")
        ),
    ),
    "observe",
)
SCREEN = Group(
    "screen",
    lazy_gettext("On one screen, while viewing"),
    (
        _single("V", lazy_gettext("View")),
        _single("C", lazy_gettext("Control")),
        _single("F", lazy_gettext("Full screen, and back")),
        Shortcut(("N", "B"), lazy_gettext("Next student, previous student"), is_single=True),
        Shortcut(
            ("Ctrl", "Alt", "Shift"),
            lazy_gettext("While controlling, pressed and released: back to the page"),
            How.TOGETHER,
        ),
    ),
    "observe",
)
GROUPS = (EVERYWHERE, WALL, SCREEN)

PLACES = {"observation_pages.wall": "wall", "observation_pages.screen": "screen"}
"""Endpoint → the group of its page, beside what holds everywhere."""


def groups_of(endpoint: str | None) -> tuple[Group, ...]:
    """What is of use on a page: its own shortcuts first."""
    own = PLACES.get(endpoint or "")
    return (*(group for group in GROUPS if group.name == own), EVERYWHERE)


def key_name(key: str) -> str:
    """A key as its keyboard has it in this language."""
    names = {
        "Escape": gettext("Esc"),
        "Enter": gettext("Enter"),
        "Home": gettext("Home key"),
        "End": gettext("End key"),
        "Shift": gettext("Shift"),
        "Space": gettext("Space"),
        "←": gettext("Left arrow"),
        "↑": gettext("Up arrow"),
        "→": gettext("Right arrow"),
        "↓": gettext("Down arrow"),
    }
    return names.get(key, key)
