"""What one viewer is sent of a screen that many look at. Knows no connection."""

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.shown import Shown
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.rfb.viewer_messages import UpdateRequest
from controle_vnc.room.feed import Feed


class Sight(Shown):
    """Asks the feed of a workstation for the newest; holds nothing of what it was shown."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed

    def close(self) -> None:
        self._feed.leave(self)

    async def update(
        self, framebuffer: Framebuffer, quality: Quality, wanted: UpdateRequest
    ) -> bytes:
        """One FramebufferUpdate for `wanted`; `b""` where nothing in it is new."""
        window = self.follow(framebuffer)
        area = wanted.rect.intersection(window)
        if area.is_empty:
            return b""
        edition = self._feed.edition(self, quality, framebuffer)
        if area != window or (self.missed and wanted.incremental):
            return await edition.show(self.take(framebuffer, area, wanted.incremental))
        seen = self.seen if wanted.incremental else 0
        if seen == framebuffer.grid.stamp:
            return b""
        self.missed.clear()
        update = await edition.since(seen, window)
        self.seen = update.stamp
        return update.data
