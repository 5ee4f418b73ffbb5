"""How an API call is declared: rule, right, schemas and statuses in one place."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from typing import Any, Literal, TypeVar

import marshmallow as ma
from flask import abort, request
from flask_smorest import Api
from flask_smorest.blueprint import Blueprint
from marshmallow import validate

from eop.aaa.guard import MAX_BODY_BYTES, SAFE_METHODS, call_required
from eop.aaa.policy import Action
from eop.errors import RefusedError

API_ROOT = "/api/v1"
OPEN: Literal["open"] = "open"  # a call that needs no session

F = TypeVar("F", bound=Callable[..., Any])


class Line(ma.fields.String):
    """Printable text of bounded length: what names and ids are made of."""

    def __init__(self, longest: int, **options: Any) -> None:
        super().__init__(validate=[validate.Length(1, longest), _check_printable], **options)


def _check_printable(text: str) -> None:
    if not text.isprintable():  # a lone surrogate is not printable either
        raise ma.ValidationError("not printable")


class ErrorBody(ma.Schema):
    """What went wrong."""

    code = ma.fields.String(metadata={"description": "stable"})
    message = ma.fields.String(metadata={"description": "a sentence in the user's language"})


class Error(ma.Schema):
    """Every error of the API."""

    error = ma.fields.Nested(ErrorBody)


class SiteApi(Api):
    """flask-smorest with our own shape of errors (`eop.replies` answers them).

    Calls are described when somebody first asks for the description, not at each start: nearly
    nobody does, and a good part of making a site went into it.
    """

    ERROR_SCHEMA: Any = Error

    _app: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._describing = Lock()
        self._undescribed: list[tuple[Any, str, Any]] = []
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]

    def register_blueprint(self, blp: Any, *, parameters: Any = None, **options: Any) -> None:
        """Have the application answer these calls; they are described later."""
        name = options.get("name", blp.name)
        self._app.extensions["flask-smorest"]["blp_name_to_api"][name] = self
        self._app.register_blueprint(blp, **options)
        self._undescribed.append((blp, name, parameters))

    def _openapi_json(self) -> Any:
        with self._describing:
            while self._undescribed:
                blp, name, parameters = self._undescribed[0]
                blp.register_views_in_doc(
                    self, self._app, self.spec, name=name, parameters=parameters
                )
                self.spec.tag({"name": name, "description": blp.description})
                del self._undescribed[0]
        return super()._openapi_json()  # type: ignore[no-untyped-call]

    def _register_error_handlers(self) -> None:
        return


def calls(name: str, description: str) -> Any:
    """A blueprint of API calls (`Any`: flask-smorest has no types)."""
    make: Any = Blueprint
    return make(name, name, url_prefix=API_ROOT, description=description)


@dataclass(frozen=True)
class Call:
    """One call: who may make it, what it takes, what it answers."""

    method: str
    rule: str
    right: Action | Literal["open"] | None
    body: type[ma.Schema] | None = None
    query: type[ma.Schema] | None = None
    reply: Any = None
    status: int = 200
    refusals: tuple[int, ...] = ()


def declare(blueprint: Any, call: Call) -> Callable[[F], F]:
    """Decorate a view with everything its declaration says."""

    def decorate(view: F) -> F:
        made: Any = blueprint.response(call.status, call.reply)(view)
        if call.body is not None:
            made = blueprint.arguments(call.body)(made)
        if call.query is not None:
            made = blueprint.arguments(call.query, location="query")(made)
        for status in _refusals(call):
            made = blueprint.alt_response(status, schema=Error)(made)
        made = _with_json(made) if call.body is not None else made
        if call.right != OPEN:
            made = call_required(call.right)(made)
        routed: F = blueprint.route(call.rule, methods=[call.method])(made)
        return routed

    return decorate


def _refusals(call: Call) -> list[int]:
    statuses = set(call.refusals)
    if call.right != OPEN:
        statuses |= {401, 403}
    if call.method not in SAFE_METHODS:
        statuses |= {403}
    if call.body is not None:
        statuses |= {400, 413, 415, 422}
    return sorted(statuses)


def _with_json(view: Any) -> Any:
    """Refuse a body that is not JSON before anything tries to take fields from it."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        if request.mimetype != "application/json":
            abort(415)
        if len(request.get_data(cache=True)) > MAX_BODY_BYTES:
            abort(413)
        try:
            request.get_json()
        except (ValueError, RecursionError) as error:  # the latter: 30,000 open brackets
            raise RefusedError("malformed") from error
        return view(*args, **kwargs)

    return checked
