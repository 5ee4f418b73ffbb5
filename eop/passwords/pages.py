"""The pages of passwords: one student's, a batch for a class, and the files that were asked for.

What was made is in the answer to one POST alone: no address leads to it again.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from eop import i18n, moments
from eop.aaa import guard, password_policy, revocations
from eop.aaa.passwords import MAX_BYTES
from eop.aaa.policy import Action, Target
from eop.audit import events
from eop.directory import users
from eop.directory.classes import MAX_CLASS_CHARACTERS, MAX_STUDENTS
from eop.errors import N_, RefusedError
from eop.passwords import changing, files, limits, making, students
from eop.passwords.changing import Done, ObstaclesError, Order, Planned
from eop.passwords.making import KINDS, Kind
from eop.passwords.students import Student
from eop.replies import SENTENCES, told
from eop.services import services

PATH = "/passwords/"
BATCH, FILES = "/passwords/batch", "/passwords/files"
ONE_OF: tuple[Action, ...] = ("student_password", "class_passwords")
BATCH_OF: tuple[Action, ...] = ("class_passwords",)
MAX_AT_ONCE = 200  # passwords of one form: each costs 30 ms here, in a directory 10 more
EXAMPLE = "dune-729-Cadre"
DONE = {"removed": N_("The file is deleted.")}
SLIPS_A_PAGE = 8
MAX_NAMED = 12  # of a list in a sentence

logger = logging.getLogger(__name__)

blueprint = Blueprint("passwords", __name__, url_prefix="/passwords")


@blueprint.get("/")
@guard.page_required("observe")
def page() -> AnyResponse:
    """The students whose password one may change: of a class, or those that a search finds."""
    who, parts = guard.who(), services()
    text = request.args.get("text", "").strip()[: students.MAX_TEXT_CHARACTERS]
    with parts.database.read() as connection:
        known = students.visible_classes(connection, who, ONE_OF)
        names = [one.name for one in i18n.by_name(known)]
        chosen = _chosen(names) if not text else ""
        if text:
            found = students.search(connection, who, ONE_OF, text)
        else:
            found = students.of_class(connection, chosen) if chosen else []
    return _rendered(
        "passwords.html", tab="one", classes=names, chosen=chosen, text=text,
        found=students.in_order(found, _order(), i18n.language()), order=_order(),
        most=students.MAX_FOUND,
    )  # fmt: skip


@blueprint.get("/one/<login>")
@guard.page_required("observe")
def one(login: str) -> AnyResponse:
    """A form for one student."""
    return _one_page(_student(login))


@blueprint.post("/one/<login>")
@guard.page_required("observe")
def change_one(login: str) -> AnyResponse:
    """Give one student a new password, and show it this once."""
    student = _student(login)
    kind: Kind = "same" if request.form.get("kind") == "same" else "random"
    order = Order(kind, "change" in request.form, _typed())
    try:
        planned = _planned([student], order)
        done = _carried_out(planned, order)
    except (ObstaclesError, RefusedError) as error:
        return _one_page(student, error)
    class_name = student.classes[0] if student.classes else ""
    return _result(done, order, class_name, PATH)


@blueprint.get("/batch")
@guard.page_required("observe")
def batch() -> AnyResponse:
    """The students of a class of which one is head teacher, to choose from."""
    return _batch_page()


@blueprint.post("/batch")
@guard.page_required("observe")
def change_batch() -> AnyResponse:
    """Give the chosen students of a class new passwords, and show them this once."""
    name = _class_name("class")
    guard.require("class_passwords", Target(classes=frozenset({name})))
    chosen = _chosen_students(name)
    order = Order(_kind(), "change" in request.form, _typed(), in_file="csv" in request.form)
    try:
        planned = _planned(chosen, order)
        with _table(name, is_wanted=order.in_file) as table:
            done = _carried_out(planned, order, table)
    except (ObstaclesError, RefusedError) as error:
        return _batch_page(error)
    _record_batch(name, order, done, table.name)
    back = f"{BATCH}?{urlencode({'class': name})}"
    return _result(done, order, name, back, file=(table.name, table.trouble))


@blueprint.get("/files/<name>")
@guard.page_required("observe")
def file(name: str) -> Response:
    """One of one's own files."""
    content = files.read(_owner(), name)
    _record("password_file_read", {"file": name})
    response = make_response(content)
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.post("/files/<name>/remove")
@guard.page_required("observe")
def remove_file(name: str) -> AnyResponse:
    """Delete one of one's own files."""
    files.remove(_owner(), name)
    _record("password_file_removed", {"file": name})
    return redirect(f"{services().site.MOUNT_POINT}{BATCH}?done=removed", 303)


