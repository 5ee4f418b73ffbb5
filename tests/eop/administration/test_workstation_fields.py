from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc import store
from controle_vnc.errors import RequestRefusedError
from controle_vnc.rfb.security_types import trust
from controle_vnc.workstation import address as daemon
from eop.administration import workstation_fields as fields
from eop.administration.workstation_fields import Typed, endpoint, problems, split
from eop.errors import InvalidError

RIGHT = Typed("pc-01", "S12", "pc-01.school.lan", "5900", "zoe", "pw")


def test_limits_are_those_of_controle_vnc():
    assert fields.MAX_NAME_CHARACTERS == store.MAX_NAME_CHARACTERS
    assert fields.MAX_ROOM_CHARACTERS == store.MAX_ROOM_CHARACTERS
    assert fields.MAX_USER_CHARACTERS == store.MAX_USER_CHARACTERS
    assert fields.MAX_PASSWORD_CHARACTERS == store.MAX_PASSWORD_CHARACTERS
    assert fields.MAX_VNC_USER_CHARACTERS == store.MAX_VNC_USER_CHARACTERS
    assert fields.MAX_TRUST_CHARACTERS == trust.MAX_TRUST_CHARACTERS
    assert fields.MAX_HOST_CHARACTERS == daemon.MAX_HOST_CHARACTERS
    assert fields.MAX_UNIX_PATH_BYTES == daemon.MAX_UNIX_PATH_BYTES


@pytest.mark.parametrize(
    ("address", "port", "taken"),
    [
        ("pc-01", "", "pc-01:5900"),
        (" pc-01.school.lan ", " 5901 ", "pc-01.school.lan:5901"),
        ("10.1.12.2:5902", "", "10.1.12.2:5902"),
        ("10.1.12.2:5902", "5902", "10.1.12.2:5902"),
        ("fe80::1", "5900", "[fe80::1]:5900"),
        ("[fe80::1]:5903", "", "[fe80::1]:5903"),
        ("unix:/run/vnc.sock", "", "unix:/run/vnc.sock"),
        ("pc", "1", "pc:1"),
        ("pc", "65535", "pc:65535"),
        ("a" * 253, "", "a" * 253 + ":5900"),
        ("unix:/" + "x" * 106, "", "unix:/" + "x" * 106),
    ],
)
def test_an_address_is_put_together_and_controle_vnc_takes_it(address, port, taken):
    assert endpoint(address, port) == taken
    assert str(daemon.parse_address(taken)) == taken
    assert endpoint(*split(taken)) == taken


@pytest.mark.parametrize(
    ("address", "port", "field"),
    [
        ("", "5900", "address"),
        ("pc 01", "5900", "address"),
        ("http://pc-01", "5900", "address"),
        ("a" * 254, "", "address"),
        ("fe80::xyz", "", "address"),
        ("pc-01", "0", "port"),
        ("pc-01", "65536", "port"),
        ("pc-01", "-1", "port"),
        ("pc-01", "５９", "port"),
        ("pc-01", "9" * 5000, "port"),
        ("pc-01:5901", "5902", "port"),
        ("unix:/run/vnc.sock", "5900", "port"),
        ("unix:run", "", "address"),
        ("unix:/" + "x" * 107, "", "address"),
    ],
)
def test_a_wrong_address_marks_its_field(address, port, field):
    wrong = problems(Typed("pc-01", "S12", address, port))
    assert list(wrong) == [field]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"user": ""}, []),
        ({"name": "x" * 64, "room": "x" * 64, "user": "x" * 64, "password": "x" * 256}, []),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 65}, ["name"]),
        ({"name": "a\nb"}, ["name"]),
        ({"room": ""}, ["room"]),
        ({"room": "x" * 65}, ["room"]),
        ({"user": "x" * 65}, ["user"]),
        ({"password": "x" * 257}, ["password"]),
        ({"name": "", "room": "", "port": "x"}, ["name", "room", "port"]),
    ],
)
def test_each_field_has_its_limits(change, wrong):
    values = {name: getattr(RIGHT, name) for name in RIGHT.__dataclass_fields__}
    assert list(problems(Typed(**{**values, **change}))) == wrong


@given(st.text(max_size=400), st.text(max_size=10))
def test_whatever_is_taken_controle_vnc_takes_too(address, port):
    try:
        taken = endpoint(address, port)
    except InvalidError:
        return
    try:
        daemon.parse_address(taken)
    except RequestRefusedError as error:
        pytest.fail(str(error))


PIN = "x509-sha256:" + "0a" * 32


@pytest.mark.parametrize(
    "text",
    [
        PIN,
        PIN.upper(),
        "rsa-sha256:" + ":".join(["0A"] * 32),
        "ca:/etc/ssl/school.pem",
        "ca:/" + "x" * 296,
        "ca:/" + "x" * 297,
        "ca:school.pem",
        PIN[:-1],
        PIN + "0",
        "sha256:" + "0a" * 32,
        "x509-sha256",
        "ca:/a\nb",
        "any",
        "ANY",
        "anybody",
        f"learnt:{PIN}",
        f"Learnt:{PIN.upper()}",
        "learnt:any",
        "learnt:ca:/etc/ssl/school.pem",
        "rsa-ne-sha256:" + "0a" * 32,
        "rsa-ne:" + "0a" * 32,
    ],
)
def test_what_a_server_is_known_by_is_taken_as_controle_vnc_takes_it(text):
    try:
        trust.parse_trust(text)
        is_right = True
    except ValueError:
        is_right = False
    assert ("trust" not in problems(replace(RIGHT, trust=text))) == is_right
    kept = trust.as_text(trust.parse_trust(text)) if is_right else None
    assert fields.normal_trust(text) == kept


@given(st.text(max_size=90).filter(bool))
def test_no_text_is_taken_here_and_refused_there(text):
    if "trust" not in problems(replace(RIGHT, trust=text)):
        assert trust.parse_trust(text)


def test_a_vnc_user_is_as_long_as_the_limit_and_no_longer():
    assert "vnc_user" not in problems(replace(RIGHT, vnc_user="x" * 64))
    assert "vnc_user" in problems(replace(RIGHT, vnc_user="x" * 65))
