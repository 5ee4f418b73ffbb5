"""The page of settings: what each is for, what it is, where that comes from; nothing changes."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from eop.aaa import guard
from eop.administration import settings_view
from eop.errors import N_
from eop.i18n import language
from eop.services import services

PATH = "/admin/settings"
MAX_TEXT_CHARACTERS = 64

SOURCES: dict[str, tuple[str, str]] = {
    settings_view.FILE: ("file", N_("the file")),
    settings_view.ENVIRONMENT: ("server", N_("the environment")),
    settings_view.DEFAULT: ("tick", N_("default")),
    settings_view.UNKNOWN: ("help", N_("not known now")),
}
"""Where a value comes from: icon and words."""

blueprint = Blueprint("administration_settings", __name__, url_prefix=PATH)


@blueprint.get("")
@guard.page_required("read_settings")
def page() -> str:
    """Every setting, or those that were asked for."""
    text = request.args.get("text", "")[:MAX_TEXT_CHARACTERS]
    only_changed = request.args.get("changed") == "yes"
    parts = services()
    everything = [
        replace(group, settings=[translated(one) for one in group.settings])
        for group in settings_view.groups(parts.site, parts.shared)
    ]
    return render_template(
        "admin_settings.html",
        section="admin",
        text=text,
        only_changed=only_changed,
        groups=settings_view.search(everything, text, only_changed=only_changed),
        count=sum(len(one.settings) for one in everything),
        sources={name: (icon, gettext(word)) for name, (icon, word) in SOURCES.items()},
        in_words=in_words,
    )


def translated(one: settings_view.Setting) -> settings_view.Setting:
    """A setting, its sentence in the page's language; as it is where that has no such text."""
    text = str(gettext(one.sentence))
    return one if text == one.sentence else replace(one, sentence=text, language=language())


def in_words(value: Any) -> str:
    """A value as people read it; nothing where it is empty."""
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {text}" for name, text in value.items())
    return str(value)
