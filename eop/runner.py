"""The runner: reads what is enabled, mounts it, and puts the sign-in service at the root."""

import importlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from controle_vnc import settings as shared_settings
from controle_vnc.errors import SettingsError
from eop import application, services
from eop import settings as site_settings
from eop.aaa import membership
from eop.cookie_filter import ReadableCookies
from eop.errors import NoApplicationError
from eop.proxy import TrustedProxy
from eop.services import Services
from eop.settings import SiteSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

APPLICATIONS = {"eop": "eop:create_app"}
"""APPNAME → where its `create_app(settings, parts)` is; others name theirs (`FACTORY`)."""

PARTS = ("aaa", "eop")
"""What can be served alone: the sign-in service, or everything but that."""

DOOR_PATHS = {"/login", "/logout"}
CODE_PATH = "/session"  # where a sign-in service elsewhere sends browsers back to


def enabled(environ: Mapping[str, str] | None = None) -> dict[Path, SiteSettings]:
    """The settings of every enabled application, EOP's first.

    Raises `NoApplicationError`, `SettingsError`.
    """
    folder = site_settings.enabled_folder(environ)
    found = sorted(folder.glob("*.conf")) if folder.is_dir() else []
    if not found:
        raise NoApplicationError
    for link in found:
        if not link.exists():
            raise SettingsError(f"{link}: leads to {link.readlink()}, which is not there")
    others = [link for link in found if site_settings.is_other_application(link)]
    loaded: dict[Path, SiteSettings] = {}
    for link in found:
        if link not in others:
            site = site_settings.load(link, environ)
            if site.APPNAME not in APPLICATIONS:
                known = ", ".join(sorted(APPLICATIONS))
                raise SettingsError(
                    f"{link}: APPNAME {site.APPNAME!r} is not known; known: {known}; "
                    "another application must name its FACTORY"
                )
            _add(loaded, link, site)
    if not loaded:
        raise SettingsError(f"{found[0]}: cannot be alone; enable eop.conf, too: eopctl init")
    for link in others:
        _add(loaded, link, site_settings.load_application(link, next(iter(loaded.values()))))
    return loaded


def _add(loaded: dict[Path, SiteSettings], link: Path, site: SiteSettings) -> None:
    """One more application, whose place and sessions must be its own."""
    for other in loaded.values():
        if site.MOUNT_POINT == other.MOUNT_POINT:
            raise SettingsError(f"{link}: MOUNT_POINT {site.MOUNT_POINT} is taken")
        if site.APPNAME == other.APPNAME:
            raise SettingsError(f"{link}: APPNAME {site.APPNAME} is taken")
    if site.APPNAME == "aaa":
        raise SettingsError(f"{link}: APPNAME aaa is the sign-in service's")
    loaded[link] = site


def load(part: str = "", clock: Callable[[], float] = time.time) -> "WSGIApplication":
    """What is enabled, or `part` of it, as one WSGI application; the schema is checked."""
    sites = list(enabled().values())
    parts = services.make(sites[0], shared_settings.load(), clock, has_daemon=part != "aaa")
    parts.database.check()
    return compose(sites, parts, part)


def compose(sites: list[SiteSettings], parts: Services, part: str = "") -> "WSGIApplication":
    """Mount applications that share one sign-in service."""
    if part == "aaa":
        mounts: dict[str, WSGIApplication] = {parts.files: application.create_files(parts)}
    else:
        mounts = {site.MOUNT_POINT: _mounted(site, parts) for site in sites}
    if part == "eop":
        root = application.create_server(parts)
    else:
        root = application.create_root(parts, is_alone=part == "aaa")
    server = ReadableCookies(DispatcherMiddleware(root, mounts))
    return TrustedProxy(server, parts.site.TRUSTED_PROXIES)


def _mounted(site: SiteSettings, parts: Services) -> "WSGIApplication":
    """An application, with a door before it where it has sessions of its own."""
    made: WSGIApplication = _factory(site)(site, replace(parts, site=site))
    member = membership.of_site(site)
    if not member.scope:
        return made
    door = application.create_door(site, parts)
    taken = {*DOOR_PATHS, CODE_PATH} if member.aaa_url else DOOR_PATHS

    def enter(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_door = environ.get("PATH_INFO", "") in taken
        return (door if is_door else made)(environ, start_response)

    return enter


def _factory(site: SiteSettings) -> Callable[[SiteSettings, Services], Any]:
    module, _, attribute = (site.FACTORY or APPLICATIONS[site.APPNAME]).partition(":")
    try:
        factory: Callable[[SiteSettings, Services], Any] = getattr(
            importlib.import_module(module), attribute
        )
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"FACTORY of {site.APPNAME}: {site.FACTORY}: {error}") from error
    return factory
