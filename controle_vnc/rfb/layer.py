"""What lies between the wire and RFB once a security type encrypts: TLS, or RA2's own messages."""

from typing import Protocol

PORTION_BYTES = 16 * 1024  # opened in one go: messages may be of one byte, and each takes its time


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
        """The other end has said that nothing more follows; `open` takes nothing more then."""


class Wrapping:
    """Both directions of one connection, and the layer that they go through from some moment on.

    It alone holds the layer: whoever reads asks `open`, whoever writes `take` or `seal`. What is
    written to `out` before `wrap` is sent as it is.
    """

    def __init__(self, out: bytearray) -> None:
        self._out = out
        self._ready = bytearray()
        self._sealed = bytearray()
        self._layer: Layer | None = None
        self.is_new = False
        """There is a layer since the last `open`: what was not read yet has to be opened."""

    def wrap(self, layer: Layer) -> None:
        """From now on both directions go through `layer`."""
        self._ready += self._out
        self._out.clear()
        self._layer = layer
        self.is_new = True

    @property
    def encrypts(self) -> bool:
        """There is a layer."""
        return self._layer is not None

    # --- in

    def open(self, data: bytes) -> bytes:
        """What `data` of the wire says: all of it, or where there is a layer the next portion.

        Where `can_go_on` says so, `open(b"")` gives the one after. Raises what the layer raises.
        """
        self.is_new = False
        if self._layer is None:
            return data
        self._sealed += data
        portion = bytes(self._sealed[:PORTION_BYTES])
        del self._sealed[:PORTION_BYTES]
        opened = self._layer.open(portion)
        if self._layer.is_over:
            self._sealed.clear()  # it is to be ignored (RFC 8446 §6.1)
        return opened

    def open_all(self, data: bytes) -> bytes:
        """As `open`, whatever time it takes."""
        parts = [self.open(data)]
        while self.can_go_on:
            parts.append(self.open(b""))
        return b"".join(parts)

    @property
    def can_go_on(self) -> bool:
        """Not all that came is opened."""
        return bool(self._sealed)

    @property
    def is_over(self) -> bool:
        """The other end has said, by its layer, that nothing more follows."""
        return self._layer is not None and self._layer.is_over

    # --- out

    def take(self) -> bytes:
        """What is to be sent now, as the wire carries it."""
        data = bytes(self._out)
        self._out.clear()
        if self._layer is not None:
            data = bytes(self._ready) + self._layer.seal(data)
            self._ready.clear()
        return data

    def seal(self, data: bytes) -> bytes:
        """`data` as the wire carries it, after everything that was taken."""
        return data if self._layer is None else self._layer.seal(data)
