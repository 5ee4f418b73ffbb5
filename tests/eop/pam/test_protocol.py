import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.pam.protocol import (
    HEADER_BYTES,
    MAX_LOGIN_CHARACTERS,
    MAX_MESSAGE_BYTES,
    MAX_PASSWORD_BYTES,
    Answer,
    Hello,
    ProtocolError,
    Ready,
    SignIn,
    body_length,
    may_be_asked,
    pack,
    read_reply,
    read_request,
)


def body(message):
    data = pack(message)
    assert body_length(data[:HEADER_BYTES]) == len(data) - HEADER_BYTES
    return data[HEADER_BYTES:]


@pytest.mark.parametrize("message", [Hello(), SignIn("camille", "a password")])
def test_a_request_is_read_as_it_was_written(message):
    assert read_request(body(message)) == message


@pytest.mark.parametrize("message", [Ready("eop"), Answer("must_change", True), Answer("wrong")])
def test_a_reply_is_read_as_it_was_written(message):
    assert read_reply(body(message)) == message


@given(st.binary(max_size=MAX_MESSAGE_BYTES))
def test_any_bytes_are_a_request_or_refused(data):
    try:
        request = read_request(data)
    except ProtocolError:
        return
    assert isinstance(request, SignIn | Hello)


@given(st.binary(max_size=MAX_MESSAGE_BYTES))
def test_any_bytes_are_a_reply_or_refused(data):
    try:
        reply = read_reply(data)
    except ProtocolError:
        return
    assert isinstance(reply, Answer | Ready)


values = st.one_of(st.none(), st.text("aé\0 ", max_size=80), st.integers(0, 9))
fields = st.fixed_dictionaries(
    {"kind": st.sampled_from(["sign_in", "sign_in", "hello", "other"])},
    optional={"login": values, "password": values, "more": values},
)


@given(fields)
def test_whatever_the_fields_a_request_holds_two_bounded_texts(values):
    try:
        request = read_request(msgspec.msgpack.encode(values))
    except ProtocolError:
        return
    if isinstance(request, SignIn):
        assert 1 <= len(request.login) <= MAX_LOGIN_CHARACTERS
        assert 1 <= len(request.password) <= MAX_PASSWORD_BYTES


@given(st.binary(min_size=HEADER_BYTES, max_size=HEADER_BYTES))
def test_a_length_is_within_the_limit_or_refused(header):
    length = int.from_bytes(header, "big")
    if 0 < length <= MAX_MESSAGE_BYTES:
        assert body_length(header) == length
    else:
        with pytest.raises(ProtocolError, match=f"a message of {length} bytes"):
            body_length(header)


def test_the_longest_login_and_password_fit_and_one_more_does_not():
    login, password = "a" * MAX_LOGIN_CHARACTERS, "p" * MAX_PASSWORD_BYTES
    assert may_be_asked(login, password)
    assert read_request(body(SignIn(login, password))) == SignIn(login, password)
    assert not may_be_asked(login + "a", password)
    assert not may_be_asked(login, password + "p")
    for longer in (SignIn(login + "a", password), SignIn(login, password + "p")):
        with pytest.raises(ProtocolError, match="cannot be read"):
            read_request(body(longer))
    with pytest.raises(ProtocolError, match=f"{MAX_MESSAGE_BYTES} are allowed"):
        pack(SignIn(login, "é" * MAX_PASSWORD_BYTES))


def test_a_password_is_measured_in_bytes():
    assert may_be_asked("camille", "é" * (MAX_PASSWORD_BYTES // 2))
    assert not may_be_asked("camille", "é" * (MAX_PASSWORD_BYTES // 2 + 1))


@pytest.mark.parametrize(
    "login",
    ["camille", "camille.lefevre", "c", "0123", "_apt", "c@school.example", "a+b", "a-b", "a_b"],
)
def test_a_login_of_a_machine_is_asked_about(login):
    assert may_be_asked(login, "x")


@pytest.mark.parametrize(
    "login",
    [
        "", "-rf", ".", "..", "Camille", "élodie", "a b", "a/b", "../x", "a:b", "a\nb", "a\n",
        "a\0", "school\\a", "$(id)", "a%s", "*", "a,b",
    ],
)  # fmt: skip
def test_what_is_no_strict_login_is_not(login):
    assert not may_be_asked(login, "x")


@pytest.mark.parametrize("password", ["", "a\0b", "\udc80"])
def test_what_is_no_password_is_not_asked_about(password):
    assert not may_be_asked("camille", password)


def test_what_is_said_of_a_bad_request_holds_nothing_of_it():
    sent = {"kind": "sign_in", "login": "camille", "password": "secret", "secret": "secret"}
    with pytest.raises(ProtocolError) as refused:
        read_request(msgspec.msgpack.encode(sent))
    assert str(refused.value) == "a request that cannot be read"
    assert refused.value.__suppress_context__


def test_a_request_that_is_shown_shows_nothing():
    assert repr(SignIn("a login", "a password")) == "SignIn(…)"
