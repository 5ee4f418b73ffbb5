"""Passwords changed: planned and checked for everybody first, then one student after the other."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext, lazy_gettext

from controle_vnc.errors import SettingsError
from eop.aaa import accounts, keeper
from eop.aaa.accounts import Terms
from eop.aaa.password_policy import PasswordPolicy, Problem, Subject
from eop.audit import events
from eop.directory import users
from eop.directory.users import LOCAL, User
from eop.errors import EopError, NotFoundError, RefusedError
from eop.passwords import files, making
from eop.passwords.making import Kind
from eop.passwords.students import STUDENT, Student
from eop.services import Services
from eop.settings import SiteSettings

if TYPE_CHECKING:
    from eop.directory.ldap_passwords import Writer

MAX_FAILURES = 3  # one after the other: where the database is away, each waits seconds for it

logger = logging.getLogger(__name__)

REASONS = {
    "unknown": lazy_gettext("the directory knows nobody of this login: import people first"),
    "other_person": lazy_gettext(
        "the directory has somebody else under this login: import people first"
    ),
    "not_student": lazy_gettext("this is no student's account in the directory: see LDAP_ROLES"),
    "no_writer": lazy_gettext(
        "no account may give new passwords in the directory: see LDAP_WRITE_DN"
    ),
    "not_allowed": lazy_gettext("EOP's account may not change this one: see LDAP_WRITE_DN"),
    "no_tls": lazy_gettext("the directory takes passwords over TLS alone: see LDAP_SERVERS"),
    "down": lazy_gettext(
        "the directory did not answer: try again, it may have changed all the same"
    ),
    "short": lazy_gettext("too short for the directory"),
    "weak": lazy_gettext("too simple for the directory, or used before"),
    "used": lazy_gettext("used before"),
    "young": lazy_gettext("the present one is too new to be changed again"),
    "own_only": lazy_gettext("the directory lets nobody else change it"),
    "refused": lazy_gettext("the directory refuses it"),
    "elsewhere": lazy_gettext("the password is kept where this student signs in: change it there"),
    "gone": lazy_gettext("this account is no longer a student's"),
    "busy": lazy_gettext("the server is too busy: try again"),
    "failed": lazy_gettext("an error came in between: try again, and look into the log"),
    "untried": lazy_gettext("not tried any more, after what went wrong before"),
}  # fmt: skip
"""Code of a refusal → the reason, as a part of a sentence."""


class ObstaclesError(EopError):
    """Nothing was changed: what is wrong, and the students of whom."""

    def __init__(self, found: Sequence[tuple[str, tuple[Student, ...]]]) -> None:
        super().__init__("; ".join(sentence for sentence, _ in found))
        self.found = tuple(found)


@dataclass(frozen=True)
class Order:
    """What is wanted: `typed` is the password of the kind `same`; `in_file`: a CSV file, too."""

    kind: Kind
    must_change: bool
    typed: str = ""
    in_file: bool = False


@dataclass(frozen=True)
class Planned:
    """A student and the password he gets."""

    student: Student
    password: str


@dataclass(frozen=True)
class Done:
    """What came of it: without a `code` the password is the new one.

    `words` are the directory's own. `must_change` is what holds, which may be less than was asked.
    Where it is not `is_noted`, nothing here knows of it, and who is signed in stays so.
    """

    student: Student
    password: str
    code: str = ""
    words: str = ""
    must_change: bool = False
    is_noted: bool = True

    def reason(self) -> str:
        """Why not, as a part of a sentence in the language of the page."""
        return reason(self.code, self.words)


def reason(code: str, words: str = "") -> str:
    """Why a password is not changed, as a part of a sentence; `words` are the directory's own."""
    known = str(REASONS.get(code, REASONS["refused"]))
    return f"{known} ({words})" if code == "refused" and words else known


@dataclass(frozen=True)
class Gift:
    """What came of one change: as `Done`, of anybody."""

    code: str = ""
    words: str = ""
    must_change: bool = False
    is_noted: bool = True


