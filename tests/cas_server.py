"""A maintained CAS server in a process: PyPI's django-cas-server, with a page of ours for a form.

`python -m tests.cas_server --port 8000 --service REGEX --user camille:pw`, under /cas. Accounts and
tickets are in a database that ends with it.
"""

import argparse
import secrets
import signal
import sys
import tempfile
from pathlib import Path

# its own pages fetch styles and scripts from elsewhere
PAGES = {
    "login.html": """<!DOCTYPE html><title>CAS</title><h1>CAS</h1>
{% for message in messages %}<p role="alert">{{ message }}</p>{% endfor %}
<form method="post">{% csrf_token %}{{ form }}<button>Sign in</button></form>""",
    "logged.html": "<!DOCTYPE html><title>CAS</title><h1>Signed in</h1>",
    "logout.html": "<!DOCTYPE html><title>CAS</title><h1>Signed out</h1>{{ logout_msg }}",
}


def configure(folder: Path) -> None:
    """Django's settings: as its documentation has them, but for the pages."""
    from django.conf import settings

    settings.configure(
        SECRET_KEY=secrets.token_hex(32),
        ALLOWED_HOSTS=["localhost", "127.0.0.1"],
        ROOT_URLCONF="tests.cas_server",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "cas.db"}},
        INSTALLED_APPS=[
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
            "django.contrib.messages", "cas_server",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[{
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [
                ("django.template.loaders.locmem.Loader", PAGES),
                "django.template.loaders.app_directories.Loader",
            ]},
        }],
        CAS_LOGIN_TEMPLATE="login.html",
        CAS_LOGGED_TEMPLATE="logged.html",
        CAS_LOGOUT_TEMPLATE="logout.html",
        CAS_NEW_VERSION_HTML_WARNING=False,
        CAS_NEW_VERSION_EMAIL_WARNING=False,
    )  # fmt: skip


def fill(users: list[str], service: str) -> None:
    """The tables, the accounts, and the one service that may ask."""
    from cas_server.models import ServicePattern
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for one in users:
        login, password = one.split(":", 1)
        User.objects.create_user(login, password=password)
    ServicePattern.objects.create(name="EOP", pattern=service, single_log_out=True)


def serve(port: int) -> None:
    """Listen on loopback until SIGTERM."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Handler(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadedWSGIServer(("127.0.0.1", port), Handler)
    server.set_app(get_wsgi_application())
    print("ready", flush=True)
    server.serve_forever()


def main() -> None:
    import django

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--service", required=True, help="a regular expression of its addresses")
    parser.add_argument("--user", action="append", default=[], help="LOGIN:PASSWORD")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with tempfile.TemporaryDirectory(prefix="cas-", dir="/tmp") as folder:
        configure(Path(folder))
        django.setup()
        fill(given.user, given.service)
        serve(given.port)


if __name__ == "__main__":
    main()
else:  # as ROOT_URLCONF
    from django.urls import include, path

    urlpatterns = [path("cas/", include("cas_server.urls", namespace="cas_server"))]
