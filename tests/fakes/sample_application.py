"""A small application beside EOP, as somebody else would write it: a page, a form, a right."""

from flask import Flask, render_template_string

from eop.aaa import client

PAGE = """<!doctype html><title>Lending library</title>
<p id="who">{{ who.name }} ({{ who.login }})</p>
<form method="post" action="{{ request.script_root }}/borrow">
<input type="hidden" name="csrf_token" value="{{ csrf_token }}"><button>Borrow</button></form>
"""


def create_app(site, parts):
    """What the runner calls with this application's settings."""
    app = Flask("sample")
    client.init_app(app, site, parts)

    @app.get("/")
    @client.required
    def home():
        return render_template_string(PAGE, who=client.who(), csrf_token=client.csrf_token())

    @app.post("/borrow")
    @client.required
    def borrow():
        return f"borrowed by {client.who().login}"

    @app.get("/shelves")
    @client.required("administer")
    def shelves():
        return "the shelves"

    @app.get("/open")
    def open_to_all():
        return "open"

    @app.get("/session")
    @app.get("/login/help")
    def of_its_own():
        return "its own page"

    return app
