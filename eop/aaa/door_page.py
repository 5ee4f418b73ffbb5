"""The sign-in page: the form, a button for each sign-on server, and the way straight to one."""

from collections.abc import Sequence

from flask import Response, make_response, render_template

from eop.aaa.authenticators.base import SingleSignOn
from eop.aaa.membership import current
from eop.errors import RefusedError
from eop.replies import SENTENCES, told
from eop.services import services


def shown(
    asked: str, *, username: str = "", refused: RefusedError | None = None, form: bool | None = None
) -> Response:
    """The page that leads on to `asked`; with the form unless sign-on servers alone are meant."""
    only = is_for_sign_on_alone()
    form = not only if form is None else form
    page = render_template(
        "login.html",
        error=told(refused) if refused else None,
        username=username,
        next=asked,
        servers=_servers(),
        form=form,
        # what keeps this page where /login alone would lead straight to a server
        stay=("local=1&" if form else "out=1&") if only else "",
    )
    response = make_response(page, SENTENCES[refused.code][0] if refused else 200)
    if refused is not None and refused.retry_after is not None:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


def is_for_sign_on_alone() -> bool:
    """Whether this door leads straight to the one sign-on server."""
    return services().site.SINGLE_SIGN_ON_ONLY and bool(_servers())


def _servers() -> Sequence[SingleSignOn]:
    """Those that lead into this door: the session they begin is the one that all share."""
    return () if current().scope else services().door.single_sign_on


def onward(address: str, label: str) -> Response:
    """A page that goes on to `address` by itself.

    Not a redirect: browsers hold those after a form against `form-action`, and whoever follows
    would have to be named there, the servers a sign-on server leads on to included.
    """
    return make_response(render_template("onward.html", address=address, server=label))
