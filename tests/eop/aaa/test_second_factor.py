import re
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from cryptography.fernet import Fernet

from eop.aaa import second_factor
from eop.aaa.second_factor import STEP_MS
from eop.aaa.session import Keys
from eop.directory import users
from eop.errors import RefusedError

NOW = 1_700_000_010_000
KEYS = Keys("k" * 40)


@pytest.fixture
def enrolled(house):
    """`enrolled(now_ms, code)` takes a code of camille's; `.key`, `.codes`, `.id`."""

    class Enrolled:
        def __init__(self):
            self.keys = house.parts.door.keys
            self.key = second_factor.new_key()
            with house.parts.database.write() as connection:
                self.id = users.get(connection, "camille").id
                self.codes = second_factor.enrol(connection, self.keys, self.id, self.key, 0)

        def at(self, now_ms):
            return pyotp.TOTP(self.key).at(now_ms // 1000)

        def take(self, code, now_ms=NOW):
            with house.parts.database.write() as connection:
                return second_factor.accept(connection, self.keys, self.id, code, now_ms)

        def left(self):
            with house.parts.database.read() as connection:
                return second_factor.recovery_codes_left(connection, self.id)

    return Enrolled()


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_code_is_taken_within_one_step_of_now(enrolled, shift):
    assert enrolled.take(enrolled.at(NOW + shift * STEP_MS)) == "totp"


@pytest.mark.parametrize("shift", [-2, 2])
def test_a_code_of_two_steps_away_is_wrong(enrolled, shift):
    assert enrolled.take(enrolled.at(NOW + shift * STEP_MS)) == ""


def test_a_code_is_taken_once_and_none_before_it(enrolled):
    assert enrolled.take(enrolled.at(NOW)) == "totp"
    assert enrolled.take(enrolled.at(NOW)) == ""
    assert enrolled.take(enrolled.at(NOW - STEP_MS)) == ""
    assert enrolled.take(enrolled.at(NOW + STEP_MS)) == "totp"


def test_a_code_may_be_typed_in_groups(enrolled):
    code = enrolled.at(NOW)
    assert enrolled.take(f" {code[:3]} {code[3:]} ") == "totp"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\ud800", "x" * 500])
def test_what_is_no_code_is_wrong(enrolled, typed):
    assert enrolled.take(typed) == ""


def test_a_recovery_code_is_taken_once(enrolled):
    assert len(enrolled.codes) == len(set(enrolled.codes)) == 10
    assert all(re.fullmatch(r"[a-z2-9]{5}-[a-z2-9]{5}", code) for code in enrolled.codes)
    assert enrolled.take(enrolled.codes[3].upper().replace("-", " ")) == "recovery"
    assert enrolled.take(enrolled.codes[3]) == ""
    assert enrolled.left() == 9


def test_new_recovery_codes_replace_the_old_ones(enrolled, house):
    with house.parts.database.write() as connection:
        new = second_factor.renew_recovery_codes(connection, enrolled.keys, enrolled.id)
    assert enrolled.take(enrolled.codes[0]) == ""
    assert enrolled.take(new[0]) == "recovery"


def test_the_codes_of_one_are_worth_nothing_to_another(enrolled, house):
    house.add_user("malo")
    with house.parts.database.write() as connection:
        malo = users.get(connection, "malo").id
        second_factor.enrol(connection, enrolled.keys, malo, second_factor.new_key(), 0)
        for code in (enrolled.codes[0], enrolled.at(NOW)):
            assert not second_factor.accept(connection, enrolled.keys, malo, code, NOW)


def test_neither_key_nor_codes_can_be_read_in_the_database(enrolled, house):
    stored = (house.home / "var/lib/eop/eop.db").read_bytes()
    stored += (house.home / "var/lib/eop/eop.db-wal").read_bytes()
    for secret in (enrolled.key, *enrolled.codes, *(c.replace("-", "") for c in enrolled.codes)):
        assert secret.encode() not in stored


def test_under_another_session_key_the_second_factor_is_lost_and_says_so(enrolled, house):
    enrolled.keys = Keys("another key of forty characters, or so..")
    with pytest.raises(RefusedError) as refused:
        enrolled.take(enrolled.at(NOW))
    assert refused.value.code == "second_factor_lost"


def test_each_purpose_has_a_cipher_of_its_own():
    sealed = KEYS.cipher("one").encrypt(b"x")
    assert isinstance(KEYS.cipher("one"), Fernet)
    assert KEYS.cipher("one").decrypt(sealed) == b"x"
    with pytest.raises(RefusedError):
        second_factor.decrypted(KEYS, sealed.decode())


def test_a_key_on_a_page_is_its_owners_alone_and_for_ten_minutes():
    sealed = second_factor.sealed(KEYS, 7, "KEY", NOW)
    assert second_factor.unsealed(KEYS, 7, sealed, NOW + 600_000) == "KEY"
    assert second_factor.unsealed(KEYS, 7, sealed, NOW + 601_000) is None
    assert second_factor.unsealed(KEYS, 8, sealed, NOW) is None
    for damaged in ("", "x", sealed[:-2], "é" * 2000, "\ud800"):
        assert second_factor.unsealed(KEYS, 7, damaged, NOW) is None


def test_the_qr_code_holds_an_address_that_apps_read():
    key = second_factor.new_key()
    address = second_factor.address(key, "camille@x", "Collège Jaurès")
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query)["secret"] == [key]
    assert parse_qs(parts.query)["issuer"] == ["Collège Jaurès"]
    assert second_factor.picture(address).startswith("data:image/svg+xml")
    assert second_factor.shown("ABCDEFGH") == "ABCD EFGH"
