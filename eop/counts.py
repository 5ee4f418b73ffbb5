"""Counts in sentences as the reader's language writes them: 12 345, 12,345.

Every whole number that is filled into a translated text is a count; what is not (a port, a year, a
number that names something) is passed as text.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from flask_babel import Domain, format_decimal, get_babel, get_locale
from jinja2 import pass_context
from jinja2.runtime import Context


class Count(int):
    """A whole number that reads as the page's language writes it; `%d` and sums see the number."""

    def __str__(self) -> str:
        return str(format_decimal(int(self)))


class CountingDomain(Domain):
    """The texts of the site."""

    def gettext(self, string: str, **variables: Any) -> str:
        """A text in the page's language, with its values."""
        told = super().gettext(string, **readable(variables))  # type: ignore[no-untyped-call]
        return str(told)

    def ngettext(self, singular: str, plural: str, num: int, **variables: Any) -> str:
        """The same, in the form that goes with `num`."""
        counted = readable({"num": num})["num"]
        told = super().ngettext(  # type: ignore[no-untyped-call]
            singular, plural, counted, **readable(variables)
        )
        return str(told)


def init_app(app: Flask) -> None:
    """Have code and templates fill in counts; after Babel itself."""
    get_babel(app).instance.domain_instance = CountingDomain()  # type: ignore[no-untyped-call]
    installed: dict[str, Any] = app.jinja_env.globals
    for name in ("gettext", "ngettext"):
        installed[name] = _counting(installed[name])
    app.jinja_env.filters["number"] = number


def number(whole: int) -> str:
    """A whole number by itself."""
    return str(Count(whole))


def readable(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The values with their whole numbers as counts; outside a request as they are."""
    if not variables or get_locale() is None:
        return dict(variables)
    return {name: Count(one) if type(one) is int else one for name, one in variables.items()}


def _counting(translate: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def translated(context: Context, *texts: Any, **variables: Any) -> str:
        if len(texts) > 1:
            variables.setdefault("num", texts[-1])  # (singular, plural, number)
        return translate(context, *texts, **readable(variables))

    return translated
