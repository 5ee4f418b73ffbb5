"""The Flask applications: the site, and the sign-in service at the root of the server."""

from dataclasses import replace
from typing import Any

from flask import Flask, g

from controle_vnc import settings as shared_settings
from eop import __version__, assets, headers, i18n, moments, pages, replies, services
from eop.aaa import (
    account_pages,
    code_routes,
    guard,
    membership,
    routes,
    sign_on_routes,
    step_pages,
    switches,
)
from eop.aaa import api as session_api
from eop.aaa.membership import Membership
from eop.aaa.policy import may
from eop.aaa.switches import Screens
from eop.actions import api as actions_api
from eop.administration import (
    health,
    import_pages,
    mail_page,
    people,
    policy,
    rooms,
    screens,
    sessions,
    settings_page,
    substitutes,
    workstation_import,
    workstations,
)
from eop.administration import pages as administration_pages
from eop.administration import rewind as administration_rewind
from eop.assistance import pages as assistance
from eop.audit import pages as audit_pages
from eop.documents import api as documents_api
from eop.documents import pages as document_pages
from eop.documents import student_api, student_pages, upload_api
from eop.lessons import api as lessons_api
from eop.lessons import pages as lesson_pages
from eop.lessons import shown as lessons
from eop.observation import api as observation_api
from eop.observation import pages as observation_pages
from eop.observation import rewind as rewind_api
from eop.observation import seating_api
from eop.passwords import pages as password_pages
from eop.rest import API_ROOT, SiteApi
from eop.services import Services
from eop.settings import SiteSettings

OWN = {"eop", "aaa"}
"""The members whose pages show EOP's functions."""


def create_site(site: SiteSettings, parts: Services | None = None) -> Flask:
    """Pages and API of EOP; the runner mounts it at `MOUNT_POINT`."""
    parts = parts or services.make(site, shared_settings.load())
    app = _create(membership.of_site(site), parts, "static")
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
        rewind_api.blueprint,
        seating_api.blueprint,
        actions_api.blueprint,
        lessons_api.blueprint,
        documents_api.blueprint,
        upload_api.blueprint,
        student_api.blueprint,
    ):
        api.register_blueprint(call_blueprint)
    app.register_blueprint(pages.blueprint)
    app.register_blueprint(assistance.blueprint)
    app.register_blueprint(observation_pages.blueprint)
    app.register_blueprint(lesson_pages.blueprint)
    app.register_blueprint(document_pages.blueprint)
    app.register_blueprint(student_pages.blueprint)
    for pages_of in (
        administration_pages,
        administration_rewind,
        audit_pages,
        import_pages,
        people,
        policy,
        screens,
        substitutes,
        rooms,
        workstation_import,
        workstations,
        sessions,
        settings_page,
        mail_page,
        health,
        password_pages,
    ):
        app.register_blueprint(pages_of.blueprint)
    return app


def create_root(parts: Services, *, is_alone: bool = False) -> Flask:
    """The sign-in service: /login, /logout, /account, /eoleauth, /ping."""
    app = _create(membership.of_root(parts.site, is_alone=is_alone), parts, None)
    if is_alone:
        app.config[assistance.STATEMENT] = assistance.DOOR_PATH
    for blueprint in (
        assistance.door,
        routes.blueprint,
        routes.root,
        routes.server,
        sign_on_routes.blueprint,
        step_pages.blueprint,
        account_pages.blueprint,
    ):
        app.register_blueprint(blueprint)
    return app


def create_server(parts: Services) -> Flask:
    """The root of a server whose sign-in service runs elsewhere."""
    app = _create(membership.of_root(parts.site, is_alone=False), parts, None)
    app.register_blueprint(routes.server)
    return app


def create_door(site: SiteSettings, parts: Services) -> Flask:
    """/login and /logout of an application with sessions of its own, below its mount point."""
    member = membership.of_site(site)
    app = _create(member, replace(parts, site=site), None)
    app.config[assistance.STATEMENT] = parts.site.MOUNT_POINT + assistance.PATH
    if member.aaa_url:
        app.register_blueprint(code_routes.blueprint)
        app.add_url_rule("/logout", view_func=routes.logout_page)
        app.add_url_rule("/logout", view_func=routes.logout_form, methods=["POST"])
    else:
        app.register_blueprint(routes.blueprint)
    return app


def create_files(parts: Services) -> Flask:
    """The site's own files alone, for a sign-in service without the site."""
    member = membership.of_root(parts.site, is_alone=True)
    return _create(member, parts, "static", static_url_path="")


def _create(
    member: Membership, parts: Services, static_folder: str | None, **options: Any
) -> Flask:
    """What all of them share: session, headers, errors, languages, templates."""
    app = Flask("eop", static_folder=static_folder, template_folder="templates", **options)
    app.name = member.name
    app.config["SECRET_KEY"] = parts.site.SESSION_KEY
    app.config[guard.OWN_PAGES] = True
    app.extensions[services.EXTENSION] = parts
    headers.init_app(app)  # first: a refusal by the guard carries them, too
    guard.limit_bodies(app)
    guard.init_app(app, member)
    replies.init_app(app)
    i18n.init_app(app)
    assets.init_app(app)
    app.jinja_env.globals.update(may=may, told=moments.told, told_end=moments.told_end)
    assistance.init_app(app, parts.site.MOUNT_POINT + assistance.PATH)
    app.context_processor(_globals)
    return app


def _screens_closed() -> Screens:
    """The switch of all screens, for the page that is made now."""
    with services.services().database.read() as connection:
        return switches.screens(connection)


def _has_lessons(member: membership.Membership) -> bool:
    """Whether pages show the lesson's bar: where the session is the site's, and it runs here."""
    parts = services.services()
    same_session = membership.of_site(parts.site).scope == member.scope
    return member.name in OWN and same_session and not parts.daemon.is_elsewhere


def _globals() -> dict[str, Any]:
    """What every template may use of this request."""
    member = membership.current()
    return {
        "mount_point": services.services().site.MOUNT_POINT,
        "home": member.home,
        "login_path": f"{member.door}/login",
        "logout_path": f"{member.door}/logout",
        "account_path": f"{member.aaa_url}/account",
        "label": services.services().site.LABEL,
        # at the door of another application our functions have no place
        "identity": g.get("identity") if member.name in OWN else None,
        "screens_closed": _screens_closed,
        "lesson_now": lessons.now if _has_lessons(member) else lambda: None,
        "colleagues_at": lessons.colleagues_at,
        "time_of_day": lessons.time_of_day,
        "csrf_token": g.get("csrf_token", ""),
        "nonce": g.get("nonce", ""),
    }
