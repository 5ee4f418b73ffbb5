"""What every benchmark does with its figures: options, tables on the screen, JSON in a folder."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.stack import ROOT as PRODUCT

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "var/bench"
PARTS = ("--", "eop", "controle_vnc")  # of the product, whose changes since the commit matter


@dataclass
class Table:
    """A table of strings; the first row names the columns."""

    title: str
    rows: list[list[str]]

    def text(self) -> str:
        widths = [max(len(row[i]) for row in self.rows) for i in range(len(self.rows[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in self.rows
        ]
        return "\n".join([self.title, *("  " + line for line in lines)])

    def markdown(self) -> str:
        head, *rest = ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([head, "|" + "---|" * len(self.rows[0]), *rest])


def figure(value: float | None, unit: str = "") -> str:
    """Three significant digits, which is more than these figures deserve."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}{' ' if unit else ''}{unit}"


def median(values: Iterable[float | None]) -> float | None:
    """The median of what was measured; `None` where nothing was."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def percentile(values: list[float], part: float) -> float | None:
    """The value below which `part` of `values` lie."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else None


def machine() -> dict[str, str]:
    """What was measured, and on what."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=PRODUCT, capture_output=True, text=True
    ).stdout.strip()
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", *PARTS], cwd=PRODUCT).returncode
    cores = len([d for d in Path("/sys/devices/system/cpu").glob("cpu[0-9]*")])
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{cores} virtual cores ({model})",
        "python": platform.python_version(),
        "commit": f"{commit} with changes" if changed else commit,
    }


def options(document: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=document.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--quick", action="store_true", help="only see that it runs, in seconds")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the JSON file")
    return parser


def publish(
    name: str,
    chosen: argparse.Namespace,
    figures: dict,
    tables: Callable[[dict], list[Table]],
) -> None:
    """Write `figures` to `NAME.json` and print them."""
    load = os.getloadavg()[1]  # of five minutes: whether others worked on the machine, too
    figures = {"name": name, "quick": chosen.quick, "load": load, **machine(), **figures}
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
    if chosen.json:
        print(json.dumps(figures))
        return
    for table in tables(figures):
        print("\n" + table.text(), flush=True)
