import json

import pytest

from controle_vnc.errors import SettingsError
from eop import settings as site_settings
from eop import sign_on_settings
from eop.cli.init import initialise
from eop.sign_on_settings import is_provider_address

OIDC = {"OIDC_ISSUER": "https://idp.example", "OIDC_CLIENT_ID": "eop"}


@pytest.fixture
def load(tmp_path):
    """`load(**settings)` reads eop.conf with them."""
    environ = {"EOP_HOME": str(tmp_path)}
    initialise(environ)
    path = site_settings.settings_file(environ)
    values = json.loads(path.read_text())

    def read(**changes):
        path.write_text(json.dumps(values | changes))
        return site_settings.load(environ=environ)

    return read


@pytest.mark.parametrize(
    "address",
    ["https://sso.school.example/cas", "https://[2001:db8::1]:8443", "http://127.0.0.1:1/x",
     "http://localhost", "http://[::1]:80/"],
)  # fmt: skip
def test_servers_are_https_or_on_this_machine(address):
    assert is_provider_address(address)


@pytest.mark.parametrize(
    "address",
    ["", "sso.example", "http://sso.example", "http://127.0.0.1.evil.example", "ftp://localhost",
     "https://", "https://a:b@sso.example", "https://sso.example/#x", "https://sso.example:x",
     "https://sso.example; script-src *", "https://sso.example/\n", "https://é.example",
     "https://[::1", "javascript:alert(1)", "http://127.0.0.1@evil.example/"],
)  # fmt: skip
def test_other_addresses_are_refused(address):
    assert not is_provider_address(address)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CAS_URL": "http://sso.example/cas"}, "CAS_URL must look like https"),
        ({"CAS_URL": "https://sso.example/cas?x=1"}, "take no ?query"),
        ({"CAS_VERSION": 1}, "CAS_VERSION must be 2 or 3"),
        ({"CAS_LABEL": ""}, "CAS_LABEL must be 1 to 40"),
        ({"CAS_LABEL": "x" * 41}, "CAS_LABEL must be 1 to 40"),
        ({"OIDC_LABEL": "a\nb"}, "OIDC_LABEL must be 1 to 40"),
        ({"CAS_CA_FILE": "/nowhere.pem"}, "CAS_CA_FILE: there is no file"),
        ({**OIDC, "OIDC_ISSUER": "http://idp.example"}, "OIDC_ISSUER must look like https"),
        ({"OIDC_ISSUER": "https://idp.example"}, "OIDC_CLIENT_ID belong together"),
        ({"OIDC_CLIENT_ID": "eop"}, "OIDC_CLIENT_ID belong together"),
        ({**OIDC, "OIDC_SCOPES": ["profile"]}, "OIDC_SCOPES must name openid"),
        ({**OIDC, "OIDC_LOGIN_CLAIM": ""}, "OIDC_LOGIN_CLAIM must name"),
        ({**OIDC, "OIDC_CLIENT_SECRET_FILE": "/nowhere"}, "there is no file /nowhere"),
        ({"SINGLE_SIGN_ON_ONLY": True}, "needs exactly one"),
        ({**OIDC, "CAS_URL": "https://c.example", "SINGLE_SIGN_ON_ONLY": True}, "exactly one"),
    ],
)
def test_a_wrong_setting_refuses_to_start_and_names_the_file(load, changes, words):
    with pytest.raises(SettingsError, match=r"eop\.conf") as refused:
        load(**changes)
    assert words in str(refused.value)


def test_right_settings_are_taken(load):
    site = load(**OIDC, SINGLE_SIGN_ON_ONLY=True, OIDC_LABEL="é" * 40)
    assert sign_on_settings.client_secret(site) == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "first line"), (b"\nx", "first line"), (b"s" * 4097, "first line")],
)
def test_a_file_without_a_secret_is_refused(load, tmp_path, content, words):
    file = tmp_path / "secret.txt"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(SettingsError, match=words):
        load(**OIDC, OIDC_CLIENT_SECRET_FILE=str(file))


def test_the_client_s_secret_is_the_first_line_of_a_private_file(load, tmp_path):
    file = tmp_path / "secret.txt"
    file.write_text("a secret \nand a note\n")
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="readable by everyone"):
        load(**OIDC, OIDC_CLIENT_SECRET_FILE=str(file))
    file.chmod(0o640)
    site = load(**OIDC, OIDC_CLIENT_SECRET_FILE=str(file))
    assert sign_on_settings.client_secret(site) == "a secret"
    file.write_bytes(b"s" * 4096)
    assert len(sign_on_settings.client_secret(site)) == 4096
