"""All benchmarks one after the other: `make bench`, about ten minutes; `--quick` under one.

Each writes its figures to `var/bench/NAME.json` (`--out` for another folder); all of them together
are in `bench.json`. `python -m tests.bench.document` then puts the tables into
docs/performance.md.
"""

import json
import subprocess
import sys
import time

from tests.bench import report

PROGRAMS = ("relay", "wall40", "broadcast", "growth")


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--only", default=",".join(PROGRAMS))
    chosen = parser.parse_args()
    names = [name for name in PROGRAMS if name in chosen.only.split(",")]
    failed = []
    for name in names:
        began = time.monotonic()
        command = [sys.executable, "-m", f"tests.bench.{name}", "--out", str(chosen.out)]
        command += ["--quick"] * chosen.quick + ["--json"] * chosen.json
        if subprocess.run(command).returncode:
            failed.append(name)
        sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")
    there = [name for name in names if name not in failed]
    results = {name: json.loads((chosen.out / f"{name}.json").read_text()) for name in there}
    (chosen.out / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
