"""gunicorn's settings: `gunicorn -c python:eop.gunicorn_conf eop.wsgi:application`."""

import time
from pathlib import Path
from typing import NoReturn

from controle_vnc import settings as shared_settings
from controle_vnc.errors import SettingsError
from eop import runner
from eop import settings as site_settings
from eop.errors import NoApplicationError

_logs = site_settings.log_folder()
_logs.mkdir(parents=True, exist_ok=True)


def _stop(error: Exception) -> NoReturn:
    """Say why where people look, in the log and on the console; gunicorn would name no error."""
    sentence = f"{type(error).__name__}: {error}"
    with (_logs / "gunicorn-error.log").open("a", encoding="utf-8") as log:
        log.write(f"[{time.strftime('%Y-%m-%d %H:%M:%S %z')}] [ERROR] {sentence}\n")
    raise SystemExit(sentence) from error


try:
    _shared = shared_settings.load()
    _site = next(iter(runner.enabled().values()))
except (NoApplicationError, SettingsError) as error:
    _stop(error)

bind = f"{_shared.WEB_HOST}:{_shared.WEB_PORT}"
proc_name = "eop"
worker_class = "eop.gunicorn_worker.PunctualWorker"
workers = 1  # one is enough: no long connection, and no pixel, passes here
threads = _site.WEB_THREADS
timeout = 60
graceful_timeout = 5
keepalive = 5
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

control_socket_disable = True  # it would lie in the user's home, outside the installation

limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 32768  # the cookies of every neighbour on this host come as one field

# `eop.proxy` alone decides whose X-Forwarded headers count
forwarded_allow_ips = ""
forwarder_headers = ""

accesslog = str(_logs / "gunicorn-access.log")
errorlog = str(_logs / "gunicorn-error.log")
# the path without its query, and no referrer: neither may hold what a form or a link carried
logger_class = "eop.gunicorn_log.Logger"
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms'
capture_output = False
