import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.security_types.eax import Eax

# The first vectors of the paper that defines EAX: key, nonce, header, text, result.
VECTORS = [
    (
        "233952DEE4D5ED5F9B9C6D6FF80FF478",
        "62EC67F9C3A4A407FCB2A8C49031A8B3",
        "6BFB914FD07EAE6B",
        "",
        "E037830E8389F27B025A2D6527E79D01",
    ),
    (
        "91945D3F4DCBEE0BF45EF52255F095A4",
        "BECAF043B0A23D843194BA972C66DEBD",
        "FA3BFD4806EB53FA",
        "F7FB",
        "19DD5C4C9331049D0BDAB0277408F67967E5",
    ),
]


def doubled(block):
    number = int.from_bytes(block, "big") << 1
    return ((number & (1 << 128) - 1) ^ (0x87 if number >> 128 else 0)).to_bytes(16, "big")


def xored(one, other):
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def by_blocks(key, nonce, header, text):
    """EAX again, from AES of single blocks alone."""

    def aes(block):
        encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        return encryptor.update(block) + encryptor.finalize()

    def omac(number, data):
        data = bytes(15) + bytes([number]) + data
        whole = len(data) % 16 == 0
        last = doubled(aes(bytes(16)))
        if not whole:
            last = doubled(last)
            data += b"\x80" + bytes(-(len(data) + 1) % 16)
        state = bytes(16)
        for at in range(0, len(data) - 16, 16):
            state = aes(xored(state, data[at : at + 16]))
        return aes(xored(xored(state, data[-16:]), last))

    start = int.from_bytes(omac(0, nonce), "big")
    sealed = b""
    for at in range(0, len(text), 16):
        counter = ((start + at // 16) % (1 << 128)).to_bytes(16, "big")
        block = text[at : at + 16]
        sealed += xored(block, aes(counter)[: len(block)])
    return sealed + xored(xored(omac(0, nonce), omac(1, header)), omac(2, sealed))


@pytest.mark.parametrize(("key", "nonce", "header", "text", "sealed"), VECTORS)
def test_it_is_the_mode_of_the_paper(key, nonce, header, text, sealed):
    key, nonce, header, text, sealed = map(bytes.fromhex, (key, nonce, header, text, sealed))
    assert Eax(key).seal(nonce, header, text) == sealed
    assert Eax(key).open(nonce, header, sealed) == text
    assert by_blocks(key, nonce, header, text) == sealed


@given(
    key=st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32),
    nonce=st.binary(min_size=16, max_size=16),
    header=st.binary(max_size=20),
    text=st.binary(max_size=70),
)
def test_it_agrees_with_a_second_implementation(key, nonce, header, text):
    assert Eax(key).seal(nonce, header, text) == by_blocks(key, nonce, header, text)


@pytest.mark.parametrize("at", [0, 3, 4, 19])
def test_a_changed_byte_is_told(at):
    sealed = bytearray(Eax(bytes(16)).seal(bytes(16), b"\0\4", b"text"))
    sealed[at] ^= 1
    with pytest.raises(ProtocolError, match="changed on its way"):
        Eax(bytes(16)).open(bytes(16), b"\0\4", bytes(sealed))


def test_another_header_nonce_or_length_is_told():
    eax = Eax(bytes(32))
    sealed = eax.seal(bytes(16), b"\0\4", b"text")
    for nonce, header, data in (
        (bytes(15) + b"\1", b"\0\4", sealed),
        (bytes(16), b"\0\5", sealed),
        (bytes(16), b"\0\4", sealed[:-1]),
        (bytes(16), b"\0\4", b""),
    ):
        with pytest.raises(ProtocolError):
            eax.open(nonce, header, data)
