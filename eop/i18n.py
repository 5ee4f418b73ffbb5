"""Languages: which one a request gets, the words scripts need, and compiling the catalogues.

`python -m eop.i18n compile` makes the `.mo` files; `extract` and `update` renew the `.po` files.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, Response, g, request
from flask_babel import Babel, format_date, get_locale, gettext

from eop import collation, counts, languages
from eop.addresses import is_tls
from eop.languages import DEFAULT, LANGUAGES
from eop.services import services

HERE = Path(__file__).parent
TRANSLATIONS = HERE / "translations"
SOURCES = (".", "../controle_vnc/settings.py")
"""What has texts to translate, seen from here."""

COOKIE = "eop_language"  # remembers the door's choice for who is not signed in yet
COOKIE_SECONDS = 365 * 24 * 3600

_SCRIPT_TEXT = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)+)"')


def init_app(app: Flask) -> None:
    """Choose the language of each request; give templates `language`, `script_words`, roles."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    app.config["BABEL_DEFAULT_LOCALE"] = languages.LOCALES[DEFAULT]
    Babel(app, locale_selector=_locale)  # type: ignore[no-untyped-call]
    counts.init_app(app)
    app.jinja_env.globals.update(
        language=language,
        languages=languages.NAMES,
        script_words=script_words,
        role_name=role_name,
        today=today,
    )
    app.jinja_env.filters["by_name"] = by_name
    app.after_request(_remember)


def choose() -> str:
    """Asked for in the address, preferred by the user, remembered, or told by the browser."""
    asked = request.args.get("language")
    if asked in LANGUAGES:
        return asked
    identity = g.get("identity")
    if identity is not None and identity.language in LANGUAGES:
        return str(identity.language)
    remembered = request.cookies.get(COOKIE)
    if remembered in LANGUAGES:
        return remembered
    wanted = [name for name, quality in request.accept_languages if quality > 0]
    return negotiate_locale(wanted, LANGUAGES, sep="-") or DEFAULT


def _locale() -> str:
    chosen = choose()
    return languages.LOCALES.get(chosen, chosen)


def _remember(response: Response) -> Response:
    asked = request.args.get("language")
    if asked in LANGUAGES and request.method == "GET":
        remember(response, asked)
    return response


def remember(response: Response, chosen: str) -> Response:
    """Keep a language in the browser, so that the door is in it too."""
    response.set_cookie(
        COOKIE, chosen, max_age=COOKIE_SECONDS, path="/", httponly=True,
        secure=is_tls(services().site), samesite="Lax",
    )  # fmt: skip
    return response


def language() -> str:
    """The language of this page, for `lang`."""
    locale = get_locale()
    return locale.language if locale is not None else DEFAULT


def by_name(items: Iterable[Any], attribute: str = "name") -> list[Any]:
    """Things sorted by what they are called, as readers of this page's language look for them.

    Without an attribute they are names themselves.
    """
    name, reader = attrgetter(attribute) if attribute else str, language()
    return sorted(items, key=lambda one: collation.key(name(one), reader))


def role_name(role: str) -> str:
    """A role as people call it."""
    names = {
        "student": gettext("Student"),
        "teacher": gettext("Teacher"),
        "head_teacher": gettext("Head teacher"),
        "administrator": gettext("Administrator"),
        "security_officer": gettext("Security officer"),
    }
    return names.get(role, role)


def today() -> str:
    """The day, in full."""
    return str(format_date(format="full"))  # type: ignore[no-untyped-call]


@cache
def script_texts() -> tuple[str, ...]:
    """The English of every `t("…")` in our scripts."""
    found: set[str] = set()
    for script in sorted((HERE / "static").glob("*.js")):
        for text in _SCRIPT_TEXT.findall(script.read_text(encoding="utf-8")):
            found.add(text.replace('\\"', '"'))
    return tuple(sorted(found))


def script_words() -> dict[str, str]:
    """English → this page's language, for its scripts; nothing where both are the same."""
    if language() == DEFAULT:
        return {}
    return {text: str(gettext(text)) for text in script_texts()}


def compile_catalogues() -> list[Path]:
    """Make the `.mo` beside each `.po`."""
    made = []
    for source in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        with source.open("rb") as po:
            catalogue = read_po(po, locale=source.parent.parent.name, domain="messages")
        with target.open("wb") as mo:
            write_mo(mo, catalogue)
        made.append(target)
    return made


def _babel(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "babel.messages.frontend", *arguments], check=True, cwd=HERE
    )  # noqa: S603


def _update(pot: str) -> None:
    """Bring every `.po` to the texts of the template; its head, which has no dates, stays."""
    sources = sorted(TRANSLATIONS.glob("*/LC_MESSAGES/*.po"))
    heads = [source.read_text(encoding="utf-8").split("\n\n", 1)[0] for source in sources]
    _babel(
        "-q", "update", "-N", "-w", "100", "--omit-header", "-i", pot, "-d", "translations"
    )  # fmt: skip
    for source, head in zip(sources, heads, strict=True):
        body = source.read_text(encoding="utf-8")
        source.write_text(f"{head}\n\n{body}", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """The command line; 2 for a verb it does not know."""
    pot = "translations/messages.pot"
    if arguments == ["compile"]:
        for path in compile_catalogues():
            sys.stdout.write(f"{path}\n")
    elif arguments == ["extract"]:
        _babel(
            "-q", "extract", "-F", "translations/babel.cfg", "-k", "lazy_gettext", "-k", "t",
            "--omit-header", "--sort-by-file", "--add-location=file", "-o", pot, *SOURCES,
        )  # fmt: skip
    elif arguments == ["update"]:
        _update(pot)
    else:
        sys.stderr.write("usage: python -m eop.i18n compile|extract|update\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
