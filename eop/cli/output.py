"""How every command speaks: text or JSON, sentences on standard error, stable exit codes."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from controle_vnc.errors import ControleVncError
from eop.errors import EopError

DONE, FAILED, USAGE, PARTIAL = 0, 1, 2, 3
MAX_PASSWORD_FILE_BYTES = 4096  # one line; a larger file is the wrong one

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """`--json`: one JSON value on standard output instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(command)


def tell(value: Any, text: str, *, as_json: bool) -> None:
    """Print the result: `value` for machines, or `text` for people."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2) if as_json else text)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Rows under their heads, columns as wide as needed; hostile names stay on their line."""
    clean = [heads, *([_printable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in clean) for column in range(len(heads))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in clean
    )
    return "\n".join(lines)


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def read_password(path: Path) -> str:
    """The first line of a password file; raises a usage error that names the file."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PASSWORD_FILE_BYTES + 1)
        text = data.decode()
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{path}: not UTF-8") from error
    if len(data) > MAX_PASSWORD_FILE_BYTES:
        raise click.UsageError(f"{path}: larger than {MAX_PASSWORD_FILE_BYTES} bytes")
    password = text.split("\n", 1)[0].rstrip("\r")
    if not password:
        raise click.UsageError(f"{path}: its first line is empty")
    return password


def run(command: click.Command, arguments: list[str] | None = None) -> None:
    """Run a command and exit; an error of ours is a sentence and exit code 1, never a trace."""
    asked = sys.argv[1:] if arguments is None else arguments
    try:
        code = command.main(args=asked, prog_name="eopctl", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from error
    except click.Abort as error:
        raise SystemExit(FAILED) from error
    except (EopError, ControleVncError, OSError) as error:
        if "--json" in asked:
            click.echo(json.dumps({"error": {"message": str(error)}}, ensure_ascii=False))
        click.echo(f"eopctl: {error}", err=True)
        raise SystemExit(FAILED) from error
    raise SystemExit(code if isinstance(code, int) else DONE)
