"""gunicorn's logs: one line a request, without a word of its sender beyond method and path."""

from typing import Any
from urllib.parse import quote

from gunicorn import glogging


class Logger(glogging.Logger):
    """Writes paths as they came, percent-encoded: decoded, one could begin a line of its own."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> Any:
        """What the format of the access log may name; `U` is the whole path, mount point too."""
        atoms: Any = super().atoms(resp, req, environ, request_time)  # type: ignore[no-untyped-call]
        path = environ.get("SCRIPT_NAME", "") + (environ.get("PATH_INFO") or "")
        atoms["U"] = quote(path, encoding="latin-1", errors="replace")
        atoms["h"] = quote(atoms["h"], safe=":")
        return atoms

    def warning(self, msg: str, *args: object, **options: Any) -> None:
        """Of a request that cannot be read: from whom and why, not the line with its query."""
        if msg.startswith("Invalid request from"):
            msg = ": ".join(msg.split(": ")[:2])
        self.error_log.warning(msg, *args, **options)

    def exception(self, msg: str, *args: object, **options: Any) -> None:
        """The address of a request that failed comes without its query."""
        plain = [str(one).partition("?")[0] for one in args]
        self.error_log.exception(msg, *plain, **options)
