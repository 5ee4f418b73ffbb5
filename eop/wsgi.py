"""What gunicorn loads: `eop.wsgi:application` is everything that is enabled.

`eop.wsgi:root` is the sign-in service alone, `eop.wsgi:site` everything but that.
"""

from typing import Any

from controle_vnc import log
from controle_vnc import settings as shared_settings
from eop import runner
from eop import settings as site_settings

PARTS = {"application": "", "root": "aaa", "site": "eop"}


def __getattr__(name: str) -> Any:
    """Make what is asked for, when it is."""
    if name not in PARTS:
        raise AttributeError(name)
    is_debug = any(site.DEBUG.upper() == "TRUE" for site in runner.enabled().values())
    log.setup(
        "DEBUG" if is_debug else shared_settings.load().LOG_LEVEL,
        site_settings.log_folder() / "eop.log",
    )
    return runner.load(PARTS[name])
