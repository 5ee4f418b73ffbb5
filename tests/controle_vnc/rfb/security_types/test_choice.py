import contextlib
import dataclasses

import pytest

from controle_vnc.errors import (
    AuthenticationError,
    KeyChangedError,
    ProtocolError,
    UnconfirmedServerError,
    UnsupportedError,
    UntrustedServerError,
)
from controle_vnc.rfb.client_handshake import ClientHandshake
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.security_types import choice
from controle_vnc.rfb.security_types.choice import STRONGEST_FIRST, usable
from controle_vnc.rfb.security_types.credentials import Credentials
from controle_vnc.rfb.security_types.trust import Trust, fingerprint, parse_trust
from controle_vnc.rfb.server_handshake import Lock, ServerHandshake
from controle_vnc.rfb.stream import to_the_end
from controle_vnc.tls import server_tls
from tests.controle_vnc.rfb.security_types.pairs import (
    ANY,
    EVERY_KIND,
    PASSWORD,
    USER,
    credentials,
    exchange,
    joined,
    lock_of,
    refused,
    rsa_key,
    server_certificate,
)

BANNER = b"RFB 003.008\n"


def test_every_kind_has_its_place():
    assert sorted(STRONGEST_FIRST) == EVERY_KIND


@pytest.mark.parametrize(
    ("offered", "password", "user", "chosen"),
    [
        (EVERY_KIND, PASSWORD, USER, T.X509_PLAIN),
        (EVERY_KIND, PASSWORD, None, T.X509_VNC),
        (EVERY_KIND, None, None, T.X509_NONE),
        ([T.VNC_AUTHENTICATION, T.TLS_VNC], PASSWORD, None, T.TLS_VNC),
        ([T.TLS_PLAIN, T.TLS_VNC], PASSWORD, USER, T.TLS_VNC),
        ([T.RA2NE, T.RA2, T.RA2_256], PASSWORD, None, T.RA2_256),
        ([T.RA2NE, T.VNC_AUTHENTICATION], PASSWORD, None, T.RA2NE),
        ([T.NONE, T.VNC_AUTHENTICATION], PASSWORD, None, T.VNC_AUTHENTICATION),
        ([T.NONE, T.VNC_AUTHENTICATION], None, None, T.NONE),
        ([T.PLAIN, T.VNC_AUTHENTICATION], PASSWORD, USER, T.VNC_AUTHENTICATION),
        ([T.RA2, T.VNC_AUTHENTICATION], b"x" * 255, None, T.RA2),
        ([T.RA2, T.VNC_AUTHENTICATION], b"x" * 256, None, T.VNC_AUTHENTICATION),
        ([T.RA2, T.VNC_AUTHENTICATION], PASSWORD, b"x" * 256, T.VNC_AUTHENTICATION),
    ],
)
def test_the_strongest_that_the_credentials_allow(offered, password, user, chosen):
    assert usable(offered, credentials(password, user))[0] is chosen


def test_without_tls_no_type_needs_it():
    kinds = usable(EVERY_KIND, Credentials(PASSWORD, USER, ANY))
    assert kinds[0] is T.RA2_256
    assert not {kind for kind in kinds if kind > T.PLAIN}


def test_a_server_we_know_has_to_prove_itself_and_nothing_weaker_will_do():
    pinned = credentials(trust=Trust(pin=fingerprint("rsa", b"key")))
    assert usable(EVERY_KIND, pinned) == [T.RA2_256, T.RA2]
    unencrypted = credentials(trust=Trust(pin=fingerprint("rsa-ne", b"key")))
    assert usable(EVERY_KIND, unencrypted) == [T.RA2_256, T.RA2, T.RA2NE_256, T.RA2NE]
    signed = credentials(trust=Trust(ca_file="/ca.pem"))
    assert usable(EVERY_KIND, signed) == [T.X509_PLAIN, T.X509_VNC, T.X509_NONE]


def offering(*types, given):
    handshake = ClientHandshake(given)
    handshake.receive_data(BANNER + bytes([len(types), *types]), to_the_end)
    return handshake


@pytest.mark.parametrize("weaker", [T.NONE, T.VNC_AUTHENTICATION, T.RA2])
def test_a_server_that_no_longer_proves_itself_is_told_nothing(weaker):
    given = credentials(trust=Trust(pin=fingerprint("x509", b"certificate")))
    with pytest.raises(UntrustedServerError, match="proves that it is the one we know"):
        offering(weaker, given=given)


