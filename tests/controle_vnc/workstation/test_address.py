import pytest

from controle_vnc.errors import RequestRefusedError
from controle_vnc.workstation.address import parse_address


@pytest.mark.parametrize(
    "text",
    ["pc-01:5900", "10.0.0.7:5901", "[fe80::1]:5900", "unix:/run/vnc/1.sock", "a" * 253 + ":1"],
)
def test_an_address_is_read_and_written_back_alike(text):
    assert str(parse_address(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "pc-01", ":5900", "pc-01:", "pc-01:0", "pc-01:65536", "pc-01:５９００", "pc 01:5900",
        "fe80::1:5900", "[fe80::1]5900", "[pc-01]:5900", "unix:relative", "unix:/a\0b",
        "http://pc-01:5900", "-pc:1", "a" * 254 + ":1", "unix:/" + "a" * 107, "pc-01:059000",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text):
    with pytest.raises(RequestRefusedError) as refused:
        parse_address(text)
    assert refused.value.code == "invalid"


def test_a_unix_path_of_107_bytes_is_the_longest():
    assert parse_address("unix:/" + "a" * 106).path == "/" + "a" * 106
