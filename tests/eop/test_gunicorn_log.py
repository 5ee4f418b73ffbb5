"""What `test_wsgi` cannot bring a real gunicorn to: an application that fails outside Flask."""

import logging

from gunicorn.config import Config

from eop.gunicorn_log import Logger


def test_the_address_of_a_request_that_failed_comes_without_its_query(caplog):
    log = Logger(Config())
    log.error_log.addHandler(caplog.handler)
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        log.exception("Error handling request %s %s", "GET", "/login?next=secret")
    finally:
        logging.getLogger("gunicorn.error").handlers.clear()
    assert caplog.messages == ["Error handling request GET /login"]