def test_anonymous_tls_does_not_stand_in_for_a_known_certificate():
    client = ClientHandshake(credentials(trust=Trust(pin=fingerprint("x509", b"certificate"))))
    with pytest.raises(UntrustedServerError):
        client.receive_data(BANNER + b"\1\x13" + b"\0\2\0" + b"\2\0\0\1\1\0\0\1\2", to_the_end)
    assert client.next_kinds == frozenset()


def test_what_is_missing_is_told():
    with pytest.raises(AuthenticationError, match="a password is asked for and none is stored"):
        offering(T.VNC_AUTHENTICATION, given=credentials(None))
    with pytest.raises(AuthenticationError, match="a user name and a password"):
        joined(credentials(user=None), lock_of(T.PLAIN))
    with pytest.raises(UnsupportedError, match=r"security types \[16, 30\] are not supported"):
        offering(16, 30, given=credentials())


# --- a server that nobody has confirmed

READABLE = [T.RA2, T.RA2NE, T.RA2_256, T.RA2NE_256, T.PLAIN, T.TLS_PLAIN, T.X509_PLAIN]
LEARNT = Trust(pin=fingerprint("x509", b"certificate"), is_learnt=True)


@pytest.mark.parametrize("trust", [Trust(), LEARNT])
def test_who_nobody_has_confirmed_gets_no_password_that_it_could_read(trust):
    for kind in READABLE:
        others = [T.X509_VNC, T.VNC_AUTHENTICATION, kind]
        given = credentials(trust=trust)
        assert usable(others, given)[0] is T.X509_VNC
        assert kind not in usable(others, given)
    assert set(READABLE) == choice.READABLE


class Spy:
    """The server's side as a stranger keeps it: what it was told of passwords."""

    def __init__(self, *kinds):
        self.told = []
        self.lock = Lock(
            frozenset(kinds), check=lambda *both: self.told.append(both),
            rsa_key=rsa_key(), tls=server_tls(*server_certificate()),
        )  # fmt: skip


@pytest.mark.parametrize("kind", READABLE)
def test_a_stranger_that_asks_for_a_readable_password_is_told_none(kind):
    spy, client = Spy(kind), ClientHandshake(credentials(trust=Trust()))
    server = ServerHandshake(spy.lock)
    shows = choice.identity_of(kind) is not None
    with pytest.raises(UnconfirmedServerError if shows else UntrustedServerError) as told:
        exchange(client, server)
    assert spy.told == []
    with contextlib.suppress(UntrustedServerError):  # TLS asks each time
        assert PASSWORD not in client.data_to_send()
    if shows:
        assert f"shows {told.value.shown}, which nobody has confirmed" in str(told.value)
        pin = parse_trust(told.value.shown)
        confirmed, _ = joined(credentials(trust=pin), lock_of(kind))
        assert confirmed.stage == "done"
    else:
        assert "anybody could read" in str(told.value)
    anyone, _ = joined(credentials(), lock_of(kind))
    assert anyone.stage == "done"


def test_a_key_that_was_learnt_by_itself_opens_no_password_either():
    shown = []
    joined(dataclasses.replace(credentials(trust=Trust()), met=shown.append), lock_of(T.X509_VNC))
    learnt = parse_trust("learnt:" + shown[0])
    with pytest.raises(UnconfirmedServerError):
        joined(credentials(trust=learnt), lock_of(T.X509_PLAIN))
    assert joined(credentials(trust=learnt), lock_of(T.X509_VNC))[0].stage == "done"
    assert (
        joined(credentials(trust=parse_trust(shown[0])), lock_of(T.X509_PLAIN))[0].stage == "done"
    )


@pytest.mark.parametrize(("kind", "trust"), [(T.X509_VNC, Trust()), (T.RA2_256, ANY)])
def test_a_server_is_met_before_anything_secret_is_said(kind, trust):
    """What `met` raises ends it, and nothing more is sent."""

    def met(shown):
        raise KeyChangedError("another one, a moment ago", shown)

    client = ClientHandshake(dataclasses.replace(credentials(trust=trust), met=met))
    server = ServerHandshake(lock_of(kind))
    with pytest.raises(KeyChangedError, match="a moment ago"):
        exchange(client, server)
    assert not server.done


def test_who_takes_the_encryption_of_the_screen_away_is_told_nothing():
    pin = joined(credentials(), lock_of(T.RA2_256))[0].shown
    with pytest.raises(UntrustedServerError, match="proves that it is the one we know"):
        joined(credentials(trust=parse_trust(pin)), lock_of(T.RA2NE, T.VNC_AUTHENTICATION))
    bare = joined(credentials(), lock_of(T.RA2NE))[0].shown
    assert bare == pin.replace("rsa-", "rsa-ne-")
    for kind in (T.RA2NE, T.RA2_256):
        assert joined(credentials(trust=parse_trust(bare)), lock_of(kind))[0].stage == "done"


