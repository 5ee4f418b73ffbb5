"""`python -m controle_vnc`: the daemon as a program; with `init`, its key and its database."""

import asyncio
import contextlib
import gc
import logging
import sys
from collections.abc import Callable

from controle_vnc import log, settings
from controle_vnc.errors import CannotListenError, SettingsError

logger = logging.getLogger("controle_vnc")

# Rectangles are made by the thousand and go by counting references; looking through all else for
# rings among them is work for nothing.
YOUNG_OBJECTS = 20_000  # before the next look; a few MiB where all of them were rings


def main(arguments: list[str]) -> int:
    """2 where settings, secret or database are wrong, 1 where the port is taken."""
    if arguments not in ([], ["init"]):
        sys.stderr.write("usage: python -m controle_vnc [init]\n")
        return 2
    try:
        chosen = settings.load()
        if arguments:
            return _init(chosen)
        log.setup(chosen.LOG_LEVEL, chosen.log_file)
        return _serve(chosen)
    except SettingsError as error:
        sys.stderr.write(f"controle-vnc: {error}\n")
        return 2


def _serve(chosen: settings.Settings) -> int:
    from controle_vnc.daemon import serve  # here: `init` needs none of it

    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(serve(chosen))
    except CannotListenError as error:
        logger.error("%s", error)  # noqa: TRY400
        return 1
    return 0


def _init(chosen: settings.Settings) -> int:
    """Make the key of the passwords where there is none, and bring the database up to date."""
    from controle_vnc import store

    store.make_key(chosen.store_key_file)
    store.upgrade(chosen.store_file)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
