"""A server that shrinks its screen for us, where nobody needs all of it: when to ask. Pure.

UltraVNC's SetScale (message type 8), which every server made with LibVNCServer takes. Such a server
tells so itself; any other is never asked: TigerVNC hangs up at a message that it does not know.
"""

MAX_FACTOR = 16  # 8K for a tile of 480 pixels; the message has a byte for it
MAX_ANSWERS = 4  # that may be on their way already, before the one with the new size


class Scaling:
    """By how much one connection's screen of `width` × `height` is shrunk."""

    def __init__(self, width: int, height: int) -> None:
        self._full = (width, height)
        self._factor = 1
        self._answers: int | None = None

    @property
    def is_full(self) -> bool:
        """The picture has every pixel of the screen."""
        return self._factor == 1 and not self.is_awaited

    @property
    def is_awaited(self) -> bool:
        """The server was asked for another size and has not told it yet."""
        return self._answers is not None

    def wish(self, shown_width: int | None) -> int | None:
        """The factor to ask for now, so that `shown_width` pixels remain (`None`: all of them).

        `None` where there is nothing to ask.
        """
        if self.is_awaited:
            return None
        factor = 1
        if shown_width is not None:
            factor = min(max(1, self._full[0] // shown_width), max(1, self._full[1]), MAX_FACTOR)
        return None if factor == self._factor else factor

    def asked(self, factor: int) -> None:
        self._factor = factor
        self._answers = 0

    def resized(self, width: int, height: int) -> bool:
        """The server told a size: whether that is what it was asked for, or the screen's own."""
        if (width, height) == (self._full[0] // self._factor, self._full[1] // self._factor):
            self._answers = None
            return True
        if self.is_full:
            self._full = (width, height)
            return True
        return False

    def answered(self) -> bool:
        """An update came: whether a server that shrinks might still not have told its new size."""
        if self._answers is not None:
            self._answers += 1
        return (self._answers or 0) <= MAX_ANSWERS
