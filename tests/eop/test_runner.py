import json

import pytest

from controle_vnc.errors import SettingsError
from eop import runner
from eop.errors import NoApplicationError, SchemaError
from eop.settings import available_folder, enabled_folder


def test_without_a_link_no_application_is_loaded(quiet):
    (enabled_folder() / "eop.conf").unlink()
    with pytest.raises(NoApplicationError) as raised:
        runner.load()
    assert str(raised.value) == "No application loaded"
    enabled_folder().rmdir()
    with pytest.raises(NoApplicationError):
        runner.enabled()


def test_a_link_that_leads_nowhere_is_named(quiet):
    (available_folder() / "eop.conf").unlink()
    with pytest.raises(SettingsError, match="which is not there"):
        runner.enabled()


def test_an_application_nobody_knows_is_named(quiet):
    path = available_folder() / "eop.conf"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"APPNAME": "genconfig"}))
    with pytest.raises(SettingsError, match="genconfig"):
        runner.enabled()


def test_two_applications_cannot_live_at_one_path(quiet):
    (enabled_folder() / "other.conf").symlink_to(available_folder() / "eop.conf")
    with pytest.raises(SettingsError, match="is taken"):
        runner.enabled()


def test_an_old_database_refuses_to_start_and_names_the_remedy(quiet):
    (quiet.home / "var/lib/eop/eop.db").unlink()
    quiet.parts.close()
    with pytest.raises(SchemaError, match="eopctl db upgrade"):
        runner.load()


def test_another_mount_point_moves_pages_api_and_files(quiet, monkeypatch):
    from werkzeug.test import Client

    monkeypatch.setenv("EOP_MOUNT_POINT", "/school/eop")
    client = Client(runner.load())
    assert client.get("/school/eop/").headers["Location"] == "/login?next=/school/eop/"
    assert client.get("/school/eop/api/v1/openapi.json", buffered=True).status_code == 200
    assert client.get("/eoleapps/eop/").status_code == 404
    assert client.get("/").headers["Location"] == "/school/eop/"