def plan(
    policy: PasswordPolicy, students: Sequence[Student], births: dict[int, str], order: Order
) -> list[Planned]:
    """A password for each; raises `ObstaclesError` where one of them may not be, then for all."""
    if order.kind == "random":
        return _random(policy, students, is_lasting=not order.must_change)
    planned = [Planned(one, _made(one, births.get(one.id, ""), order)) for one in students]
    without = tuple(one.student for one in planned if not one.password)
    if without:
        raise ObstaclesError([(_nothing_to_make_it_from(order.kind), without)])
    if order.in_file and any(files.is_formula(one.password) for one in planned):
        raise ObstaclesError([(_formula(), ())])
    wanted = [(one.password, _subject(one.student)) for one in planned]
    found: dict[str, list[Student]] = {}
    problems = policy.check_given(wanted, is_lasting=not order.must_change)
    for one, wrong in zip(planned, problems, strict=True):
        for problem in wrong:
            found.setdefault(_sentence(problem), []).append(one.student)
    if found:
        raise ObstaclesError([(sentence, tuple(them)) for sentence, them in found.items()])
    return planned


def _made(student: Student, birth_date: str, order: Order) -> str:
    if order.kind == "birth":
        return making.of_birth(birth_date) if birth_date else ""
    return making.of_name(student.parts) if order.kind == "name" else order.typed


def _nothing_to_make_it_from(kind: Kind) -> str:
    if kind == "birth":
        return gettext("No birth date is known here.")
    return gettext("Type a password.") if kind == "same" else gettext("The name has no letters.")


def _formula() -> str:
    return gettext(
        "In a CSV file a password may not begin with = + - or @: a spreadsheet would take it for a "
        "formula."
    )


def _sentence(problem: Problem) -> str:
    """What is wrong, and for what can be guessed what helps."""
    if problem.code == "weak":
        return gettext(
            "It is too easy to guess to be kept: have it changed at the first sign-in, or take "
            "another kind."
        )
    return problem.sentences()[0]


def _random(
    policy: PasswordPolicy, students: Sequence[Student], *, is_lasting: bool
) -> list[Planned]:
    """The first shape whose passwords may all be; what is wrong with the first one, else."""
    told = ""
    for shape in making.SHAPES:
        planned = [Planned(one, shape()) for one in students]
        wanted = [(one.password, _subject(one.student)) for one in planned]
        wrong = policy.check_given(wanted, is_lasting=is_lasting)
        if not any(wrong):
            return planned
        told = told or next(_sentence(found[0]) for found in wrong if found)
    raise ObstaclesError(
        [(gettext("No random password follows the rule. %(rule)s", rule=told), tuple(students))]
    )


def _subject(student: Student) -> Subject:
    return Subject(student.login, student.name, STUDENT)


