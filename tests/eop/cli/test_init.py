import json

import pytest

from eop.cli.init import initialise


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("EOP_HOME", str(tmp_path))
    return tmp_path


def mode(path):
    return path.stat().st_mode & 0o777


def test_everything_a_start_needs_is_made(eopctl, home):
    done = eopctl("init", "--json")
    assert done.code == 0
    conf = home / "etc/eole/flask/available/eop.conf"
    link = home / "etc/eole/flask/enabled/eop.conf"
    assert link.is_symlink()
    assert link.resolve() == conf
    assert str(conf) in done.json["made"]
    assert mode(conf) == 0o600
    assert mode(home / "etc/controlevnc/.secret") == 0o640
    assert mode(home / "etc/controlevnc/.store-key") == 0o600
    assert mode(home / "run/controle-vnc") == 0o700
    secret = (home / "etc/controlevnc/.secret").read_text().strip()
    assert json.loads(conf.read_text())["SECRET_KEY"] == secret
    assert secret not in done.out + done.err
    assert '"MOUNT_POINT": "/eoleapps/eop",\n' in conf.read_text()


def test_a_second_time_nothing_is_made_and_nothing_changes(eopctl, home):
    eopctl("init")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    done = eopctl("init")
    assert "there already" in done.out
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_the_secret_of_an_old_conf_is_kept_and_the_session_key_added(home):
    available = home / "etc/eole/flask/available"
    available.mkdir(parents=True)
    old = {"APPNAME": "eop", "SECRET_KEY": "an old secret of the school", "LABEL": "Outils"}
    (available / "eop.conf").write_text(json.dumps(old))
    initialise({"EOP_HOME": str(home)})
    assert (home / "etc/controlevnc/.secret").read_text() == "an old secret of the school\n"
    values = json.loads((available / "eop.conf").read_text())
    assert values["LABEL"] == "Outils"
    assert len(values["SESSION_KEY"]) > 32
    assert mode(available / "eop.conf") == 0o600


def test_two_secrets_that_differ_are_not_overwritten(eopctl, home):
    eopctl("init")
    (home / "etc/controlevnc/.secret").write_text("a secret from elsewhere\n")
    done = eopctl("init")
    assert done.code == 1
    assert "the secrets differ" in done.err
