"""`eop-agent`: says that there is no agent yet."""

import sys


def main() -> int:
    """Say so in one sentence; 2: nothing was done."""
    sys.stderr.write(
        "eop-agent: this release has no workstation agent yet; "
        "EOP reaches workstations through their own VNC server.\n"
    )
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
