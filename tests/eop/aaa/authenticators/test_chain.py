from dataclasses import replace
from pathlib import Path

import pytest

from controle_vnc.errors import SettingsError
from eop.aaa.authenticators import chain


def test_the_authenticators_are_those_of_the_settings_in_their_order(quiet):
    site = replace(quiet.site, AUTHENTICATORS=["pam", "local"])
    made = chain.make(site, quiet.parts.database)
    assert [one.name for one in made] == ["pam", "local"]
    assert [one.name for one in quiet.parts.door.authenticators] == ["local"]


def test_every_one_bears_the_name_it_is_called_by(quiet):
    for name in chain.FACTORIES:
        assert chain.FACTORIES[name](quiet.site, quiet.parts.database).name == name


def test_an_unknown_name_is_told_with_those_there_are(quiet):
    site = replace(quiet.site, AUTHENTICATORS=["local", "radius"])
    with pytest.raises(SettingsError, match="there is no 'radius'; there are: local, .*pam"):
        chain.make(site, quiet.parts.database)


def test_the_socket_is_that_of_the_settings_or_of_the_installation(quiet):
    assert quiet.site.pam_socket == quiet.home / "run/eop-pam/eop-pam.sock"
    assert replace(quiet.site, PAM_SOCKET="/x/y").pam_socket == Path("/x/y")
