"""The sign-in page: the form, a button for each sign-on server, and the way straight to one."""

from flask import Response, make_response, render_template

from eop.errors import RefusedError
from eop.replies import SENTENCES, told
from eop.services import services


def shown(
    asked: str, *, username: str = "", refused: RefusedError | None = None, form: bool | None = None
) -> Response:
    """The page that leads on to `asked`; with the form unless sign-on servers alone are meant."""
    parts = services()
    only = parts.site.SINGLE_SIGN_ON_ONLY
    form = not only if form is None else form
    page = render_template(
        "login.html",
        error=told(refused) if refused else None,
        username=username,
        next=asked,
        servers=parts.door.single_sign_on,
        form=form,
        # what keeps this page where /login alone would lead straight to a server
        stay=("local=1&" if form else "out=1&") if only else "",
    )
    response = make_response(page, SENTENCES[refused.code][0] if refused else 200)
    if refused is not None and refused.retry_after is not None:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


def onward(address: str, label: str) -> Response:
    """A page that goes on to `address` by itself.

    Not a redirect: browsers hold those after a form against `form-action`, and whoever follows
    would have to be named there, the servers a sign-on server leads on to included.
    """
    return make_response(render_template("onward.html", address=address, server=label))
