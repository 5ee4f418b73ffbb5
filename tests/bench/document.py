"""Puts the tables and charts of the last `make bench` into docs/performance.md.

`python -m tests.bench.document [--results var/bench]`: what stands between `<!-- NAME -->` and
`<!-- /NAME -->` is replaced, for each NAME.json that is there and was not a quick run.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path

from tests.bench import (
    audit,
    broadcast,
    console,
    demonstration,
    distribution,
    documents,
    growth,
    people,
    relay,
    sign_in,
    veyon,
    wall40,
)
from tests.bench.report import RESULTS, ROOT

TABLES = {
    "demonstration": demonstration.tables,
    "relay": relay.tables,
    "wall40": wall40.tables,
    "veyon": veyon.tables,
    "broadcast": broadcast.tables,
    "growth": growth.tables,
    "sign_in": sign_in.tables,
    "audit": audit.tables,
    "people": people.tables,
    "console": console.tables,
    "documents": documents.tables,
    "distribution": distribution.tables,
}
DOCUMENT = ROOT / "docs/performance.md"
PICTURES = ROOT / "docs/pictures"


def section(figures: dict) -> str:
    """What was measured on what, and the tables."""
    where = (
        f"{figures['date']}, {figures['machine']}, Python {figures['python']}, commit "
        f"{figures['commit']}, load of the machine {figures['load']:.1f}."
    )
    parts = [where]
    for table in TABLES[figures["name"]](figures):
        parts += [f"**{table.title.split(': ', 1)[1]}**", table.markdown()]
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    results = parser.parse_args().results
    text = DOCUMENT.read_text(encoding="utf-8")
    for name in TABLES:
        file = results / f"{name}.json"
        figures = json.loads(file.read_text()) if file.exists() else {"quick": True}
        if figures["quick"]:
            sys.stderr.write(f"{name}: no figures in {results}\n")
            continue
        new = f"<!-- {name} -->\n{section(figures)}\n<!-- /{name} -->"
        pattern = re.compile(f"<!-- {name} -->.*<!-- /{name} -->", re.DOTALL)
        text, count = pattern.subn(lambda _, new=new: new, text)
        assert count == 1, f"{DOCUMENT} has no place for {name}"
    DOCUMENT.write_text(text, encoding="utf-8")
    if (chart := results / "growth.svg").exists():
        PICTURES.mkdir(exist_ok=True)
        shutil.copy(chart, PICTURES / "growth.svg")


if __name__ == "__main__":
    main()