def _planned(chosen: Sequence[Student], order: Order) -> list[Planned]:
    """What everyone gets; refuses a form that names nobody, or too many."""
    parts = services()
    if not chosen:
        raise ObstaclesError([(gettext("Choose at least one student."), ())])
    if len(chosen) > MAX_AT_ONCE:
        sentence = gettext("At most %(most)s students at once.", most=MAX_AT_ONCE)
        raise ObstaclesError([(sentence, ())])
    with parts.database.read() as connection:
        births = students.birth_dates(connection, [one.id for one in chosen])
    return changing.plan(parts.door.passwords, chosen, births, order)


class _Table:
    """The CSV file of a batch, or none; `trouble` is why it could not be written to its end."""

    def __init__(self, class_name: str, file: files.Growing | None = None) -> None:
        self.trouble = ""
        self._class_name = class_name
        self._file = file

    @property
    def name(self) -> str:
        """The name of the file, where one is kept."""
        return self._file.name if self._file is not None and self._file.has_rows else ""

    def add(self, one: Done) -> None:
        """A row more; where it fails the password holds all the same, and is on the page."""
        if self._file is None or one.code:
            return
        student = one.student
        cells = [student.parts.last, student.parts.first, student.login, self._class_name]
        try:
            self._file.add(files.row([*cells, one.password]))
        except RefusedError as error:
            logger.error("there is no file of new passwords: %s", error)  # noqa: TRY400
            self.trouble = told(error)
            self._file.drop()
            self._file = None


@contextmanager
def _table(class_name: str, *, is_wanted: bool) -> Iterator[_Table]:
    """Begun before anything is changed: where it cannot be, nothing is."""
    if not is_wanted:
        yield _Table(class_name)
        return
    heads = [
        gettext("Last name"), gettext("First name"), gettext("Login"), gettext("Class"),
        gettext("Password"),
    ]  # fmt: skip
    with files.begun(_owner(), files.head(heads), services().now_ms()) as file:
        yield _Table(class_name, file)


def _carried_out(planned: list[Planned], order: Order, table: _Table | None = None) -> list[Done]:
    """The change itself: counted first, told to controle-vnc last.

    Once the first is set nothing may raise any more: who has got one would never be told.
    """
    parts, by = services(), guard.who().login
    office = changing.office(parts, by)
    form = request.form.get("form", "")[: limits.FORM_BYTES * 2 + 1]
    with parts.database.write() as connection:
        limits.claim(connection, by, form, len(planned), parts.now_ms())
    done = []
    for one in office.one_by_one(planned, must_change=order.must_change):
        done.append(one)
        if table is not None:
            table.add(one)
    try:
        revocations.deliver(parts.database, parts.daemon)
    except Exception:  # the worker tries again
        logger.exception("ended sessions wait for controle-vnc")
    return done


def _record_batch(class_name: str, order: Order, done: list[Done], file: str) -> None:
    details = {
        "class": class_name, "kind": order.kind, "change": int(order.must_change),
        "changed": sum(1 for one in done if not one.code),
        "refused": sum(1 for one in done if one.code), "file": file,
    }  # fmt: skip
    try:
        _record("passwords_batch", details)
    except Exception:
        logger.exception("the audit has no word of new passwords for %s", class_name)


def _result(
    done: list[Done],
    order: Order,
    class_name: str,
    back: str,
    file: tuple[str, str] = ("", ""),
) -> AnyResponse:
    """The new passwords, in this answer alone; `file` is its name, or why there is none."""
    changed = [one for one in done if not one.code]
    try:
        return _rendered(
            "passwords_result.html",
            tab="one" if back == PATH else "batch",
            done=done,
            changed=changed,
            sheets=[changed[at : at + SLIPS_A_PAGE] for at in range(0, len(changed), SLIPS_A_PAGE)],
            refused=[one for one in done if one.code],
            class_name=class_name,
            back=back,
            lasting=sum(1 for one in changed if order.must_change and not one.must_change),
            unnoted=sum(1 for one in changed if not one.is_noted),
            file=file[0],
            trouble=file[1],
            address=_address(),
        )
    except Exception:  # the database is away, say
        logger.exception("the page of new passwords cannot be made")
        return _plain(done)


def _plain(done: list[Done]) -> AnyResponse:
    """The same without a page: a line for each student, with the password or why there is none."""
    lines = [
        f"{one.student.name}\t{one.student.login}\t{one.password or f'({one.reason()})'}\n"
        for one in done
    ]
    response = make_response("".join(lines))
    response.mimetype = "text/plain"
    return response


def _one_page(student: Student, error: ObstaclesError | RefusedError | None = None) -> AnyResponse:
    return _rendered(
        "passwords_one.html", error, tab="one", student=student, typed=request.form,
        hints=_hints(), kind=request.form.get("kind", "random"), form=limits.new_form(),
        is_changing=_is_ticked(True),
    )  # fmt: skip


