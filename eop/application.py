"""The two Flask applications: the site, and the sign-in service at the root of the server."""

from typing import Any

from flask import Flask, g

from controle_vnc import settings as shared_settings
from eop import __version__, assets, headers, i18n, pages, replies, services
from eop.aaa import api as session_api
from eop.aaa import guard, routes
from eop.aaa.policy import may
from eop.actions import api as actions_api
from eop.administration import import_pages
from eop.administration import pages as administration_pages
from eop.observation import api as observation_api
from eop.observation import pages as observation_pages
from eop.rest import API_ROOT, SiteApi
from eop.services import Services
from eop.settings import SiteSettings


def create_site(site: SiteSettings, parts: Services | None = None) -> Flask:
    """Pages and API of EOP; the runner mounts it at `MOUNT_POINT`."""
    app = _create("eop", parts or services.make(site, shared_settings.load()), "static")
    app.config.update(
        API_TITLE="EOP",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=API_ROOT,
        OPENAPI_JSON_PATH="openapi.json",
    )
    make_api: Any = SiteApi
    api = make_api(app, spec_kwargs={"servers": [{"url": site.MOUNT_POINT}]})
    for call_blueprint in (
        session_api.blueprint,
        observation_api.blueprint,
        actions_api.blueprint,
    ):
        api.register_blueprint(call_blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(observation_pages.blueprint)
    app.register_blueprint(administration_pages.blueprint)
    app.register_blueprint(import_pages.blueprint)
    return app


def create_root(parts: Services) -> Flask:
    """The sign-in service: /login, /logout, /eoleauth, /ping."""
    app = _create("eop.aaa", parts, None)
    app.register_blueprint(routes.blueprint)
    return app


def _create(name: str, parts: Services, static_folder: str | None) -> Flask:
    """What both applications share: session, headers, errors, languages, templates."""
    app = Flask("eop", static_folder=static_folder, template_folder="templates")
    app.name = name
    app.config["SECRET_KEY"] = parts.site.SESSION_KEY
    app.extensions[services.EXTENSION] = parts
    headers.init_app(app)  # first: a refusal by the guard carries them, too
    guard.init_app(app)
    replies.init_app(app)
    i18n.init_app(app)
    assets.init_app(app)
    app.jinja_env.globals["may"] = may
    app.context_processor(_globals)
    return app


def _globals() -> dict[str, Any]:
    """What every template may use of this request."""
    return {
        "mount_point": services.services().site.MOUNT_POINT,
        "label": services.services().site.LABEL,
        "identity": g.get("identity"),
        "csrf_token": g.get("csrf_token", ""),
        "nonce": g.get("nonce", ""),
    }
