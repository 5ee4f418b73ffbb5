"""Addresses of the site's own files for templates: `asset("eop.css")`, and noVNC's hashed name."""

import json
from functools import cache
from pathlib import Path
from urllib.parse import quote

from flask import Flask

from eop.errors import EopError
from eop.services import services

STATIC = Path(__file__).parent / "static"
MANIFEST = STATIC / "dist/manifest.json"


class NotBuiltError(EopError):
    """The browser's part was not built."""


def init_app(app: Flask) -> None:
    """Give templates `asset`."""
    app.jinja_env.globals["asset"] = asset


def asset(name: str) -> str:
    """The address of a file below `static/`; `novnc.js` is the built bundle."""
    path = f"dist/{built(MANIFEST)[name]}" if name == "novnc.js" else name
    return f"{services().files}/{quote(path)}"


@cache
def built(manifest: Path) -> dict[str, str]:
    """What the build made: plain name → hashed name. Raises `NotBuiltError`."""
    try:
        names = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotBuiltError(
            f"{manifest}: cannot be read; run `npm ci && node build.mjs` in eop/frontend"
        ) from error
    return {str(plain): str(hashed) for plain, hashed in names.items()}
