"""The runner: reads what is enabled, mounts it, and puts the sign-in service at the root."""

import importlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from controle_vnc import settings as shared_settings
from controle_vnc.errors import SettingsError
from eop import application, services
from eop import settings as site_settings
from eop.errors import NoApplicationError
from eop.proxy import TrustedProxy
from eop.services import Services
from eop.settings import SiteSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

APPLICATIONS = {"eop": "eop:create_app"}
"""APPNAME → where its `create_app(settings, parts)` is."""


def enabled(environ: Mapping[str, str] | None = None) -> dict[Path, SiteSettings]:
    """The settings of every enabled application; raises `NoApplicationError`, `SettingsError`."""
    folder = site_settings.enabled_folder(environ)
    found = sorted(folder.glob("*.conf")) if folder.is_dir() else []
    if not found:
        raise NoApplicationError
    loaded: dict[Path, SiteSettings] = {}
    for link in found:
        if not link.exists():
            raise SettingsError(f"{link}: leads to {link.readlink()}, which is not there")
        site = site_settings.load(link, environ)
        if site.APPNAME not in APPLICATIONS:
            known = ", ".join(sorted(APPLICATIONS))
            raise SettingsError(f"{link}: APPNAME {site.APPNAME!r} is not known; known: {known}")
        if any(site.MOUNT_POINT == other.MOUNT_POINT for other in loaded.values()):
            raise SettingsError(f"{link}: MOUNT_POINT {site.MOUNT_POINT} is taken")
        loaded[link] = site
    return loaded


def load(clock: Callable[[], float] = time.time) -> "WSGIApplication":
    """Everything that is enabled, as one WSGI application; the schema is checked."""
    sites = list(enabled().values())
    parts = services.make(sites[0], shared_settings.load(), clock)
    parts.database.check()
    return compose(sites, parts)


def compose(sites: list[SiteSettings], parts: Services) -> "WSGIApplication":
    """Mount applications that share one sign-in service."""
    mounts = {site.MOUNT_POINT: _factory(site.APPNAME)(site, parts) for site in sites}
    root = application.create_root(parts)
    return TrustedProxy(DispatcherMiddleware(root, mounts), parts.site.TRUSTED_PROXIES)


def _factory(name: str) -> Callable[[SiteSettings, Services], Any]:
    module, _, attribute = APPLICATIONS[name].partition(":")
    factory: Callable[[SiteSettings, Services], Any] = getattr(
        importlib.import_module(module), attribute
    )
    return factory
