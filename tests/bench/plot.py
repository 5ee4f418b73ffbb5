"""Line charts as SVG, written by hand: a legend, two axes, a line for each series."""

from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 360, 260
LEFT, TOP, RIGHT, BOTTOM = 56, 36, 16, 44
LEGEND = 1.4  # room above the lines
COLOURS = ("#2563eb", "#d97706", "#059669", "#b91c1c")

Series = dict[str, list[tuple[float, float]]]


@dataclass
class Chart:
    """One panel; `lines` maps a name to its points."""

    title: str
    x: str
    lines: Series

    def draw(self, shift: int) -> str:
        across = max(x for points in self.lines.values() for x, _ in points)
        highest = max(y for points in self.lines.values() for _, y in points)
        top = nice(LEGEND * highest)
        wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

        def place(x: float, y: float) -> tuple[float, float]:
            return LEFT + wide * x / across, TOP + high * (1 - y / top)

        parts = [
            f'<g transform="translate({shift})">',
            f'<text x="{LEFT}" y="18" class="t">{self.title}</text>',
        ]
        for step in range(5):
            _, y = place(0, top * step / 4)
            parts.append(f'<path d="M{LEFT} {y:.1f}h{wide}" class="g"/>')
            parts.append(
                f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="r">{top * step / 4:g}</text>'
            )
        for x in sorted({x for points in self.lines.values() for x, _ in points}):
            parts.append(
                f'<text x="{place(x, 0)[0]:.1f}" y="{TOP + high + 16}" class="m">{x:g}</text>'
            )
        parts.append(f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 8}" class="m">{self.x}</text>')
        for number, (name, points) in enumerate(self.lines.items()):
            colour = COLOURS[number % len(COLOURS)]
            path = " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in points)
            parts.append(f'<polyline points="{path}" stroke="{colour}" class="l"/>')
            at = TOP + 12 + 16 * number
            parts.append(f'<text x="{LEFT + 10}" y="{at}" fill="{colour}">{name}</text>')
        return "\n".join([*parts, "</g>"])


def nice(value: float) -> float:
    """The next number above `value` that divides well by four."""
    size = 1.0
    while size * 10 <= value:
        size *= 10
    while size > value:
        size /= 10
    return next(step * size for step in (1, 2, 4, 8, 10) if step * size >= value)


def save(path: Path, charts: list[Chart]) -> None:
    """Write the panels side by side."""
    wide = WIDTH * len(charts)
    style = (
        "text{font:12px sans-serif;fill:#64748b}.t{font-weight:600}.r{text-anchor:end}"
        ".m{text-anchor:middle}.g{stroke:#94a3b8;stroke-opacity:.4}.l{fill:none;stroke-width:2}"
    )
    style += "".join(f'text[fill="{colour}"]{{fill:{colour}}}' for colour in COLOURS)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {HEIGHT}" width="{wide}" '
        f'height="{HEIGHT}">\n<style>{style}</style>\n'
        + "\n".join(chart.draw(WIDTH * place) for place, chart in enumerate(charts))
        + "\n</svg>\n"
    )
