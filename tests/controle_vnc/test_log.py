import logging

import pytest
import structlog

from controle_vnc import log
from controle_vnc.errors import SettingsError


@pytest.fixture
def file(tmp_path):
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    log.setup("INFO", tmp_path / "logs/main.log")
    yield tmp_path / "logs/main.log"
    for handler in root.handlers:
        handler.close()
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_goes_to_the_file_and_to_standard_error(file, capsys):
    logging.getLogger("controle_vnc.x").warning("seen %s", "once")
    assert "WARNING controle_vnc.x: seen once" in file.read_text()


def test_lower_levels_are_left_out(file):
    logging.getLogger("controle_vnc.x").debug("too much")
    assert file.read_text() == ""


def test_a_hostile_name_cannot_begin_another_line(file):
    logging.getLogger("controle_vnc.x").info("name %s", "a\n2026 INFO forged\x1b[31m")
    assert len(file.read_text().splitlines()) == 1
    assert "\x1b" not in file.read_text()


def test_what_is_secret_by_its_name_is_hidden(file):
    logging.getLogger("controle_vnc.x").info("hello", extra={"ticket": "abc", "user": "lea"})
    structlog.get_logger("y").info("hello", password="pw1234")
    text = file.read_text()
    assert "abc" not in text
    assert "pw1234" not in text
    assert "user=lea" in text


def test_an_exception_keeps_its_trace(file):
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError:
        logging.getLogger("controle_vnc.x").exception("failed")
    assert "ZeroDivisionError: by nothing" in file.read_text()


def test_an_unknown_level_is_refused():
    with pytest.raises(SettingsError, match="LOG_LEVEL"):
        log.setup("LOUD")


def test_a_log_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        log.setup("INFO", tmp_path / "file/main.log")
