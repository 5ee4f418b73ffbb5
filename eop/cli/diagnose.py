"""`eopctl diagnose`: is everything there, and does it work?"""

import json
import os
import signal
import sys

import click

from diagnose import checks, report
from diagnose.checks import Check
from eop.cli.output import DONE, FAILED, json_option, tell


@click.command()
@json_option
@click.option("--lines", is_flag=True, help="JSON Lines: each check as it ends, then the report.")
def diagnose(as_json: bool, lines: bool) -> int:
    """Check the ports, then what is behind them; exit 1 where something is wrong.

    One screen is opened, of a workstation that this command is itself; no student's is touched.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):  # what the self-test registered is removed
        signal.signal(ending, signal.default_int_handler)
    results = checks.run(_print if lines else checks.quietly)
    if lines:
        _line({"report": report.text(results, coloured=False)})
    else:
        coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        text = report.text(results, coloured=coloured)
        tell(report.value(results), text, as_json=as_json)
    return DONE if all(one.ok for one in results) else FAILED


def _print(check: Check) -> None:
    _line({"check": report.line(check)})


def _line(value: object) -> None:
    """One line, at once: whoever reads it waits for it."""
    click.echo(json.dumps(value, ensure_ascii=False))
    sys.stdout.flush()
