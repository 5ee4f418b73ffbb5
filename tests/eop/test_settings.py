import json

import pytest

from controle_vnc.errors import SettingsError
from eop import settings as site_settings
from eop import settings_checks
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
        ({"AUDIT_DAYS": -1}, "AUDIT_DAYS must be at least 0"),
        (
            {"ACCESSIBILITY_CONTACT": "x" * 201},
            "ACCESSIBILITY_CONTACT must be at most 200",
        ),
        ({"ACCESSIBILITY_CONTACT": "a\nb"}, "ACCESSIBILITY_CONTACT must be at most 200"),
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
        ({"AUTHENTICATORS": "pam"}, "AUTHENTICATORS must be a list of strings"),
        ({"PAM_SOCKET": "run/s"}, "PAM_SOCKET must be an absolute path"),
        ({"PAM_SOCKET": "/" + "x" * 107}, "PAM_SOCKET must be an absolute path of at most 107"),
        ({"WEB_THREADS": 0}, "WEB_THREADS must be between"),
        ({"LESSON_HOURS": 0}, "LESSON_HOURS must be between 1 and 24"),
        ({"LESSON_HOURS": 25}, "LESSON_HOURS must be between 1 and 24"),
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
        ({"AAA_URL": "https://aaa.example/login"}, "AAA_URL must look like"),
        ({"SESSION_MODE": "shared"}, 'SESSION_MODE must be "global" or "local"'),
        ({"APPNAME": "E O P"}, "APPNAME must be"),
        ({"SESSION_STORE": "memcached://host"}, "SESSION_STORE must look like"),
        ({"SESSION_STORE": "redis://"}, "SESSION_STORE must look like"),
        ({"SESSION_STORE": "unix://"}, "SESSION_STORE must look like"),
        ({"SESSION_STORE": "redis://host:x"}, "SESSION_STORE cannot be read"),
        ({"SESSION_STORE": "redis://host?db"}, "SESSION_STORE cannot be read"),
        ({"SESSION_STORE": "rediss://host?ssl_cert_reqs=none"}, "unknown option ssl_cert_reqs"),
        ({"SESSION_STORE": "redis://host", "SESSION_STORE_PASSWORD_FILE": "/nowhere"}, "/nowhere"),
        (
            {"SESSION_STORE": "redis://:pw@host", "SESSION_STORE_PASSWORD_FILE": "/x"},
            "holds a password, and SESSION_STORE_PASSWORD_FILE another",
        ),
        *(
            ({"APPLICATIONS": [address]}, "APPLICATIONS must look like")
            for address in (
                "eop.example/eop",
                "https://eop.example",
                "https://eop.example/",
                "https://eop.example/eop/",
                "https://eop.example/eop?x",
                "https://eop.example/#x",
                "https://EOP.example/eop",
                "https://u@eop.example/eop",
                "ftp://eop.example/eop",
                "https://eop.example:x/eop",
                "https:///eop",
                "https://eop.example/a/../b",
                "https://eop.example/" + "a" * 240,
                "https://éop.example/eop",
            )
        ),
    ],
)
def test_a_wrong_setting_refuses_to_start_and_names_the_file(conf, changes, words):
    conf.write(**changes)
    where = "/nowhere" if words == "/nowhere" else "eop.conf"
    with pytest.raises(SettingsError, match=where) as refused:
        conf.load()
    assert words in str(refused.value)
    assert "pw@" not in str(refused.value)


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
    assert settings_checks.by_name(site.PASSWORD_RULE) == {"*": r".*\d.*"}
    conf.write(PASSWORD_RULE={"student": ".{8,}", "*": ".{12,}"})
    assert settings_checks.by_name(conf.load().PASSWORD_RULE)["student"] == ".{8,}"
    assert settings_checks.by_name("") == {}


def test_the_environment_takes_a_rule_as_text_or_as_json(conf):
    rule = conf.load(EOP_PASSWORD_RULE=".{8,}").PASSWORD_RULE
    assert rule == ".{8,}"
    rule = conf.load(EOP_PASSWORD_RULE='{"teacher": ".{12,}"}').PASSWORD_RULE
    assert rule == {"teacher": ".{12,}"}
    for wrong, words in (('{"a', "not valid JSON"), ('{"teacher": 1}', "a text or an object")):
        with pytest.raises(SettingsError, match=f"EOP_PASSWORD_RULE.*{words}"):
            conf.load(EOP_PASSWORD_RULE=wrong)


def test_roles_and_languages_are_those_of_the_directory():
    assert settings_checks.ROLES == users.ROLES
    assert settings_checks.LANGUAGES == users.LANGUAGES


def test_a_list_of_leaked_passwords_is_looked_at_before_the_start(conf, tmp_path):
    leaked = tmp_path / "leaked.txt"
    leaked.write_text("password\nazerty\n")
    conf.write(PASSWORD_LEAKED_FILE=str(leaked))
    assert str(leaked) == conf.load().PASSWORD_LEAKED_FILE


@pytest.mark.parametrize(
    "address",
    [
        "redis://127.0.0.1:6379/0", "rediss://u:p@[::1]:6380/1?ssl_ca_certs=/etc/ca.pem",
        "unix:///run/redis/redis.sock?db=2",
    ],
)  # fmt: skip
def test_addresses_of_a_store_of_sessions_are_accepted(conf, address):
    conf.write(SESSION_STORE=address)
    assert address == conf.load().SESSION_STORE


@pytest.mark.parametrize(
    "address", ["https://eop.example/eoleapps/eop", "http://localhost:5001/e", "https://[::1]/e"]
)
def test_addresses_of_applications_are_accepted(conf, address):
    conf.write(APPLICATIONS=[address])
    assert [address] == conf.load().APPLICATIONS


def test_the_longest_address_of_an_application_fits_and_one_more_does_not(conf):
    longest = "https://eop.example/" + "a" * (255 - 20)
    conf.write(APPLICATIONS=[longest])
    assert [longest] == conf.load().APPLICATIONS
    conf.write(APPLICATIONS=[longest + "a"])
    with pytest.raises(SettingsError, match="at most 255"):
        conf.load()


def test_the_password_of_the_store_is_the_first_line_of_a_private_file(conf, tmp_path):
    path = tmp_path / "redis.txt"
    path.write_text("a secret\nmore\n")
    path.chmod(0o640)
    conf.write(SESSION_STORE="redis://host", SESSION_STORE_PASSWORD_FILE=str(path))
    assert conf.load().session_store_password == "a secret"
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="readable by everyone"):
        conf.load()
    path.chmod(0o600)
    for content in (b"", b"\nsecond", b"x" * 4097, b"\xff"):
        path.write_bytes(content)
        with pytest.raises(SettingsError, match="redis.txt"):
            conf.load()


def test_a_file_with_the_address_of_the_store_is_private(conf):
    site = conf.load()
    conf.write(SECRET_KEY=None, SESSION_KEY=None, SESSION_STORE="redis://host")
    conf.file.chmod(0o644)
    with pytest.raises(SettingsError, match="readable by everyone"):
        conf.load(EOP_SECRET_KEY=site.SECRET_KEY, EOP_SESSION_KEY=site.SESSION_KEY)
