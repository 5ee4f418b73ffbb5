import io

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS

from eop.setting_sentences import extract

SOURCE = b"""
WORD = gettext("A word.")

class Settings:
    HOSTS: list[str] = setting(["127.0.0.1", "::1"], "Whom we hear.")
    RULE: str = setting(
        "",
        "The rule as people read it; or an object of "
        "language.",
        is_secret=True,
    )
    OTHER: str = other.setting("", "Not one of ours.")
"""


def found(source):
    return {text for _, _, text, _ in extract(io.BytesIO(source), DEFAULT_KEYWORDS, (), {})}


def test_sentences_are_found_whatever_the_default_beside_all_other_texts():
    assert found(SOURCE) == {
        "A word.", "Whom we hear.", "The rule as people read it; or an object of language.",
    }  # fmt: skip


def test_a_sentence_that_is_not_written_out_is_refused():
    with pytest.raises(ValueError, match="malformed node"):
        found(b"setting('', SENTENCE)")
