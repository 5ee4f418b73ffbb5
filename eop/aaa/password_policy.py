"""What a local password must be, and for how long it may be used: the site's settings, applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext, lazy_gettext

from eop.aaa import password_rule, passwords, strength
from eop.aaa.leaked import LeakedPasswords
from eop.errors import InvalidError

MIN_SCORE = 2  # of zxcvbn: out of reach of guessing through the sign-in page
HISTORY = 5
MAX_HISTORY = 24  # each costs 20 ms at a change
EVERYONE = "*"  # the role of a rule for all that have none of their own
DAY_MS = 24 * 3600 * 1000

SENTENCES: dict[str, Any] = {
    "short": lazy_gettext("A password has at least %(least)s characters."),
    "long": lazy_gettext("A password has at most %(most)s bytes, and no zero byte."),
    "rule": lazy_gettext("It does not follow this site's rule for passwords."),
    "weak": lazy_gettext("It is too easy to guess."),
    "leaked": lazy_gettext("It is in a list of passwords that were stolen elsewhere."),
    "used": lazy_gettext("You have used it before: choose another one."),
    "differ": lazy_gettext("The two new passwords are not the same."),
}
"""Code of a problem → what a person reads."""


@dataclass(frozen=True)
class Subject:
    """Whom a password is for, and the hashes of those that it must not be again."""

    login: str
    name: str = ""
    role: str = ""
    used: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """What is wrong with a password; `advice` is zxcvbn's own English."""

    code: str
    rule_text: str = ""
    advice: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """In the language of the page, the advice last."""
        if self.rule_text:
            return [self.rule_text]
        values = {"least": passwords.MIN_CHARACTERS, "most": passwords.MAX_BYTES}
        first = str(SENTENCES[self.code]) % values
        return [first, *(strength.in_words(text) for text in self.advice)]


class PasswordRefusedError(InvalidError):
    """A password that may not be stored, and everything that is wrong with it."""

    is_translated = True

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(" ".join(self.sentences()))

    def sentences(self) -> list[str]:
        return [text for problem in self.problems for text in problem.sentences()]


@dataclass(frozen=True)
class PasswordPolicy:
    """The site's settings for passwords; without any, length and strength."""

    rules: Mapping[str, str] = field(default_factory=dict)
    rule_texts: Mapping[str, str] = field(default_factory=dict)
    min_score: int = MIN_SCORE
    history: int = HISTORY
    lifetime_ms: int = 0
    initial: bool = False
    leaked: LeakedPasswords | None = None
    school: str = ""

    def check(self, password: str, subject: Subject) -> None:
        """Raise `PasswordRefusedError`, or `RefusedError` where something cannot be looked up."""
        problems = list(self._problems(password, subject))
        # costly, and only of use where the rest is well
        if not problems and any(passwords.matches(one, password) for one in subject.used):
            problems = [Problem("used")]
        if problems:
            raise PasswordRefusedError(*problems)

    def check_given(
        self, wanted: Sequence[tuple[str, Subject]], *, is_lasting: bool
    ) -> list[list[Problem]]:
        """What is wrong with each of many passwords that somebody else chooses for people.

        All of them are of the same role. One that has to be changed at the first sign-in (not
        `is_lasting`) must have the right length and follow the rule, and may be easy to guess.
        Raises `RefusedError` where something cannot be looked up.
        """
        found = [self._length(password) for password, _ in wanted]
        rule = self.rule_for(wanted[0][1].role) if wanted else ""
        if rule:
            follow = password_rule.which(rule, [password for password, _ in wanted])
            for problems, is_right in zip(found, follow, strict=True):
                if not problems and not is_right:
                    problems.append(Problem("rule", self.rule_text()))
        for problems, (password, subject) in zip(found, wanted, strict=True):
            if is_lasting and not problems:
                problems += self._easy(password, subject)
        return found

    def _length(self, password: str) -> list[Problem]:
        code = passwords.length_problem(password)
        return [Problem(code)] if code else []

    def _problems(self, password: str, subject: Subject) -> list[Problem]:
        if found := self._length(password):
            return found
        rule = self.rule_for(subject.role)
        if rule and not password_rule.matches(rule, password):
            found.append(Problem("rule", self.rule_text()))
        return found + self._easy(password, subject)

    def _easy(self, password: str, subject: Subject) -> list[Problem]:
        """Why it would be guessed."""
        found = []
        judged = strength.of(password, (subject.login, subject.name, self.school))
        if judged.score < self.min_score:
            found.append(Problem("weak", advice=judged.advice))
        if self.leaked is not None and self.leaked.has(password):
            found.append(Problem("leaked"))
        return found

    def rule_for(self, role: str) -> str:
        """The pattern for a role, or nothing."""
        return self.rules.get(role, self.rules.get(EVERYONE, ""))

    def rule_text(self, language: str = "") -> str:
        """The rule as the site words it: in that language, or the one of the page."""
        texts = self.rule_texts
        wanted = language or _page_language()
        return texts.get(wanted) or texts.get(EVERYONE) or next(iter(texts.values()), "")

    def is_over(self, since_ms: int, now_ms: int) -> bool:
        """Whether a password of that age has outlived itself."""
        return bool(self.lifetime_ms) and now_ms - since_ms >= self.lifetime_ms


def _page_language() -> str:
    from flask_babel import get_locale

    locale = get_locale()
    return locale.language if locale is not None else "en"


def hints(policy: PasswordPolicy, role: str) -> list[str]:
    """What a form says of a new password before one is typed."""
    first = str(SENTENCES["short"]) % {"least": passwords.MIN_CHARACTERS}
    rule = policy.rule_text() if policy.rule_for(role) else ""
    long = gettext("A few uncommon words are good, and easy to remember.")
    return [text for text in (first, rule, long) if text]
