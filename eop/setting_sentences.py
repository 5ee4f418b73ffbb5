"""The sentences of the settings' declarations as texts to translate, for Babel.

`translations/babel.cfg` names `extract` for the files that declare settings. The declarations of
controle-vnc, which knows nothing of translations, need no mark for it.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any

from babel.messages.extract import extract_python

DECLARE = "setting"  # setting(default, "sentence")

Found = tuple[int, str | None, Any, list[str]]
"""A line, the function that marks a text, the text, and comments on it: what Babel wants."""


def extract(
    file: IO[bytes],
    keywords: Mapping[str, Any],
    comment_tags: Collection[str],
    options: Mapping[str, Any],
) -> Iterator[Found]:
    """What any Python file has to translate, and the sentence of each declaration in this one.

    Raises `ValueError` where a sentence is not written out.
    """
    found: Any = extract_python(file, keywords, comment_tags, options)  # type: ignore[arg-type]
    yield from found
    file.seek(0)
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == DECLARE:
            yield node.lineno, None, ast.literal_eval(node.args[1]), []
