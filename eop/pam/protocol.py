"""What eop-pam and those who ask it say: `u16 length`, then one MessagePack message. Pure.

One request a connection, one answer, big-endian.
"""

import re
import struct
from typing import Annotated, Literal

import msgspec

HEADER_BYTES = 2
MAX_LOGIN_CHARACTERS = 64  # as the directory's
MAX_PASSWORD_BYTES = 511  # PAM_MAX_RESP_SIZE is 512, a zero at its end: modules refuse more
MAX_MESSAGE_BYTES = 1024  # the longest login and password, and the names of their fields

# what useradd, SSSD and winbind give, in the one spelling of the directory: lower case
_LOGIN = re.compile(rf"[a-z0-9_][a-z0-9_.@+-]{{0,{MAX_LOGIN_CHARACTERS - 1}}}")

Outcome = Literal["ok", "wrong", "expired", "locked", "must_change", "disabled", "error"]


class ProtocolError(ValueError):
    """The other side broke the protocol or a limit; the text holds nothing it sent."""


class SignIn(msgspec.Struct, tag="sign_in", tag_field="kind", forbid_unknown_fields=True):
    """Is this the password of that account, and may the account be used?"""

    login: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LOGIN_CHARACTERS)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PASSWORD_BYTES)]

    def __repr__(self) -> str:
        return "SignIn(…)"  # a log may show it; the password may be in either field


class Hello(msgspec.Struct, tag="hello", tag_field="kind", forbid_unknown_fields=True):
    """Are you there?"""


class Answer(msgspec.Struct, tag="answer", tag_field="kind", forbid_unknown_fields=True):
    """What PAM says; `is_proven` where the password was right, whatever the outcome."""

    outcome: Outcome
    is_proven: bool = False


class Ready(msgspec.Struct, tag="ready", tag_field="kind", forbid_unknown_fields=True):
    """To a `Hello`: the PAM service that is asked."""

    service: str


Request = SignIn | Hello
Reply = Answer | Ready

_requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def may_be_asked(login: str, password: str) -> bool:
    """Whether PAM may see these: a strict login, a password that is one and fits."""
    try:
        length = len(password.encode())
    except UnicodeEncodeError:  # half a character, which JSON can write
        return False
    return (
        _LOGIN.fullmatch(login) is not None
        and 0 < length <= MAX_PASSWORD_BYTES
        and "\0" not in password
    )


def pack(message: Request | Reply) -> bytes:
    """The bytes of one message as they are sent."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"a message of {len(body)} bytes; {MAX_MESSAGE_BYTES} are allowed")
    return struct.pack(">H", len(body)) + body


def body_length(header: bytes) -> int:
    """How many bytes follow `header`; raises `ProtocolError` beyond the limit."""
    (length,) = struct.unpack(">H", header)
    if not 0 < length <= MAX_MESSAGE_BYTES:
        raise ProtocolError(
            f"a message of {length} bytes; between 1 and {MAX_MESSAGE_BYTES} are allowed"
        )
    return int(length)


def read_request(body: bytes | bytearray) -> Request:
    """The request in `body`; raises `ProtocolError`."""
    try:
        return _requests.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ProtocolError("a request that cannot be read") from None


def read_reply(body: bytes | bytearray) -> Reply:
    """The reply in `body`; raises `ProtocolError`."""
    try:
        return _replies.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ProtocolError("a reply that cannot be read") from None
