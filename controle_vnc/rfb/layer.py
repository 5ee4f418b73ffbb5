"""What lies between the wire and RFB once a security type encrypts: TLS, or RA2's own messages."""

from typing import Protocol


class Layer(Protocol):
    """Turns bytes of the wire into bytes of RFB and back. Does no input or output itself."""

    def open(self, data: bytes) -> bytes:
        """What `data` of the wire says, as far as it is whole.

        Raises `ProtocolError` and, for a server that is not the one we know,
        `UntrustedServerError`; the connection is dead then.
        """

    def seal(self, data: bytes) -> bytes:
        """What is to be sent so that the other end reads `data`, after what the layer has to say.

        May hold `data` back until the other end has proven itself: ask again, with `b""`, after
        each `open`.
        """

    @property
    def is_over(self) -> bool:
        """The other end has said that nothing more follows."""


class Wrapping:
    """The bytes to be sent, and the layer they go through from some moment on.

    What is written to `out` before `wrap` is sent as it is.
    """

    def __init__(self, out: bytearray) -> None:
        self._out = out
        self._ready = bytearray()
        self.layer: Layer | None = None

    def wrap(self, layer: Layer) -> None:
        """From now on both directions go through `layer`."""
        self._ready += self._out
        self._out.clear()
        self.layer = layer

    def take(self) -> bytes:
        """What is to be sent now, as the wire carries it."""
        data = bytes(self._out)
        self._out.clear()
        if self.layer is not None:
            data = bytes(self._ready) + self.layer.seal(data)
            self._ready.clear()
        return data
