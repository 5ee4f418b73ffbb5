import pytest
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.errors import HungUpError
from controle_vnc.rfb.layer import PORTION_BYTES, Wrapping
from controle_vnc.rfb.stream import ByteStream


class Turned:
    """A layer that turns each byte around; 0 is the end."""

    def __init__(self):
        self.is_over = False
        self.sizes = []

    def open(self, data):
        self.sizes.append(len(data))
        data, end, _ = data.partition(b"\0")
        self.is_over = self.is_over or bool(end)
        return bytes(byte ^ 0x55 for byte in data)

    def seal(self, data):
        return bytes(byte ^ 0x55 for byte in data)


def wrapped():
    wrapping, layer = Wrapping(bytearray()), Turned()
    wrapping.wrap(layer)
    return wrapping, layer


def test_what_was_written_before_the_layer_is_sent_as_it_is():
    out = bytearray(b"plain")
    wrapping, layer = Wrapping(out), Turned()
    assert wrapping.seal(b"a") == b"a"
    assert not wrapping.encrypts
    wrapping.wrap(layer)
    out += b"secret"
    assert wrapping.encrypts
    assert wrapping.take() == b"plain" + layer.seal(b"secret")
    assert wrapping.seal(b"more") == layer.seal(b"more")


@pytest.mark.parametrize(
    ("size", "sizes"),
    [(PORTION_BYTES, [PORTION_BYTES]), (PORTION_BYTES + 1, [PORTION_BYTES, 1])],
)
def test_a_layer_opens_a_portion_at_once(size, sizes):
    wrapping, layer = wrapped()
    assert len(wrapping.open(b"x" * size)) == sizes[0]
    assert wrapping.can_go_on == (len(sizes) > 1)
    assert len(wrapping.open(b"")) == sum(sizes[1:])
    assert not wrapping.can_go_on
    assert len(wrapping.open_all(b"x" * size)) == size


def pairs(seen, wrapping, layer_at):
    while True:
        seen.append((yield 2))
        if len(seen) == layer_at:
            wrapping.wrap(Turned())


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 3 * PORTION_BYTES))
def test_a_parser_reads_the_same_however_it_is_cut_and_interrupted(layer_at, parts, length):
    text = bytes(1 + at % 50 for at in range(2 * layer_at + length // 2 * 2))
    sent = text[: 2 * layer_at] + Turned().seal(text[2 * layer_at :])
    size = len(sent) // parts + 1
    seen, wrapping = [], Wrapping(bytearray())
    stream = ByteStream(pairs(seen, wrapping, layer_at), wrapping)
    for at in range(0, len(sent), size):
        stream.feed(sent[at : at + size], lambda: len(seen) % 1000 == 999)
        while stream.can_go_on:
            stream.feed(b"", lambda: len(seen) % 1000 == 999)
    assert b"".join(seen) == text


def test_a_turn_that_is_over_opens_no_further_portion():
    seen, (wrapping, layer) = [], wrapped()
    stream = ByteStream(pairs(seen, wrapping, 0), wrapping)
    stream.feed(b"x" * (3 * PORTION_BYTES), lambda: len(seen) == PORTION_BYTES // 2)
    assert layer.sizes == [PORTION_BYTES]
    assert stream.can_go_on
    stream.feed(b"")
    assert layer.sizes == [PORTION_BYTES] * 3
    assert len(seen) == 3 * PORTION_BYTES // 2
    assert not stream.can_go_on


def test_the_end_is_told_after_all_that_was_said_before_it():
    seen, (wrapping, _) = [], wrapped()
    stream = ByteStream(pairs(seen, wrapping, 0), wrapping)
    stream.feed(b"xxxx\0", lambda: True)
    assert len(seen) == 1
    with pytest.raises(HungUpError, match="nothing more follows"):
        stream.feed(b"")
    assert len(seen) == 2
