"""The page between a right password and the session: /login/step."""

import hmac
from collections.abc import Callable

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from eop.aaa import door_page, guard, password_policy, routes, second_factor, stepping, steps
from eop.aaa.login import SignedIn
from eop.aaa.password_policy import PasswordRefusedError
from eop.aaa.passwords import MAX_BYTES
from eop.aaa.stepping import Taken, Walker
from eop.aaa.steps import Step
from eop.errors import RefusedError
from eop.replies import SENTENCES, told
from eop.services import services

ENDS = {"step_over", "locked", "throttled", "second_factor_lost"}
"""Refusals after which there is no form any more: the door says them."""

blueprint = Blueprint("steps", __name__)


@blueprint.get(routes.STEP_PAGE)
def step_page() -> AnyResponse:
    """The form of the step that is due."""
    try:
        step = stepping.look(_walker())
    except RefusedError:  # none is due, or no longer
        return redirect("/login", 303)
    return make_response(_form(step, []))


@blueprint.post(routes.STEP_PAGE)
def step_form() -> AnyResponse:
    """Take the step, or say why not."""
    walker = _walker()
    try:
        step = stepping.look(walker)
        _require_csrf(walker)
        return _gone_on(_TAKE[step.kind](walker))
    except PasswordRefusedError as error:
        return _again(walker, error.sentences(), 422)
    except RefusedError as error:
        if error.code in ENDS or error.code.startswith("account_"):
            return guard.clear_step_cookie(door_page.shown(guard.safe_next(None), refused=error))
        return _again(walker, [told(error)], SENTENCES[error.code][0])


def _walker() -> Walker:
    parts = services()
    return Walker(parts.door, guard.step_token(), guard.visit(), parts.now_ms())


def _require_csrf(walker: Walker) -> None:
    given = request.form.get(guard.CSRF_FIELD, "").encode("utf-8", "replace")
    wanted = steps.csrf_token(walker.door.keys, walker.token).encode()
    if not hmac.compare_digest(given, wanted):
        raise RefusedError("csrf")


def _field(name: str, most: int) -> str:
    return request.form.get(name, "")[:most]


def _take_password(walker: Walker) -> Taken:
    # one character more than is stored: it is refused, not cut
    return stepping.take_password(
        walker, _field("password", MAX_BYTES + 1), _field("again", MAX_BYTES + 1)
    )


_TAKE: dict[steps.Kind, Callable[[Walker], Taken]] = {
    "second_factor": lambda walker: stepping.take_code(
        walker, _field("code", second_factor.MAX_CODE_CHARACTERS)
    ),
    "must_change": _take_password,
    "enrol": lambda walker: stepping.take_enrolment(
        walker, _field("code", second_factor.MAX_CODE_CHARACTERS)
    ),
}


def _again(walker: Walker, errors: list[str], status: int) -> Response:
    try:
        step = stepping.look(walker)
    except RefusedError as error:  # that was one wrong answer too many
        over = door_page.shown(guard.safe_next(None), refused=error)
        return guard.clear_step_cookie(over)
    return make_response(_form(step, errors), status)


def _form(step: Step, errors: list[str]) -> str:
    door = services().door
    key = {}
    if step.kind == "enrol":
        issuer = door.second_factor.issuer
        address = second_factor.address(step.key, step.user.login, issuer)
        key = {"picture": second_factor.picture(address), "key": second_factor.shown(step.key)}
    return render_template(
        "step.html",
        step=step.kind,
        user=step.user,
        errors=errors,
        hints=password_policy.hints(door.passwords, step.user.role),
        step_csrf=steps.csrf_token(door.keys, guard.step_token()),
        **key,
    )


def _gone_on(taken: Taken) -> Response:
    following = guard.safe_next(taken.following)
    response = routes.entered(taken.outcome, following)
    if not isinstance(taken.outcome, SignedIn):
        return response
    if taken.recovery_codes:
        page = render_template(
            "recovery_codes.html", codes=taken.recovery_codes, following=following, is_door=True
        )
        response.status_code = 200
        response.set_data(page)
        del response.headers["Location"]
    return guard.clear_step_cookie(response)
