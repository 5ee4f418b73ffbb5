"""Whether an administrator has closed all screens; kept on disk, so that a restart opens none."""

import json
import logging
import threading
from pathlib import Path

logger = logging.getLogger(__name__)

MAX_FILE_BYTES = 256  # ours have about 40


class Switch:
    """The newest order of the site. What cannot be read counts as closed, until the site says."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.closed, self.at = self._read()

    def turn(self, closed: bool, at: int) -> bool:
        """Take an order given at `at` (ms since 1970); False for one that is older or known."""
        if at < self.at or (closed, at) == (self.closed, self.at):
            return False
        self.closed, self.at = closed, at
        return True

    def keep(self) -> None:
        """Write the state to disk. Blocking, safe between threads; a failure is logged.

        The site repeats its order every second, so one that was not kept is known again soon.
        """
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        with self._lock:
            try:
                new.write_text(json.dumps({"closed": self.closed, "at": self.at}))
                new.replace(self._path)
            except OSError as error:
                logger.error("the switch of all screens is not kept: %s", error)

    def _read(self) -> tuple[bool, int]:
        if self._path is None or not self._path.exists():
            return False, 0
        try:
            with self._path.open("rb") as file:
                kept = json.loads(file.read(MAX_FILE_BYTES))
            closed, at = kept["closed"], kept["at"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.error("%s cannot be read, all screens are closed: %s", self._path, error)
            return True, 0
        if not isinstance(closed, bool) or not isinstance(at, int):
            logger.error("%s says nothing of use, all screens are closed", self._path)
            return True, 0
        return closed, at
