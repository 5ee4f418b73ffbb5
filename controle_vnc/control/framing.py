"""How messages lie in a byte stream: `u32 length`, then MessagePack and perhaps its code. Pure."""

import ipaddress
import struct
from typing import Any

import msgspec

from controle_vnc.control.messages import MAX_MESSAGE_BYTES, Message, encode
from controle_vnc.control.secret import Seal
from controle_vnc.errors import ProtocolError

HEADER_BYTES = 4
OPEN = Seal(None)
"""The seal of messages without a code: the greeting, and the gateway's socket."""


def pack(message: Message, seal: Seal = OPEN) -> bytes:
    """The bytes of one message as they are sent."""
    body = encode(message)
    if len(body) > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"a message of {len(body)} bytes is larger than {MAX_MESSAGE_BYTES}")
    sealed = seal.close(body)
    return struct.pack(">I", len(sealed)) + sealed


def body_length(header: bytes, limit: int, seal: Seal = OPEN) -> int:
    """How many bytes follow `header`; raises `ProtocolError` beyond `limit` and the code."""
    (length,) = struct.unpack(">I", header)
    if not seal.overhead < length <= limit + seal.overhead:
        raise ProtocolError(f"a message of {length} bytes; between 1 and {limit} are allowed")
    return int(length)


def unpack(body: bytes, decoder: "msgspec.msgpack.Decoder[Any]", seal: Seal = OPEN) -> Any:
    """The message in `body`; raises `ProtocolError` where it is none of the decoder's."""
    message = seal.open(body)
    try:
        return decoder.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProtocolError(f"a message cannot be read: {error}") from error


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine by its very writing (names are not looked up)."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
