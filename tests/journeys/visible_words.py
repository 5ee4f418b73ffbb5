"""Which English words a page still shows, found by the catalogues themselves."""

import re
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from eop import i18n
from eop.languages import DEFAULT, NAMES

LEAST_LETTERS = 3
SETTINGS = "settings.py"  # the files that declare settings; their sentences name values: none, tls
_PLACE = re.compile(r"\{\w+\}|%\(\w+\)\d*[sd]")
_WORD = re.compile(rf"[^\W\d_]{{{LEAST_LETTERS},}}")
_LATIN = re.compile(r"[a-z]+")

# every text a person reads or hears, also what is folded away; not what is marked as another
# language or as never translated (names and values of settings), nor the technical details that
# are copied for support
_TEXTS = """() => {
  const ours = (element) => element.closest("[lang]") === document.documentElement
    && !element.closest("script, style, noscript, pre, textarea, [translate=no]");
  const texts = [document.title];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (ours(walker.currentNode.parentElement)) texts.push(walker.currentNode.data);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      if (ours(element)) texts.push(element.getAttribute(name));
    }
  }
  return texts;
}"""


def words(text: str) -> set[str]:
    """The words of a text, small; not its places."""
    return {word.casefold() for word in _WORD.findall(_PLACE.sub(" ", text))}


@cache
def vocabulary(language: str, of_settings: bool) -> tuple[frozenset[str], frozenset[str]]:
    """The words of the English texts, and of their translations; with those on settings or without.

    Without, as what these name in every language would count as translated on every page.
    """
    path = Path(i18n.TRANSLATIONS) / language / "LC_MESSAGES/messages.po"
    with path.open("rb") as file:
        found = [message for message in read_po(file, locale=language) if message.id]
    if not of_settings:
        found = [message for message in found if not _is_of_settings(message)]
    english, own = set(), set()
    for message in found:
        for text in message.id if isinstance(message.id, tuple) else (message.id,):
            english |= words(text)
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            own |= words(text)
    return frozenset(english), frozenset(own)


def _is_of_settings(message) -> bool:
    return all(Path(file).name == SETTINGS for file, _ in message.locations)


def english_left(page, language: str, *names: str, of_settings: bool = False) -> set[str]:
    """English words on a page of another language; `names` are of people and things.

    In Russian every Latin word counts that no translation has. `of_settings`: the page tells what
    settings are for.
    """
    assert page.evaluate("document.documentElement.lang") == language
    if language == DEFAULT:
        return set()
    english, own = vocabulary(language, of_settings)
    known = own.union(*(words(name) for name in names), words(" ".join(NAMES.values())), {"eop"})
    shown = set().union(*(words(text) for text in page.evaluate(_TEXTS)))
    foreign = {word for word in shown if language == "ru" and _LATIN.fullmatch(word)}
    return (shown & english | foreign) - known
