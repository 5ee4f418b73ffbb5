"""The sign-in, for every application that the runner mounts.

    def create_app(site, parts):
        app = Flask("sample")
        client.init_app(app, site, parts)

        @app.get("/")
        @client.required
        def home():
            return client.who().name

        return app

The file of such an application states its name, mount point, factory and mode: with `global` it
is open to whoever signed in for any application, with `local` it has sessions, a cookie and a
`/login` of its own below its mount point.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, overload

from flask import Flask, g

from eop import i18n, replies, services
from eop.aaa import guard, membership
from eop.aaa.guard import require, who
from eop.aaa.policy import Action
from eop.errors import RefusedError
from eop.services import Services
from eop.settings import SiteSettings

__all__ = ["csrf_token", "init_app", "require", "required", "who"]

F = TypeVar("F", bound=Callable[..., Any])


def init_app(app: Flask, site: SiteSettings, parts: Services) -> None:
    """Have `app` know who is asking; `site` and `parts` are what its factory was given.

    A form or a call that changes something must carry `csrf_token()`. Refusals are answered in
    plain text, unless the application handles `RefusedError` itself.
    """
    app.extensions[services.EXTENSION] = replace(parts, site=site)
    guard.init_app(app, membership.of_site(site))
    if "babel" not in app.extensions:
        i18n.init_app(app)
    app.register_error_handler(RefusedError, replies.answer_plainly)


@overload
def required(action: F) -> F: ...
@overload
def required(action: Action | None = None) -> Callable[[F], F]: ...
def required(action: Any = None) -> Any:
    """A page for who is signed in (`@required`) or may do something (`@required("observe")`).

    Others are led to the sign-in page and back.
    """
    if callable(action):
        return guard.page_required(None)(action)
    return guard.page_required(action)


def csrf_token() -> str:
    """What this session's forms send as `csrf_token`, its calls as `X-CSRF-Token`."""
    return str(g.csrf_token)