def _batch_page(error: ObstaclesError | RefusedError | None = None) -> AnyResponse:
    who, parts = guard.who(), services()
    with parts.database.read() as connection:
        known = students.visible_classes(connection, who, BATCH_OF)
        names = [one.name for one in i18n.by_name(known)]
        chosen = _chosen(names)
        found = students.of_class(connection, chosen) if chosen else []
    known_logins = {one.login for one in found}
    listed = next((one.students for one in known if one.name == chosen), ())
    kept = [
        (one.name, moments.told(one.until_ms))
        for one in files.listed(_owner(), parts.now_ms())
    ]  # fmt: skip
    kind = _kind() if request.method == "POST" else "random"
    return _rendered(
        "passwords_batch.html", error, tab="batch", classes=names, chosen=chosen,
        found=students.in_order(found, _order(), i18n.language()), order=_order(),
        without_account=sum(1 for one in listed if one not in known_logins),
        picked=set(_logins()), kind=kind, kinds=_kinds(), files=kept, hints=_hints(),
        form=limits.new_form(), is_changing=_is_ticked(True), example=EXAMPLE,
        wants_file="csv" in request.form,
    )  # fmt: skip


def _kinds() -> list[tuple[str, str, str]]:
    """Each kind, its name and what it is like."""
    then = gettext("to be changed afterwards")
    return [
        ("random", gettext("Random"), gettext("Another for each, easy to read")),
        ("birth", gettext("Birth date"), f"14032012, {then}"),
        ("name", gettext("firstname.lastname"), f"ines.amrani, {then}"),
        ("same", gettext("The same for all"), gettext("You choose it")),
    ]


def _rendered(
    template: str, error: ObstaclesError | RefusedError | None = None, **values: Any
) -> AnyResponse:
    who = guard.who()
    with services().database.read() as connection:
        batch_of = students.visible_classes(connection, who, BATCH_OF)
    obstacles = error.found if isinstance(error, ObstaclesError) else ()
    status = 200
    if error is not None:
        status = 422 if isinstance(error, ObstaclesError) else SENTENCES[error.code][0]
    response = make_response(
        render_template(
            template, section="passwords", obstacles=obstacles, has_batch=bool(batch_of),
            refusal=told(error) if isinstance(error, RefusedError) else "", names_told=_names,
            done_before=_done(), batch_names=_few([one.name for one in i18n.by_name(batch_of)]),
            guessable=sorted(making.GUESSABLE), most_at_once=MAX_AT_ONCE, **values,
        ),
        status,
    )  # fmt: skip
    if isinstance(error, RefusedError) and error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _names(of: Sequence[Student]) -> str:
    """Whom a sentence is about."""
    return _few([one.name for one in of])


def _few(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - MAX_NAMED
    listed = ", ".join(names[:MAX_NAMED])
    return listed + (f" {gettext('and %(num)s more', num=more)}" if more > 0 else "")


def _done() -> str:
    sentence = DONE.get(request.args.get("done", ""))
    return str(gettext(sentence)) if sentence else ""


def _hints() -> list[str]:
    return password_policy.hints(services().door.passwords, students.STUDENT)


def _student(login: str) -> Student:
    with services().database.read() as connection:
        wanted = login[: users.MAX_LOGIN_CHARACTERS]
        return students.get(connection, guard.who(), ONE_OF, wanted)


def _chosen_students(name: str) -> list[Student]:
    """Those of the class that the form names; a login of nobody there is passed over."""
    wanted = set(_logins())
    with services().database.read() as connection:
        found = students.of_class(connection, name)
    return students.in_order(
        [one for one in found if one.login in wanted], "last", i18n.language()
    )  # fmt: skip


def _logins() -> list[str]:
    return [one[: users.MAX_LOGIN_CHARACTERS] for one in request.form.getlist("students")][
        : MAX_STUDENTS + 1
    ]


def _chosen(names: Sequence[str]) -> str:
    """The class of the address or the form, else the first."""
    wanted = _class_name("class")
    return wanted if wanted in names else next(iter(names), "")


def _class_name(field: str) -> str:
    return request.values.get(field, "")[:MAX_CLASS_CHARACTERS]


def _order() -> str:
    order = request.values.get("order", "last")
    return order if order in students.ORDERS else "last"


def _kind() -> Kind:
    kind = request.form.get("kind", "random")
    return kind if kind in KINDS else "random"


def _typed() -> str:
    return request.form.get("password", "")[: MAX_BYTES + 1]  # one more: refused, not cut


def _is_ticked(default: bool) -> bool:
    return "change" in request.form if request.method == "POST" else default


def _owner() -> str:
    with services().database.read() as connection:
        own = users.get(connection, guard.who().login).id
        return files.owner_of(own, users.created_at(connection, own))


def _record(kind: str, details: dict[str, Any]) -> None:
    parts = services()
    with parts.database.write() as connection:
        events.record(
            connection, kind, parts.now_ms(), user=guard.who().login, session=g.session.id,
            details=details,
        )  # fmt: skip


def _address() -> str:
    """Where students sign in, for the slips."""
    return request.host_url.rstrip("/") + services().site.MOUNT_POINT
