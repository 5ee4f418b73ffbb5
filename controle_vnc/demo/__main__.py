"""`python -m controle_vnc.demo`: a class of desktops to try EOP with.

When all of them run, `desktops.json` in the directory says where each is and its password.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import signal
from pathlib import Path

from controle_vnc import log
from controle_vnc.demo.desktop import (
    Desktop,
    missing_programs,
    new_password,
    remove_leftovers,
    write_private,
)
from controle_vnc.demo.drawn import DrawnDesktop

logger = logging.getLogger("controle_vnc.demo")

LIST = "desktops.json"
MAX_DESKTOPS = 60  # an Xvnc with its windows takes about 100 MiB
AT_ONCE = 4  # that many start together; more only make each wait
UP_SECONDS = 30.0  # whoever is not up by then is listed all the same: it may come later


def main() -> int:
    """Run until SIGTERM or SIGINT; with `--desktops 0`, only remove what a killed run left."""
    parser = argparse.ArgumentParser(prog="python -m controle_vnc.demo")
    parser.add_argument("--desktops", type=int, default=6)
    parser.add_argument("--directory", type=Path, required=True, help="for sockets; made if absent")
    parser.add_argument("--drawn", action="store_true", help="draw them even where Xvnc is there")
    options = parser.parse_args()
    if not 0 <= options.desktops <= MAX_DESKTOPS:
        parser.error(f"--desktops must be between 0 and {MAX_DESKTOPS}")
    log.setup("INFO")
    directory = options.directory.resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    passwords = known_passwords(directory / LIST)
    clean(directory)
    if options.desktops:
        missing = missing_programs()
        if missing:
            logger.warning("%s missing: desktops are drawn instead", ", ".join(missing))
        is_drawn = options.drawn or bool(missing)
        asyncio.run(run(options.desktops, directory, passwords, is_drawn))
        clean(directory)
    with contextlib.suppress(OSError):  # something else is kept there
        directory.rmdir()
    return 0


def known_passwords(path: Path) -> list[str]:
    """Those of the run before, so that a run after a crash is reached as before."""
    try:
        desktops = json.loads(path.read_text(encoding="utf-8"))["desktops"]
        return [str(desktop["password"] or new_password()) for desktop in desktops]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def clean(directory: Path) -> None:
    """Remove what desktops leave behind, killed ones included."""
    for record in directory.glob("d*.display"):
        remove_leftovers(record)
    for pattern in ("d*.sock", "demo-*.sock", "d*.passwd", "d*.cookie", "d*.xbm", "*.new", LIST):
        for path in directory.glob(pattern):
            path.unlink(missing_ok=True)


async def run(count: int, directory: Path, passwords: list[str], is_drawn: bool) -> None:
    """Keep `count` desktops alive until a signal asks to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    desktops: list[Desktop | DrawnDesktop] = [
        DrawnDesktop(number, directory)
        if is_drawn
        else Desktop(
            number, directory, passwords[number - 1] if number <= len(passwords) else new_password()
        )
        for number in range(1, count + 1)
    ]
    turns = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_in_turn(desktop, turns)) for desktop in desktops]
        tasks.append(group.create_task(_list(desktops, directory / LIST, is_drawn)))
        await stop.wait()
        for task in tasks:
            task.cancel()


async def _in_turn(desktop: Desktop | DrawnDesktop, turns: asyncio.Semaphore) -> None:
    async with asyncio.TaskGroup() as group, turns:
        group.create_task(desktop.run())
        await _up(desktop)


async def _up(desktop: Desktop | DrawnDesktop) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(UP_SECONDS):
            await desktop.is_up.wait()


async def _list(desktops: list[Desktop | DrawnDesktop], path: Path, is_drawn: bool) -> None:
    """Once all are up, or had their time, say where they are."""
    for desktop in desktops:
        await _up(desktop)
    listed = [
        {"address": f"unix:{desktop.socket}", "password": desktop.password} for desktop in desktops
    ]
    content = {"kind": "drawn" if is_drawn else "xvnc", "desktops": listed}
    write_private(path, json.dumps(content).encode())
    logger.info("%s desktops run", len(desktops))


if __name__ == "__main__":
    raise SystemExit(main())
