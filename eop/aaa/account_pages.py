"""/account: one's own password, second factor, and the places where one is signed in."""

from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from eop import moments
from eop.aaa import browsers, guard, own_account, password_policy, revocations, second_factor
from eop.aaa.own_account import Enrolment, NewPassword, Overview, Owner
from eop.aaa.password_policy import PasswordRefusedError
from eop.aaa.passwords import MAX_BYTES
from eop.aaa.second_factor import MAX_CODE_CHARACTERS, MAX_PENDING_CHARACTERS
from eop.errors import RefusedError
from eop.replies import SENTENCES, told
from eop.services import services

MAX_TYPED_PASSWORD = MAX_BYTES + 1  # one more than is stored: it is refused, not cut
MAX_SESSION_ID_CHARACTERS = 64  # a hash in hexadecimal

DONE: dict[str, Any] = {
    "password": lazy_gettext("Your password was changed. You are signed out everywhere else."),
    "removed": lazy_gettext("The second factor was removed."),
    "session": lazy_gettext("That session was signed out; its screens are closed."),
    "sessions": lazy_gettext("You are signed out everywhere else."),
}
"""What was done before this page → what it says."""

KEPT: dict[str, Any] = {
    "ldap": lazy_gettext("Your password is kept in the school's directory: change it there."),
    "pam": lazy_gettext("Your password is that of the server's own accounts: change it there."),
}
KEPT_ELSEWHERE = lazy_gettext("Your password is kept where you sign in: change it there.")

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
@guard.page_required("account")
def account() -> AnyResponse:
    """Everything about one's own account."""
    done = DONE.get(request.args.get("done", ""))
    return make_response(_account_page({}, str(done) if done else ""))


@blueprint.post("/password")
@guard.page_required("account")
def password() -> AnyResponse:
    """Change one's own password."""
    fields = ("current", "password", "again")
    typed = NewPassword(*(_field(name, MAX_TYPED_PASSWORD) for name in fields))
    try:
        changed = own_account.change_password(_owner(), typed)
    except (PasswordRefusedError, RefusedError) as error:
        return _refused("password", error)
    _deliver()
    if changed is None:
        return guard.clear_cookie(_to("/login"))
    return guard.set_cookies(_to("/account?done=password"), changed)


@blueprint.get("/second-factor")
@guard.page_required("account")
def second_factor_page() -> AnyResponse:
    """A new key, to be taken into a phone."""
    owner = _owner()
    sealed = second_factor.sealed(
        owner.door.keys, own_account.overview(owner).user.id, second_factor.new_key(), owner.now_ms
    )
    return make_response(_enrol_page(owner, sealed, []))


@blueprint.post("/second-factor")
@guard.page_required("account")
def second_factor_form() -> AnyResponse:
    """Enrol the key of the page by its first code."""
    owner = _owner()
    typed = Enrolment(
        sealed=_field("pending", MAX_PENDING_CHARACTERS),
        code=_code("code"),
        password=_field("current", MAX_TYPED_PASSWORD),
        code_before=_code("code_before"),
    )
    try:
        codes = own_account.enrol(owner, typed)
    except RefusedError as error:
        if error.code in ("wrong_code", "wrong_password"):
            page = _enrol_page(owner, typed.sealed, [told(error)])
            return make_response(page, SENTENCES[error.code][0])
        return _refused("factor", error)
    return _recovery_codes(codes)


@blueprint.post("/second-factor/remove")
@guard.page_required("account")
def remove_second_factor() -> AnyResponse:
    """Go without a second factor."""
    try:
        own_account.remove_second_factor(_owner(), _code("code"))
    except RefusedError as error:
        return _refused("factor", error)
    return _to("/account?done=removed")


@blueprint.post("/recovery-codes")
@guard.page_required("account")
def recovery_codes() -> AnyResponse:
    """New recovery codes, shown this once."""
    try:
        return _recovery_codes(own_account.renew_recovery_codes(_owner(), _code("code")))
    except RefusedError as error:
        return _refused("factor", error)


@blueprint.post("/sessions/end")
@guard.page_required("account")
def end_session() -> AnyResponse:
    """Sign out one session."""
    wanted = _field("session", MAX_SESSION_ID_CHARACTERS)
    if own_account.end_session(_owner(), wanted):
        _deliver()
    if wanted == g.session.id:
        return guard.clear_cookie(_to("/login"))
    return _to("/account?done=session")


@blueprint.post("/sessions/end-others")
@guard.page_required("account")
def end_others() -> AnyResponse:
    """Sign out everywhere else."""
    own_account.end_others(_owner())
    _deliver()
    return _to("/account?done=sessions")


def _owner() -> Owner:
    parts = services()
    return Owner(parts.door, g.session, guard.visit(), parts.now_ms())


def _field(name: str, most: int) -> str:
    return request.form.get(name, "")[:most]


def _code(name: str) -> str:
    return _field(name, MAX_CODE_CHARACTERS)


def _deliver() -> None:
    revocations.deliver(services().database, services().daemon)


def _to(address: str) -> Response:
    return make_response(redirect(address, 303))


def _refused(part: str, error: PasswordRefusedError | RefusedError) -> Response:
    """The page again, with what is wrong at its part."""
    if isinstance(error, PasswordRefusedError):
        return make_response(_account_page({part: error.sentences()}), 422)
    response = make_response(_account_page({part: [told(error)]}), SENTENCES[error.code][0])
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _account_page(errors: dict[str, list[str]], done: str = "") -> str:
    owner = _owner()
    found = own_account.overview(owner)
    required = found.user.role in owner.door.second_factor.required_roles
    return render_template(
        "account.html",
        section="account",
        errors=errors,
        done=done,
        user=found.user,
        has_password=found.has_password,
        kept=str(KEPT.get(found.user.source, KEPT_ELSEWHERE)),
        hints=password_policy.hints(owner.door.passwords, found.user.role),
        is_factor_required=required,
        codes_left=found.recovery_codes_left,
        sessions=_rows(found, owner),
    )


def _rows(found: Overview, owner: Owner) -> list[dict[str, Any]]:
    """The sessions as the page lists them: this one first, then the last used."""
    rows = [
        {
            "id": one.id,
            "address": one.address or str(gettext("Unknown address")),
            "browser": browsers.in_words(one.browser),
            "application": one.application,
            "since": _moment(one.created_at),
            "seen": _moment(one.seen_at),
            "seen_at": one.seen_at,
            "is_here": one.id == owner.session.id,
        }
        for one in found.sessions
    ]
    return sorted(rows, key=lambda row: (not row["is_here"], -int(row["seen_at"])))


def _moment(at_ms: int) -> str:
    """A time as the server's clock on the wall shows it."""
    return moments.told(at_ms)


def _enrol_page(owner: Owner, sealed: str, errors: list[str]) -> str:
    """The form for a new key; without one where the old page is too old."""
    found = own_account.overview(owner)
    user = found.user
    key = second_factor.unsealed(owner.door.keys, user.id, sealed, owner.now_ms)
    if key is None:
        raise RefusedError("step_over")
    address = second_factor.address(key, user.login, owner.door.second_factor.issuer)
    return render_template(
        "second_factor.html",
        section="account",
        errors=errors,
        user=user,
        has_password=found.has_password,
        pending=sealed,
        picture=second_factor.picture(address),
        key=second_factor.shown(key),
    )


def _recovery_codes(codes: list[str]) -> Response:
    return make_response(
        render_template(
            "recovery_codes.html", section="account", codes=codes, following="/account",
            is_door=False,
        )
    )  # fmt: skip
