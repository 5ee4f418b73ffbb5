"""What the pages of the administration share: reading forms, and going on after a change."""

from typing import Any
from urllib.parse import urlencode

from flask import redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from eop import replies
from eop.aaa import revocations
from eop.errors import InvalidError
from eop.services import services

MAX_FIELD_CHARACTERS = 4096  # a list of names; a single name is checked where it is kept


def field(name: str) -> str:
    """One field of the form, bounded."""
    return request.form.get(name, "")[:MAX_FIELD_CHARACTERS].strip()


def names(name: str) -> tuple[str, ...]:
    """A field that holds names with commas between, or was ticked several times."""
    given = ",".join(request.form.getlist(name))[:MAX_FIELD_CHARACTERS]
    return tuple(dict.fromkeys(one for part in given.split(",") if (one := part.strip())))


def number(text: str | None, least: int = 1, most: int = 1_000_000) -> int:
    """A number of the address, within bounds; what is none is the least."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 7:
        return least
    return min(max(least, int(text)), most)


def sentence(error: InvalidError) -> str:
    """Why a form was not taken, in the user's language."""
    return replies.in_words(error)


def go_on(path: str, done: str) -> AnyResponse:
    """Have ended sessions told at once, and show the page at `path`, which says what was done."""
    parts = services()
    revocations.deliver(parts.database, parts.daemon)
    separator = "&" if "?" in path else "?"
    return redirect(f"{parts.site.MOUNT_POINT}{path}{separator}done={done}", 303)


def query(**given: str) -> str:
    """What a path carries of these, those that are empty left out."""
    kept = {name: value for name, value in given.items() if value}
    return f"?{urlencode(kept)}" if kept else ""


def done(sentences: dict[str, Any]) -> str:
    """What the page says was done: one of its own sentences, or nothing."""
    sentence = sentences.get(request.args.get("done", ""))
    return str(gettext(sentence)) if sentence else ""
