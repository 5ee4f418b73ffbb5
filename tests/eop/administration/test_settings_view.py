import json
from dataclasses import fields, replace

import pytest

from controle_vnc.settings import Settings
from eop.administration import settings_view
from eop.settings import SECRETS, SiteSettings, settings_file

NAMES = {one.name for kind in (SiteSettings, Settings) for one in fields(kind)}
PATHS = {"GATEWAY_KEY", "CONTROL_KEY"}  # where a key is, not the key


@pytest.fixture
def shown(quiet):
    def settings(site=None, **environ):
        groups = settings_view.groups(
            site or quiet.site, quiet.shared, {"EOP_HOME": str(quiet.home), **environ}
        )
        return {one.name: one for group in groups for one in group.settings}

    return settings


def test_every_setting_is_there_with_its_sentence(shown):
    found = shown()
    assert set(found) == NAMES
    assert all(one.sentence for one in found.values())


def test_what_sounds_like_a_secret_is_declared_as_one():
    endings = ("KEY", "SECRET", "PASSWORD", "TOKEN")
    assert {name for name in NAMES if name.endswith(endings)} - PATHS <= SECRETS
    assert {"SECRET_KEY", "SESSION_KEY", "DATABASE_URL", "SESSION_STORE"} == SECRETS


def test_a_secret_is_only_said_to_be_set(shown, quiet):
    found = shown()
    for name in SECRETS:
        assert (found[name].value, found[name].default) == (None, None)
    assert found["SECRET_KEY"].is_set
    assert not found["SESSION_STORE"].is_set
    assert quiet.site.SECRET_KEY not in repr(found)
    assert quiet.site.SESSION_KEY not in repr(found)


def test_an_address_with_a_password_is_hidden_whatever_its_setting(shown, quiet):
    site = replace(
        quiet.site, CAS_URL="https://cas:hush@cas.lan/cas", LDAP_SERVERS=["ldap://a:hush@ldap.lan"]
    )
    found = shown(site)
    assert "hush" not in repr(found)
    assert found["CAS_URL"].is_secret
    assert not found["PUBLIC_URL"].is_secret


def test_each_value_says_where_it_comes_from(shown, quiet):
    file = settings_file({"EOP_HOME": str(quiet.home)})
    values = json.loads(file.read_text())
    file.write_text(json.dumps({**values, "AUDIT_DAYS": quiet.site.AUDIT_DAYS}))
    found = shown(EOP_HSTS="0", EOP_WEB_PORT="5")
    names = ("AUDIT_DAYS", "HSTS", "WEB_PORT", "CAS_URL")
    assert [found[name].source for name in names] == [
        "file", "environment", "environment", "default",
    ]  # fmt: skip
    assert found["HSTS"].variable == "EOP_HSTS"


def test_a_file_that_says_otherwise_since_the_start_is_told(shown, quiet):
    file = settings_file({"EOP_HOME": str(quiet.home)})
    values = json.loads(file.read_text())
    file.write_text(json.dumps({**values, "AUDIT_DAYS": 30, "LABEL": "Lycée"}))
    found = shown(EOP_LABEL="EOP")
    assert (found["AUDIT_DAYS"].value, found["AUDIT_DAYS"].is_pending) == (365, True)
    assert not found["LABEL"].is_pending  # the environment goes before the file
    assert not found["HSTS"].is_pending


@pytest.mark.parametrize("text", ["{", "[]", "x" * 70_000])
def test_a_file_that_cannot_be_read_leaves_the_values(shown, quiet, text):
    settings_file({"EOP_HOME": str(quiet.home)}).write_text(text)
    found = shown(site=replace(quiet.site, HSTS=5), EOP_LABEL="EOP")
    sources = [found[name].source for name in ("AUDIT_DAYS", "HSTS", "LABEL")]
    assert sources == ["default", "unknown", "environment"]
    groups = settings_view.groups(quiet.site, quiet.shared, {"EOP_HOME": str(quiet.home)})
    assert [bool(group.trouble) for group in groups] == [True, False]


def test_settings_are_found_by_every_word_of_name_or_sentence(quiet):
    groups = settings_view.groups(quiet.site, quiet.shared, {"EOP_HOME": str(quiet.home)})

    def found(text, only_changed=False):
        kept = settings_view.search(groups, text, only_changed=only_changed)
        return [one.name for group in kept for one in group.settings]

    assert found("WEB_port") == ["WEB_PORT"]
    assert found("days audit") == ["AUDIT_DAYS"]
    assert found("DÂYS audit") == ["AUDIT_DAYS"]
    assert "SMTP_PASSWORD_FILE" in found("that account’s")
    assert found("nothing of the kind") == []
    assert "SECRET_KEY" in found("", only_changed=True)
    assert "HSTS" not in found("", only_changed=True)
