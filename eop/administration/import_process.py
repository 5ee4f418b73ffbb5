"""`python -m eop.administration.import_process NUMBER`: carries out one import of the queue."""

import os
import sys

from controle_vnc import log
from controle_vnc import settings as shared_settings
from controle_vnc.errors import SettingsError
from eop import runner, services
from eop import settings as site_settings
from eop.administration import import_run
from eop.administration.import_clock import DEADLINE_SECONDS
from eop.errors import EopError

NICENESS = 5  # sign-ins come first


def main(arguments: list[str]) -> int:
    """Carry out the queued run of that number; how it went is kept with it."""
    if len(arguments) != 1 or not arguments[0].isdecimal():
        sys.stderr.write("usage: python -m eop.administration.import_process NUMBER\n")
        return 2
    os.nice(NICENESS)
    try:
        shared = shared_settings.load()
        site = next(iter(runner.enabled().values()))
        log.setup(shared.LOG_LEVEL, site_settings.log_folder() / "eop.log")
        parts = services.make(site, shared)
        parts.database.check()
        import_run.run_queued(parts, int(arguments[0]), DEADLINE_SECONDS)
        parts.close()
    except (SettingsError, EopError) as error:
        sys.stderr.write(f"eop-import: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
