"""Small pictures in terminals that can show them: Kitty's protocol, iTerm2's, and Sixel."""

import base64
import io
from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import groupby

import numpy as np
from PIL import Image

_CHUNK = 4096
_ROWS = 6
"""Lines of text that a picture is as high as."""

_SIXEL_HEIGHT = 96
_SIXEL_COLOURS = 64


class Terminal(Enum):
    """How a terminal is told to show a picture."""

    KITTY = "kitty"
    ITERM = "iterm"
    SIXEL = "sixel"

    @classmethod
    def of(cls, environment: Mapping[str, str], *, is_terminal: bool) -> "Terminal | None":
        """Return what the terminal of this environment understands; None where words have to do."""
        term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
        # Within a multiplexer such sequences end up as text, or in the wrong pane.
        if not is_terminal or "TMUX" in environment or term.startswith(("screen", "tmux", "dumb")):
            return None
        if "KITTY_WINDOW_ID" in environment or "kitty" in term or program.lower() == "ghostty":
            return cls.KITTY
        if program in ("iTerm.app", "WezTerm", "mintty"):
            return cls.ITERM
        return cls.SIXEL if "sixel" in term or term.startswith(("foot", "mlterm", "contour")) else None

    def shown(self, picture: bytes) -> str:
        """Return what is written to show an encoded picture."""
        if self is Terminal.SIXEL:
            return _sixel(picture)
        if self is Terminal.ITERM:
            text = base64.b64encode(picture).decode("ascii")
            return f"\x1b]1337;File=inline=1;height={_ROWS};size={len(picture)}:{text}\a"
        return _kitty(picture)


def _kitty(picture: bytes) -> str:
    """Return the picture as PNG in chunks, as Kitty's graphics protocol wants it."""
    encoded = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").save(encoded, "PNG")
    text = base64.b64encode(encoded.getvalue()).decode("ascii")

    chunks = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
    parts = []
    for place, chunk in enumerate(chunks):
        control = f"a=T,f=100,r={_ROWS}," if place == 0 else ""
        parts.append(f"\x1b_G{control}m={int(place < len(chunks) - 1)};{chunk}\x1b\\")
    return "".join(parts)


def _sixel(picture: bytes) -> str:
    """Return the picture in Sixel (DEC, 1984): bands of six rows, each drawn once for every colour in it."""
    with Image.open(io.BytesIO(picture)) as opened:
        rgb = opened.convert("RGB")
        rgb.thumbnail((_SIXEL_HEIGHT * 2, _SIXEL_HEIGHT))
        image = rgb.quantize(_SIXEL_COLOURS)

    palette = image.getpalette() or []
    pixels = np.asarray(image)
    lines = []
    for top in range(0, image.height, 6):
        drawn: dict[int, list[int]] = {}
        for row in range(top, min(top + 6, image.height)):
            for column in range(image.width):
                colour = int(pixels[row, column])
                drawn.setdefault(colour, [0] * image.width)[column] |= 1 << (row - top)
        lines.append("$".join(f"#{colour}{_in_runs(band)}" for colour, band in drawn.items()))

    used = range(len(palette) // 3)
    colours = "".join(
        f"#{one};2;{';'.join(str(round(value / 2.55)) for value in palette[one * 3 : one * 3 + 3])}" for one in used
    )
    return f'\x1bPq"1;1;{image.width};{image.height}{colours}{"-".join(lines)}\x1b\\'


def _in_runs(band: Sequence[int]) -> str:
    """Return the columns of a band, six bits each, as Sixel writes them: repeated ones once, with their number."""
    runs = [(chr(63 + bits), len(list(same))) for bits, same in groupby(band)]
    return "".join(f"!{count}{column}" if count > 3 else column * count for column, count in runs)
