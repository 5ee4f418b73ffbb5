"""What one viewer has been shown of a screen, and what is new to it."""

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.grid import Change, Grid, clipped
from controle_vnc.framebuffer.rect import EMPTY, Rect


class Shown:
    """Remembers a moment, and the few cells of which the viewer has missed something since."""

    def __init__(self) -> None:
        self.bounds = EMPTY
        """The screen as the viewer knows it."""
        self.seen = 0
        self.missed: set[int] = set()
        self._grid: Grid | None = None
        self._window = EMPTY

    def follow(self, framebuffer: Framebuffer) -> Rect:
        """Start over if the screen is another one; the part of it that the viewer can show."""
        window = framebuffer.bounds.intersection(self.bounds)
        if self._grid is not framebuffer.grid or self._window != window:
            self._grid, self._window, self.seen = framebuffer.grid, window, 0
            self.missed.clear()
        return window

    def has_seen(self, framebuffer: Framebuffer) -> bool:
        """Whether the viewer was shown anything of the screen as it is now."""
        return self._grid is framebuffer.grid and self.seen > 0

    def has_all(self, framebuffer: Framebuffer, stamp: int) -> bool:
        """Whether the viewer shows everything that has changed up to `stamp`."""
        return self._grid is framebuffer.grid and self.seen == stamp and not self.missed

    def take(self, framebuffer: Framebuffer, rect: Rect, incremental: bool) -> list[Change]:
        """What to show of `rect`: what is new there, or all; it counts as shown."""
        window = self.follow(framebuffer)
        area = rect.intersection(window)
        if area.is_empty:
            return []
        grid = framebuffer.grid
        if incremental:
            return self._take_new(grid, area, window)
        if area == window:
            self.seen = grid.stamp
            self.missed.clear()
        return clipped(grid.within(area), window)

    def _take_new(self, grid: Grid, area: Rect, window: Rect) -> list[Change]:
        """What is new within `area`; the cells outside that have changed are remembered."""
        new = {change.cell: change for change in clipped(grid.since(self.seen), window)}
        if self.missed:
            whole = clipped(grid.within(window), window)
            new.update({change.cell: change for change in whole if change.cell in self.missed})
        self.seen = grid.stamp
        shown = [one for one in new.values() if not one.box.intersection(area).is_empty]
        self.missed = new.keys() - {change.cell for change in shown}
        return shown
