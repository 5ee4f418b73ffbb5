"""Short answers to "How do I …", for each part of the console that teachers use."""

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
PLAN = (
    Answer(
        lazy_gettext("How do I put the tiles where the students sit?"),
        lazy_gettext(
            "Choose “Seating plan”, then “Edit the plan”. Drag a place, or press it and then "
            "the place where it goes; “Save the plan” keeps it."
        ),
    ),
    Answer(
        lazy_gettext("Who sees the plan that I save?"),
        lazy_gettext("Every teacher of the room: a room has one plan."),
    ),
    Answer(
        lazy_gettext("How do I see the plan as the class sees it?"),
        lazy_gettext("“Seen by the class” turns it round. Nothing is changed by that."),
    ),
)
SHOW = (
    Answer(
        lazy_gettext("How do I show the wall to the class?"),
        lazy_gettext(
            "Press P, or choose “Projector”: names and controls go. The pictures themselves "
            "may still show a name."
        ),
    ),
    Answer(
        lazy_gettext("How do I leave the projector mode?"),
        lazy_gettext("Press Esc or P, or choose “Leave the projector mode” above."),
    ),
    Answer(
        lazy_gettext("How do I keep some screens large?"),
        lazy_gettext(
            "Select one to four tiles and choose “Spotlight”. “Slideshow” goes round the "
            "screens by itself; Space pauses it."
        ),
    ),
)
LESSON = (
    Answer(
        lazy_gettext("What does a lesson do?"),
        lazy_gettext(
            "It says who of the class is in and who is missing, on every page, until it ends. "
            "You can observe without one."
        ),
    ),
    Answer(
        lazy_gettext("How do I end a lesson?"),
        lazy_gettext(
            "With “End the lesson” in the bar above. What you had set is released. A forgotten "
            "lesson ends by itself."
        ),
    ),
    Answer(
        lazy_gettext("A colleague has a lesson in my room. What can I do?"),
        lazy_gettext("Start yours there too: both go on, and each is told of the other."),
    ),
)
PRESETS = (
    Answer(
        lazy_gettext("What is a preset?"),
        lazy_gettext(
            "Sites and the text of a locked screen, kept under a name that you choose when a "
            "lesson starts. The workstations cannot apply it yet."
        ),
    ),
    Answer(
        lazy_gettext("How do I name sites?"),
        lazy_gettext(
            "One a line, such as fr.wikipedia.org, without https:// and without what follows."
        ),
    ),
)
PASSWORDS = (
    Answer(
        lazy_gettext("A student forgot the password. What do I do?"),
        lazy_gettext(
            "Search the student here, choose “New password”, and read it to the "
            "student or print the slip. It is shown once."
        ),
    ),
    Answer(
        lazy_gettext("How do I give a whole class new passwords?"),
        lazy_gettext(
            "As its head teacher, under “A class”: choose the students and the kind, "
            "and print the slips at once."
        ),
    ),
    Answer(
        lazy_gettext("I closed the page. Where are the passwords?"),
        lazy_gettext(
            "Nowhere: nothing keeps them. Change them again, or ask for a CSV file "
            "beforehand next time."
        ),
    ),
    Answer(
        lazy_gettext("Why must a password be changed at the first sign-in?"),
        lazy_gettext(
            "Because whoever saw the slip, or knows the student, could use it. Once "
            "changed, only the student knows it."
        ),
    ),
)
CLIP = (
    Answer(
        lazy_gettext("How do I bring text to the workstation?"),
        lazy_gettext(
            "While controlling, open “Clipboard” at the side, write the text and choose “Send "
            "to the workstation”; then paste there."
        ),
    ),
    Answer(
        lazy_gettext("Some characters become “?”. What can I do?"),
        lazy_gettext(
            "Choose “Type it there” instead: every character arrives as if it were typed."
        ),
    ),
    Answer(
        lazy_gettext("How do I get text from the workstation?"),
        lazy_gettext(
            "Copy it there: it appears under “Clipboard”. “Copy to this computer” takes it "
            "from there."
        ),
    ),
)
REWIND = (
    Answer(
        lazy_gettext("How do I see what happened a moment ago?"),
        lazy_gettext(
            "Move the slider below the screen to the left. It is there in rooms where an "
            "administrator switched it on."
        ),
    ),
    Answer(
        lazy_gettext("Why is the old picture blurred?"),
        lazy_gettext(
            "It is the picture of the wall, enlarged. Nothing else is kept, and only for five "
            "minutes."
        ),
    ),
)


@dataclass(frozen=True)
class Place:
    """The answers of one part of the console; `where`: endpoints, or a blueprint with its dot."""

    name: str
    title: Any
    answers: tuple[Answer, ...]
    where: str

    def is_of(self, endpoint: str) -> bool:
        """Whether the help of this endpoint's page shows them."""
        return endpoint == self.where or (
            self.where.endswith(".") and endpoint.startswith(self.where)
        )


_WALL, _SCREEN, _LESSONS = "observation_pages.wall", "observation_pages.screen", "lesson_pages."
PLACES = (
    Place("wall", lazy_gettext("On the wall"), WALL, _WALL),
    Place("plan", lazy_gettext("In the seating plan"), PLAN, _WALL),
    Place("show", lazy_gettext("Projector, spotlight, slideshow"), SHOW, _WALL),
    Place("screen", lazy_gettext("On one screen"), SCREEN, _SCREEN),
    Place("clipboard", lazy_gettext("Clipboard"), CLIP, _SCREEN),
    Place("rewind", lazy_gettext("The last five minutes"), REWIND, _SCREEN),
    Place("lesson", lazy_gettext("In a lesson"), LESSON, _LESSONS),
    Place("presets", lazy_gettext("Lesson presets"), PRESETS, _LESSONS),
    Place("passwords", lazy_gettext("Passwords"), PASSWORDS, "passwords."),
)
"""For who may observe, in the order of the page of help."""
