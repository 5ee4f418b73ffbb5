"""How results are shown: the original's manner for people, JSON for programs."""

import re
from typing import Any

from diagnose.checks import Check

LABEL_CHARACTERS = 24
_COMMAND = re.compile(r"[a-z -]+: (?P<command>.+?)( \(or: .*\).*|[;,] (then|as root|restart).*)?")
BOLD, GREEN, RED, PLAIN = "\033[1m", "\033[32m", "\033[31m", "\033[0m"


def text(results: list[Check], *, coloured: bool) -> str:
    """`*** EOP`, a line for each check, and below each failure why and what to do."""
    paint = _painted if coloured else _plain
    lines = [paint("*** EOP", BOLD)]
    for one in results:
        verdict = paint("Ok", GREEN) if one.ok else paint("Erreur", RED)
        lines.append(f".{one.name:>{LABEL_CHARACTERS}} => {verdict}")
        if not one.ok:
            lines.append(f"    {_printable(one.detail)}")
            lines.append(f"    -> {_printable(one.remedy or '')}")
    return "\n".join(lines)


def value(results: list[Check]) -> dict[str, Any]:
    """The same for `--json`."""
    return {"ok": all(one.ok for one in results), "checks": [line(one) for one in results]}


def line(one: Check) -> dict[str, Any]:
    """One check for machines; `command` is what of the remedy can be typed as it is."""
    return {
        "name": one.name,
        "ok": one.ok,
        "detail": one.detail,
        "remedy": one.remedy,
        "command": command(one.remedy or ""),
        "milliseconds": one.milliseconds,
    }


def command(remedy: str) -> str | None:
    """The command of a remedy such as “start it: systemctl start x (or: eopctl serve)”."""
    found = _COMMAND.fullmatch(remedy)
    return found["command"] if found else None


def _painted(words: str, colour: str) -> str:
    return f"{colour}{words}{PLAIN}"


def _plain(words: str, _colour: str) -> str:
    return words


def _printable(words: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in words)
