import json

import pytest

from controle_vnc.errors import SettingsError
from eop import settings as site_settings
from eop.cli.init import initialise
from eop.directory import users


@pytest.fixture
def conf(tmp_path):
    """`write(**changes)` changes eop.conf; `load()` reads it."""
    environ = {"EOP_HOME": str(tmp_path)}
    initialise(environ)
    path = site_settings.settings_file(environ)

    class Conf:
        file = path
        secret = tmp_path / "etc/controlevnc/.secret"

        def write(self, **changes):
            values = json.loads(path.read_text()) | changes
            path.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))

        def load(self, **environment):
            return site_settings.load(environ=environ | environment)

    return Conf()


def test_what_init_makes_is_accepted(conf):
    site = conf.load()
    assert (site.APPNAME, site.MOUNT_POINT) == ("eop", "/eoleapps/eop")
    assert conf.secret.read_text().strip() == site.SECRET_KEY
    assert len(site.SESSION_KEY) >= 32
    assert site.SESSION_KEY != site.SECRET_KEY


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"MOUNTPOINT": "/x"}, "unknown key MOUNTPOINT"),
        ({"SESSION_EXPIRES": "720"}, "SESSION_EXPIRES must be of type int"),
        ({"SESSION_EXPIRES": True}, "SESSION_EXPIRES must be of type int"),
        ({"SESSION_EXPIRES": 0}, "SESSION_EXPIRES must be at least 1"),
        ({"SESSION_IDLE": -1}, "SESSION_IDLE must be at least 0"),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, "TRUSTED_PROXIES must be a list of strings"),
        ({"MOUNT_POINT": "eop"}, "MOUNT_POINT must look like"),
        ({"MOUNT_POINT": "/eop/"}, "MOUNT_POINT must look like"),
        ({"MOUNT_POINT": "/a/../b"}, "MOUNT_POINT must look like"),
        ({"MOUNT_POINT": "/login"}, "/login belongs to the sign-in service"),
        ({"SECRET_KEY": "changeme"}, "is a default secret"),
        ({"SECRET_KEY": "short"}, "shorter than 16"),
        ({"SECRET_KEY": None}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "x" * 40}, "the secrets differ"),
        ({"SESSION_KEY": "x" * 31}, "SESSION_KEY: shorter than 32"),
        ({"SESSION_KEY": None}, "SESSION_KEY: shorter than 32"),
        ({"DEBUG": "YES"}, "DEBUG must be"),
        ({"PUBLIC_URL": "eop.example"}, "PUBLIC_URL must look like"),
        ({"PUBLIC_URL": "https://eop.example/eop"}, "PUBLIC_URL must look like"),
        ({"WEB_THREADS": 0}, "WEB_THREADS must be between"),
        ({"PASSWORD_ATTEMPTS": 0}, "PASSWORD_ATTEMPTS must be between 1 and 100"),
        ({"PASSWORD_ATTEMPTS": 101}, "PASSWORD_ATTEMPTS must be between 1 and 100"),
        ({"PASSWORD_HOLDOFF": 0}, "PASSWORD_HOLDOFF must be between 1 and 1440"),
        ({"PASSWORD_LIFETIME": -1}, "PASSWORD_LIFETIME must be between 0 and 3650"),
        ({"PASSWORD_HISTORY": 25}, "PASSWORD_HISTORY must be between 0 and 24"),
        ({"PASSWORD_SCORE": 5}, "PASSWORD_SCORE must be between 0 and 4"),
        ({"PASSWORD_RULE": "("}, "PASSWORD_RULE for * is no regular expression"),
        ({"PASSWORD_RULE": {"king": "x"}}, "PASSWORD_RULE: 'king' is no role"),
        ({"PASSWORD_RULE": {"teacher": "["}}, "PASSWORD_RULE for teacher is no regular"),
        ({"PASSWORD_RULE": "x" * 1001}, "longer than 1000 characters"),
        ({"PASSWORD_RULE": ["x"]}, "PASSWORD_RULE must be a text or an object of texts"),
        ({"PASSWORD_RULE": {"teacher": 8}}, "PASSWORD_RULE must be a text or an object of texts"),
        ({"PASSWORD_RULE_TEXT": {"de": "x"}}, "PASSWORD_RULE_TEXT holds a sentence"),
        ({"PASSWORD_RULE_TEXT": "x" * 501}, "at most 500 characters"),
        ({"PASSWORD_LEAKED_FILE": "/none/leaked.txt"}, "/none/leaked.txt cannot be read"),
        ({"TOTP_REQUIRED_ROLES": ["king"]}, "TOTP_REQUIRED_ROLES: 'king' is no role"),
        ({"TOTP_ISSUER": "a:b"}, "TOTP_ISSUER must be a name without a colon"),
        ({"TOTP_ISSUER": ""}, "TOTP_ISSUER must be a name"),
        ({"TOTP_ISSUER": "x" * 65}, "TOTP_ISSUER is longer than 64"),
    ],
)
def test_a_wrong_setting_refuses_to_start_and_names_the_file(conf, changes, words):
    conf.write(**changes)
    with pytest.raises(SettingsError, match="eop.conf") as refused:
        conf.load()
    assert words in str(refused.value)


