"""The README's tables of settings, made from the declarations: `python -m tests.settings_table`."""

import re
from dataclasses import MISSING, fields
from importlib import import_module
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
TABLE = re.compile(r"<!-- settings: (\S+) -->\n(.*?)(?=\n#|\Z)", re.DOTALL)


def table(name: str) -> str:
    """The Markdown table of a settings class, one row a setting."""
    module, _, kind = name.rpartition(".")
    rows = ["| setting | default | what it does |", "|---|---|---|"]
    for entry in fields(getattr(import_module(module), kind)):
        default = entry.default
        if default is MISSING:
            default = entry.default_factory() if entry.default_factory is not MISSING else "–"
        if isinstance(default, list):
            default = ", ".join(default)
        if isinstance(default, bool):
            default = "yes" if default else "no"
        shown = (
            f"`{default}`" if str(default) not in {"", "–"} else "–" if default == "–" else "empty"
        )
        rows.append(f"| `{entry.name}` | {shown} | {entry.metadata['sentence']} |")
    return "\n".join(rows) + "\n"


def with_tables(text: str) -> str:
    """`text` with every marked table as the declarations have it."""
    return TABLE.sub(lambda match: f"<!-- settings: {match[1]} -->\n\n{table(match[1])}", text)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
