"""A school's own regular expression for passwords, run where it can do no harm.

Some expressions take for ever on some texts, and Python cannot be stopped while it matches: each
match runs in a process of its own, on a bounded text, and is ended at its deadline.
"""

import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Sequence

from eop.errors import EopError, RefusedError

MAX_PATTERN_CHARACTERS = 1000  # longer than any rule that a person can read
MAX_CHARACTERS = 128  # of a password; what follows is not looked at
MATCH_SECONDS = 1.0  # starting the process takes 20 ms, a sane rule nothing
AT_ONCE = 2  # each may take a core until its deadline
WAIT_SECONDS = 5.0

_PROGRAM = (
    "import json, re, sys; rule, text = json.load(sys.stdin); "
    "sys.stdout.write(''.join('y' if re.fullmatch(rule, one) else 'n' for one in text))"
)
_turns = threading.BoundedSemaphore(AT_ONCE)

logger = logging.getLogger(__name__)


class RuleError(EopError):
    """A pattern that is no rule; the text says why."""


def check(pattern: str) -> None:
    """Raise `RuleError` for a pattern that cannot be used."""
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise RuleError(f"is longer than {MAX_PATTERN_CHARACTERS} characters")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise RuleError(f"is no regular expression ({error})") from error


def matches(pattern: str, password: str) -> bool:
    """Whether the whole of a password (its first 128 characters) follows the rule.

    Raises `RefusedError`: `rule_down` where that is not known in time, `busy`.
    """
    return which(pattern, [password])[0]


def which(pattern: str, passwords: Sequence[str]) -> list[bool]:
    """The same of many passwords, all of them within the one deadline."""
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise RefusedError("busy", retry_after=int(WAIT_SECONDS))
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            input=json.dumps([pattern, [one[:MAX_CHARACTERS] for one in passwords]]).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a trace would show the password
            timeout=MATCH_SECONDS,
            check=True,
            env={},
        )
    except (subprocess.SubprocessError, OSError) as error:
        # not the error itself: it holds what was matched
        logger.error("PASSWORD_RULE cannot be applied: %s", type(error).__name__)
        raise RefusedError("rule_down") from None
    finally:
        _turns.release()
    if len(done.stdout) != len(passwords):
        logger.error("PASSWORD_RULE cannot be applied: an answer of another length")
        raise RefusedError("rule_down")
    return [letter == ord("y") for letter in done.stdout]