def test_the_session_key_is_never_the_shared_secret(conf):
    conf.write(SESSION_KEY=conf.load().SECRET_KEY)
    with pytest.raises(SettingsError, match="must not be SECRET_KEY"):
        conf.load()


def test_a_final_newline_of_either_secret_is_ignored(conf):
    secret = conf.secret.read_text().strip()
    for text in (secret, secret + "\n", secret + "\r\n"):
        conf.secret.write_text(text)
        conf.load()
    conf.write(SECRET_KEY=secret + "\n")
    assert conf.load()


def test_a_file_of_secrets_that_everyone_may_read_is_refused_with_the_remedy(conf):
    conf.file.chmod(0o640)
    assert conf.load()
    conf.file.chmod(0o644)
    with pytest.raises(SettingsError, match=f"readable by everyone; run: chmod 640 {conf.file}"):
        conf.load()


def test_a_file_without_secrets_may_be_read_by_everyone(conf):
    site = conf.load()
    conf.write(SECRET_KEY=None, SESSION_KEY=None)
    conf.file.chmod(0o644)
    assert conf.load(EOP_SECRET_KEY=site.SECRET_KEY, EOP_SESSION_KEY=site.SESSION_KEY)


def test_where_the_secret_file_is_elsewhere_nothing_is_compared(conf):
    conf.secret.unlink()
    assert conf.load()


def test_the_environment_overrides_the_file(conf):
    assert conf.load(EOP_MOUNT_POINT="/eop").MOUNT_POINT == "/eop"
    assert conf.load(EOP_SESSION_IDLE="0").SESSION_IDLE == 0


def test_the_original_debug_word_is_understood(conf):
    conf.write(DEBUG="TRUE")
    assert conf.load().DEBUG == "TRUE"


def test_an_absent_file_names_the_remedy(tmp_path):
    with pytest.raises(SettingsError, match="eopctl init"):
        site_settings.load(environ={"EOP_HOME": str(tmp_path)})


def test_a_rule_is_for_all_or_for_each_role(conf):
    conf.write(PASSWORD_RULE=r".*\d.*", PASSWORD_RULE_TEXT="A digit.")
    site = conf.load()
    assert site_settings.by_name(site.PASSWORD_RULE) == {"*": r".*\d.*"}
    conf.write(PASSWORD_RULE={"student": ".{8,}", "*": ".{12,}"})
    assert site_settings.by_name(conf.load().PASSWORD_RULE)["student"] == ".{8,}"
    assert site_settings.by_name("") == {}


def test_the_environment_takes_a_rule_as_text_or_as_json(conf):
    rule = conf.load(EOP_PASSWORD_RULE=".{8,}").PASSWORD_RULE
    assert rule == ".{8,}"
    rule = conf.load(EOP_PASSWORD_RULE='{"teacher": ".{12,}"}').PASSWORD_RULE
    assert rule == {"teacher": ".{12,}"}
    for wrong, words in (('{"a', "not valid JSON"), ('{"teacher": 1}', "a text or an object")):
        with pytest.raises(SettingsError, match=f"EOP_PASSWORD_RULE.*{words}"):
            conf.load(EOP_PASSWORD_RULE=wrong)


def test_roles_and_languages_are_those_of_the_directory():
    assert site_settings.ROLES == users.ROLES
    assert site_settings.LANGUAGES == users.LANGUAGES


def test_a_list_of_leaked_passwords_is_looked_at_before_the_start(conf, tmp_path):
    leaked = tmp_path / "leaked.txt"
    leaked.write_text("password\nazerty\n")
    conf.write(PASSWORD_LEAKED_FILE=str(leaked))
    assert str(leaked) == conf.load().PASSWORD_LEAKED_FILE
