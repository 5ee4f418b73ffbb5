"""What demonstration desktops look like: colours, hills, texts. Nothing runs here."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 1280, 720
HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
TEXTS = HERE / "texts"

Hills = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Colours:
    """Of one desktop: sky and hills behind, the terminal's ground and letters, the note."""

    sky: str
    hills: str
    ground: str
    letters: str
    note: str


COLOURS = (
    Colours("#7fb2d9", "#2f6690", "#0f1c2e", "#d6e4f0", "#fff3b0"),
    Colours("#f2b880", "#a44a3f", "#2b1d1a", "#f5e6d8", "#ffe0d0"),
    Colours("#a8d5ba", "#2a6f4e", "#10241a", "#dcf2e3", "#f4f7c5"),
    Colours("#c9b6e4", "#5b4b8a", "#1d1730", "#e8e0f7", "#fde2f3"),
    Colours("#f7d9c4", "#3d5a80", "#14213d", "#f1faee", "#e0fbfc"),
    Colours("#9ad1d4", "#007090", "#01161e", "#d9f0ff", "#fff8d6"),
    Colours("#e8dab2", "#4f6d7a", "#22252b", "#eae6d8", "#dff3e4"),
    Colours("#f4acb7", "#9d4a6c", "#2a1520", "#ffe5ec", "#fdf0d5"),
)
TYPED = (
    ("python.txt", "Python - exercices"),
    ("essay.txt", "Rédaction"),
    ("sql.txt", "psql - bibliothèque"),
    ("english.txt", "English - unit 3"),
)
READ = (
    ("volcano.txt", "Les volcans"),
    ("light.txt", "The speed of light"),
    ("tortoise.txt", "Le lièvre et la tortue"),
)


def colours(number: int) -> Colours:
    """The colours of the desktop of that number (from 1)."""
    return COLOURS[(number - 1) % len(COLOURS)]


def typed(number: int) -> tuple[Path, str]:
    """What is typed there, and under which title."""
    name, title = TYPED[(number - 1) % len(TYPED)]
    return TEXTS / name, title


def read(number: int) -> tuple[Path, str]:
    """What is read there, and under which title."""
    name, title = READ[(number - 1) % len(READ)]
    return TEXTS / name, title


def hills(number: int) -> Hills:
    """Where the hills are (and the sun): one value a pixel, different for every number."""
    luck = np.random.default_rng(number)
    x = np.arange(WIDTH)
    height = sum(
        luck.uniform(15, 80) / wave * np.sin(x * wave * 2 * np.pi / WIDTH + luck.uniform(0, 6))
        for wave in (1, 2, 3, 5)
    )
    rows = np.arange(HEIGHT)[:, None]
    shape: Hills = rows > HEIGHT * luck.uniform(0.5, 0.7) - height
    sun_x, sun_y = luck.uniform(0.35, 0.75) * WIDTH, luck.uniform(60, 120)
    sun = (x - sun_x) ** 2 + (rows - sun_y) ** 2 < luck.uniform(30, 50) ** 2
    return shape | sun


def to_xbm(shape: Hills) -> str:
    """The same as an X bitmap."""
    rows, columns = shape.shape
    data = np.packbits(shape, axis=1, bitorder="little").tobytes()
    listed = ",".join(f"0x{byte:02x}" for byte in data)
    return (
        f"#define hills_width {columns}\n#define hills_height {rows}\n"
        f"static unsigned char hills_bits[] = {{\n{listed}}};\n"
    )