@dataclass(frozen=True)
class Office:
    """Who changes passwords, and with what; the writer is there where a directory is."""

    parts: Services
    by: str
    writer: "Writer | None" = None

    def carry_out(self, planned: Sequence[Planned], *, must_change: bool) -> list[Done]:
        """All of `one_by_one`."""
        return list(self.one_by_one(planned, must_change=must_change))

    def one_by_one(self, planned: Sequence[Planned], *, must_change: bool) -> Iterator[Done]:
        """Each in turn, whatever becomes of the others; each is in the audit, without a password.

        What is set is handed out before the next is begun. Nobody is tried any more once the
        directory is down, or after `MAX_FAILURES` one after the other. Never raises of itself.
        Whoever calls has it told to controle-vnc afterwards (`revocations.deliver`).
        """
        failures, is_over = 0, False
        for one in planned:
            if is_over:
                yield Done(one.student, "", "untried")
                continue
            done = self._one(one, must_change=must_change)
            failures = failures + 1 if done.code == "failed" or not done.is_noted else 0
            is_over = done.code == "down" or failures >= MAX_FAILURES
            yield done

    def _one(self, planned: Planned, *, must_change: bool) -> Done:
        try:
            done = self._changed(planned, must_change=must_change)
        except NotFoundError:
            done = Done(planned.student, "", "gone")
        except RefusedError as error:
            done = Done(planned.student, "", error.code if error.code in REASONS else "refused")
        except Exception:  # whatever it is, the others have theirs already
            logger.exception("the password of %s is not changed", planned.student.login)
            done = Done(planned.student, "", "failed")
        if done.code:
            self._refused(done)
        return done

    def _refused(self, done: Done) -> None:
        logger.info("the password of %s is not changed: %s", done.student.login, done.code)
        try:
            with self.parts.database.write() as connection:
                events.record(
                    connection, "password_refused", self.parts.now_ms(), user=self.by,
                    details={"login": done.student.login, "reason": done.code},
                )  # fmt: skip
        except Exception:
            logger.exception("the audit has no word of it")

    def _changed(self, planned: Planned, *, must_change: bool) -> Done:
        with self.parts.database.read() as connection:
            user = users.get(connection, planned.student.login)
            stored = users.password_of(connection, user.login)
        if user.role != STUDENT or user.id != planned.student.id:
            raise NotFoundError("no student any more")
        gift = self.give(user, stored, planned.password, must_change=must_change)
        password = "" if gift.code else planned.password
        return Done(
            planned.student, password, gift.code, gift.words, gift.must_change, gift.is_noted
        )

    def give(self, user: User, stored: str | None, password: str, *, must_change: bool) -> Gift:
        """Give anybody a password that was checked, where it is kept; `stored` is his hash here.

        Raises `RefusedError("busy")`.
        """
        site, door = self.parts.site, self.parts.door
        sso = bool(site.CAS_URL or site.OIDC_ISSUER)
        kept = keeper.keeps_password(user, stored, site.AUTHENTICATORS, sso=sso)
        if kept == LOCAL:
            terms = Terms(door.passwords, by=self.by, must_change=must_change, is_checked=True)
            accounts.set_password(
                self.parts.database, door.sessions, user.login, password, self.parts.now_ms(), terms
            )
            return Gift(must_change=must_change)
        if not kept:
            return Gift("elsewhere")
        return self._in_directory(user, password, must_change=must_change)

    def _in_directory(self, user: User, password: str, *, must_change: bool) -> Gift:
        from eop.directory.ldap_passwords import Account  # ldap3 only where it is used

        if self.writer is None:
            return Gift("no_writer")
        known = user.external_id if user.source == "ldap" else None
        outcome = self.writer.set_password(
            Account(user.login, known, is_student=user.role == STUDENT),
            password,
            must_change=must_change,
        )
        if outcome.code is not None:
            return Gift(outcome.code, outcome.words)
        return Gift(must_change=outcome.must_change, is_noted=self._noted(user))

    def _noted(self, user: User) -> bool:
        """Note what the directory has changed; where that fails, the password holds."""
        parts = self.parts
        try:
            accounts.password_set_elsewhere(
                parts.database, parts.door.sessions, user, self.by, parts.now_ms()
            )
        except Exception:
            logger.exception("the new password of %s is the directory's alone", user.login)
            return False
        return True


def office(parts: Services, by: str) -> Office:
    """That of somebody, for this site."""
    return Office(parts, by, _writer(parts.site) if parts.site.LDAP_SERVERS else None)


def _writer(site: SiteSettings) -> "Writer | None":
    """What changes the directory; None where its settings do not hold any more (a file is gone)."""
    from eop.directory import ldap_layout
    from eop.directory.ldap_passwords import Writer

    try:
        return Writer(ldap_layout.writing_access_of(site), ldap_layout.layout_of(site))
    except (SettingsError, OSError) as error:
        logger.error("nobody gets a new password in the directory: %s", error)  # noqa: TRY400
        return None
