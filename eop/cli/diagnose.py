"""`eopctl diagnose`: is everything there, and does it work?"""

import sys

import click

from diagnose import checks, report
from eop.cli.output import DONE, FAILED, json_option, tell


@click.command()
@json_option
def diagnose(as_json: bool) -> int:
    """Check the ports, then what is behind them; exit 1 where something is wrong.

    One screen is opened, of a workstation that this command is itself; no student's is touched.
    """
    results = checks.run()
    text = report.text(results, coloured=sys.stdout.isatty())
    tell(report.value(results), text, as_json=as_json)
    return DONE if all(one.ok for one in results) else FAILED
