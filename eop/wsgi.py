"""What gunicorn loads: `eop.wsgi:application`."""

from controle_vnc import log
from controle_vnc import settings as shared_settings
from eop import runner
from eop import settings as site_settings

_debug = any(site.DEBUG.upper() == "TRUE" for site in runner.enabled().values())
log.setup(
    "DEBUG" if _debug else shared_settings.load().LOG_LEVEL,
    site_settings.log_folder() / "eop.log",
)

application = runner.load()
