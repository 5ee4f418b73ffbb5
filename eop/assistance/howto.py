"""Short answers to "How do I …" for the wall and for one screen."""

from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext


@dataclass(frozen=True)
class Answer:
    """A question as a teacher asks it, and what to do."""

    question: Any
    answer: Any


WALL = (
    Answer(
        lazy_gettext("How do I see one screen large?"),
        lazy_gettext("Press its tile, or move to it with the arrow keys and press Enter."),
    ),
    Answer(
        lazy_gettext("How do I find a student?"),
        lazy_gettext("Type a part of the name, or of the workstation, into the search above."),
    ),
    Answer(
        lazy_gettext("Why is there no picture?"),
        lazy_gettext(
            "The tile says it. “What to do?” on the tile tells the cause, and who can mend it."
        ),
    ),
    Answer(
        lazy_gettext("How old is a picture?"),
        lazy_gettext(
            "Each tile says it, in seconds. A picture that is no longer fresh turns grey."
        ),
    ),
    Answer(
        lazy_gettext("How do I see only those who need me?"),
        lazy_gettext("Choose “Needs a look” above: what is late, off or broken comes together."),
    ),
)
SCREEN = (
    Answer(
        lazy_gettext("How do I take control?"),
        lazy_gettext("Choose “Control” above. “View” gives mouse and keyboard back."),
    ),
    Answer(
        lazy_gettext("How do I get my keyboard back while controlling?"),
        lazy_gettext("Press Ctrl, Alt and Shift together and release them: Tab works again."),
    ),
    Answer(
        lazy_gettext("How do I go to the next student?"),
        lazy_gettext("With the arrows beside the name above, in the order of the wall."),
    ),
    Answer(
        lazy_gettext("The picture is slow. What can I do?"),
        lazy_gettext("Choose “Light, for a slow network” under Quality, at the side."),
    ),
    Answer(
        lazy_gettext("Does the student know?"),
        lazy_gettext(
            "Every look is written down before it begins, and each student can read it on a page "
            "of their own."
        ),
    ),
)
ANSWERS = {"wall": WALL, "screen": SCREEN}
"""Name of a group of shortcuts → the answers of its page."""
