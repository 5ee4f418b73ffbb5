"""`eopctl policy`: why someone may do something, or not."""

import time

import click

from eop.cli.output import FAILED, json_option, tell
from eop.cli.site import open_daemon, open_database


@click.group()
def policy() -> None:
    """Who may do what, and why."""


@policy.command()
@click.argument("user")
@click.argument("action")
@click.argument("target", default="")
@json_option
@click.pass_context
def explain(ctx: click.Context, user: str, action: str, target: str, as_json: bool) -> None:
    """Say whether USER may do ACTION to TARGET, and which grant or rule says so.

    TARGET is room:S12, class:3eB or workstation:pc-01 (name or id). Exit codes: 0 allowed,
    1 denied, 2 no answer (an unknown name, or controle-vnc does not answer).
    """
    from eop.aaa import sentences
    from eop.aaa.explain import Question, described
    from eop.aaa.explain import explain as explained
    from eop.errors import EopError

    now_ms = int(time.time() * 1000)
    try:
        with open_database() as (database, _), open_daemon() as daemon:
            answer = explained(database, daemon, Question(user, action, target), now_ms)
    except EopError as error:
        raise click.UsageError(str(error)) from error
    sentence = sentences.reason(answer.decision)
    word = "allowed" if answer.decision.allowed else "denied"
    text = f"{word} ({answer.decision.reason}): {sentence}"
    tell(described(answer, sentence), text, as_json=as_json)
    if not answer.decision.allowed:
        ctx.exit(FAILED)