# --- the next one


def test_a_type_that_is_refused_leaves_the_weaker_ones_for_a_second_try():
    client = offering(T.VENCRYPT, T.RA2NE, T.VNC_AUTHENTICATION, given=credentials())
    with pytest.raises(UnsupportedError, match="offers security type 261 and cannot do it"):
        client.receive_data(b"\0\2\0" + b"\2\0\0\1\2\0\0\1\5" + b"\0", to_the_end)
    assert client.next_kinds == {T.TLS_VNC, T.RA2NE, T.VNC_AUTHENTICATION}
    lock = lock_of(T.X509_VNC, T.TLS_VNC, T.RA2NE, T.VNC_AUTHENTICATION)
    second, server = joined(credentials(), lock, among=client.next_kinds)
    assert (second.stage, server.kind) == ("done", T.TLS_VNC)


@pytest.mark.parametrize(
    ("kinds", "others"),
    [
        ((T.X509_VNC, T.TLS_VNC, T.RA2NE, T.VNC_AUTHENTICATION), {T.RA2NE}),
        ((T.X509_PLAIN, T.TLS_PLAIN, T.PLAIN, T.NONE), {T.NONE}),
        ((T.RA2_256, T.RA2, T.VNC_AUTHENTICATION, T.NONE), {T.NONE}),
        ((T.TLS_VNC, T.VNC_AUTHENTICATION), set()),
    ],
)
def test_a_password_that_was_refused_is_not_said_again_in_the_same_way(kinds, others):
    client = ClientHandshake(credentials(b"wrong"))
    with pytest.raises(AuthenticationError):
        refused(client, lock_of(*kinds))
    assert client.next_kinds == others


def test_vencrypt_that_turns_out_weaker_than_another_type_is_left_alone():
    client = offering(T.VENCRYPT, T.RA2_256, given=credentials())
    with pytest.raises(UnsupportedError, match="not the best of all"):
        client.receive_data(b"\0\2\0" + b"\1\0\0\1\2", to_the_end)
    assert client.next_kinds == {T.RA2_256, T.TLS_VNC}


def test_vencrypt_of_another_version_leaves_the_other_types():
    client = offering(T.VENCRYPT, T.VNC_AUTHENTICATION, given=credentials())
    with pytest.raises(UnsupportedError, match=r"VeNCrypt 0\.1 is not supported"):
        client.receive_data(b"\0\1", to_the_end)
    assert client.next_kinds == {T.VNC_AUTHENTICATION}


def test_a_server_that_takes_its_offer_back_is_told():
    client = ClientHandshake(credentials(), frozenset({T.VNC_AUTHENTICATION}))
    with pytest.raises(UnsupportedError, match=r"security types \[1\] are not those before"):
        client.receive_data(BANNER + b"\1\1", to_the_end)


def test_another_certificate_is_told_before_the_password():
    known = Trust(pin=fingerprint("x509", b"the former one"))
    client = ClientHandshake(credentials(trust=known))
    with pytest.raises(KeyChangedError, match="has changed"):
        refused(client, lock_of(T.X509_PLAIN))


def test_a_certificate_of_the_right_authority_and_host_is_taken_and_no_other():
    authority = Trust(ca_file=str(server_certificate(0)[0]))
    client, _ = joined(credentials(trust=authority), lock_of(T.X509_PLAIN))
    assert client.stage == "done"
    with pytest.raises(UntrustedServerError, match="certificate is not trusted"):
        joined(credentials(trust=authority, host="127.0.0.2"), lock_of(T.X509_PLAIN))
    with pytest.raises(UntrustedServerError, match="certificate is not trusted"):
        joined(credentials(trust=authority), lock_of(T.X509_PLAIN, number=1))
    with pytest.raises(UntrustedServerError, match="cannot be read as certificates"):
        joined(credentials(trust=Trust(ca_file="/nowhere")), lock_of(T.X509_PLAIN))


def test_what_is_no_tls_is_told():
    client = offering(T.VENCRYPT, given=credentials())
    with pytest.raises(ProtocolError, match="TLS failed"):
        client.receive_data(
            b"\0\2\0" + b"\1\0\0\1\6" + b"\1" + b"HTTP/1.1 400 Bad Request\r\n", to_the_end
        )
