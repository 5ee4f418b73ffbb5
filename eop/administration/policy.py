"""The page that says who may do what, and why."""

from typing import Any

from flask import Blueprint, render_template, request
from flask_babel import gettext

from eop import moments
from eop.aaa import explain, guard, sentences
from eop.aaa.explain import Question
from eop.aaa.policy import ACTIONS, RIGHTS
from eop.administration import forms
from eop.directory.users import ROLES
from eop.errors import InvalidError, NotFoundError, RefusedError
from eop.replies import told
from eop.services import services

MAX_NAME_CHARACTERS = 64  # of a target

blueprint = Blueprint("administration_policy", __name__, url_prefix="/admin/policy")


@blueprint.get("")
@guard.page_required("explain_policy")
def page() -> Any:
    """A question and its answer, and beneath it the table itself."""
    asked = _asked()
    answer, trouble = _answer(asked) if asked.login else (None, "")
    return render_template(
        "admin_policy.html",
        section="admin",
        asked=asked,
        answer=answer,
        trouble=trouble,
        sentence=sentences.reason(answer.decision, gettext, moments.told_end) if answer else "",
        actions=[(action, gettext(sentences.ACTIONS[action])) for action in ACTIONS],
        roles=ROLES,
        table=[(gettext(sentences.ACTIONS[action]), _row(action)) for action in ACTIONS],
    )


def _row(action: Any) -> list[str]:
    """How far each role's right to this action reaches; nothing where it is denied."""
    scopes = [RIGHTS[role].get(action) for role in ROLES]
    return [gettext(sentences.SCOPES[scope]) if scope else "" for scope in scopes]


def _asked() -> Question:
    kind = request.args.get("kind", "")
    name = request.args.get("name", "").strip()[:MAX_NAME_CHARACTERS]
    return Question(
        login=request.args.get("user", "").strip()[:MAX_NAME_CHARACTERS],
        action=request.args.get("action", "view"),
        target=f"{kind}:{name}" if kind in explain.KINDS and name else "",
    )


def _answer(asked: Question) -> tuple[Any, str]:
    parts = services()
    try:
        return explain.explain(parts.database, parts.daemon, asked, parts.now_ms()), ""
    except RefusedError as error:
        return None, told(error)
    except NotFoundError:
        return None, gettext("There is no such account or workstation.")
    except InvalidError as error:
        return None, forms.sentence(error)
