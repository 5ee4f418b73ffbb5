"""What one viewer has been shown of a screen, and what is new to it. Knows no connection."""

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.grid import Change, Grid
from controle_vnc.framebuffer.rect import EMPTY, Rect
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.rfb.viewer_messages import UpdateRequest
from controle_vnc.room.feed import Feed, clipped


class Sight:
    """Asks the feed of a workstation for the newest; holds nothing of what it was shown."""

    def __init__(self, feed: Feed) -> None:
        self.bounds = EMPTY
        """The screen as the viewer knows it."""
        self._feed = feed
        self._grid: Grid | None = None
        self._seen = 0
        self._missed: set[int] = set()

    def close(self) -> None:
        self._feed.leave(self)

    def has_seen(self, framebuffer: Framebuffer) -> bool:
        """Whether the viewer was shown anything of the screen as it is now."""
        return self._grid is framebuffer.grid and self._seen > 0

    async def update(
        self, framebuffer: Framebuffer, quality: Quality, wanted: UpdateRequest
    ) -> bytes:
        """One FramebufferUpdate for `wanted`; `b""` where nothing in it is new."""
        grid = framebuffer.grid
        if self._grid is not grid:
            self._grid, self._seen = grid, 0
            self._missed.clear()
        window = framebuffer.bounds.intersection(self.bounds)
        area = wanted.rect.intersection(window)
        if area.is_empty:
            return b""
        edition = self._feed.edition(self, quality, framebuffer)
        if not wanted.incremental and area != window:
            return await edition.show(clipped(grid.within(area), window))
        if area != window or (self._missed and wanted.incremental):
            return await edition.show(self._take(grid, area, window))
        seen = self._seen if wanted.incremental else 0
        if seen == grid.stamp:
            return b""
        self._missed.clear()
        update = await edition.since(seen, window)
        self._seen = update.stamp
        return update.data

    def _take(self, grid: Grid, area: Rect, window: Rect) -> list[Change]:
        """What is new within `area`; the cells outside that have changed are remembered."""
        new = {change.cell: change for change in clipped(grid.since(self._seen), window)}
        if self._missed:
            whole = clipped(grid.within(window), window)
            new.update({change.cell: change for change in whole if change.cell in self._missed})
        self._seen = grid.stamp
        shown = [one for one in new.values() if not one.box.intersection(area).is_empty]
        self._missed = new.keys() - {change.cell for change in shown}
        return shown
