"""All benchmarks one after the other: `make bench`, a quarter of an hour; `--quick` under one.

Each writes its figures to `var/bench/NAME.json` (`--out` for another folder); all of them together
are in `bench.json`. `python -m tests.bench.document` then puts the tables into
docs/performance.md.
"""

import json
import subprocess
import sys
import time

from tests.bench import report

PROGRAMS = (
    "demonstration", "relay", "wall40", "veyon", "broadcast", "growth", "sign_in", "audit",
    "people", "console", "documents", "distribution",
)  # fmt: skip


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--only", default=",".join(PROGRAMS))
    chosen = parser.parse_args()
    names = [name for name in PROGRAMS if name in chosen.only.split(",")]
    failed: list[str] = []
    results: dict[str, dict] = {}
    for name in names:
        began = time.time()
        command = [sys.executable, "-m", f"tests.bench.{name}", "--out", str(chosen.out)]
        command += ["--quick"] * chosen.quick + ["--json"] * chosen.json
        file = chosen.out / f"{name}.json"
        if subprocess.run(command).returncode:
            failed.append(name)
        elif file.exists() and file.stat().st_mtime >= began:  # else it could not measure here
            results[name] = json.loads(file.read_text())
        sys.stderr.write(f"{name}: {time.time() - began:.0f} s\n")
    (chosen.out / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
