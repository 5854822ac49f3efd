"""A sheet to draw designs on: its colours and type, text that fits into boxes, and invented artwork."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from guardian.evaluation.lettering import Lettering, any_lettering, fitting
from guardian.evaluation.pictures import Colour, Picture, clipped, colour_of, covering, pixels_of

Painter = Callable[[np.random.Generator, Picture], Picture]
"""Draws one picture of a design: what is particular comes from the generator; the picture is for where one is shown."""

Design = Callable[[np.random.Generator], Painter]
"""Draws all that the pictures of one design share, and returns what draws the pictures."""

Box = tuple[float, float, float, float]
"""left, top, right, bottom in shares of the sheet (0-1)"""

_MARGIN = 0.04


@dataclass(frozen=True, slots=True)
class Style:
    """What the pictures of one design share: size in pixels, colours, type, and the width of lines in pixels."""

    width: int
    height: int
    paper: Colour
    ink: Colour
    accent: Colour
    second: Colour
    text: Lettering
    heading: Lettering
    line: int


def any_style(generator: np.random.Generator, ratio: float | None = None) -> Style:
    """Draw a style; `ratio` is width by height, any when it is None."""
    longer = int(generator.integers(420, 1000))
    ratio = ratio or float(np.exp(generator.uniform(-0.45, 0.45)))
    width, height = (longer, int(longer / ratio)) if ratio > 1 else (int(longer * ratio), longer)
    light, dark = clipped(generator.integers(215, 256, 3)), clipped(generator.integers(0, 60, 3))
    paper, ink = (dark, light) if generator.random() < 0.2 else (light, dark)
    if generator.random() < 0.3:
        paper, ink = (np.full(3, 255), np.full(3, 0))
    text = any_lettering(generator)
    heading = text if generator.random() < 0.5 else any_lettering(generator)
    line = int(generator.integers(1, 4))
    return Style(
        width, height, _colour(paper), _colour(ink), colour_of(generator), colour_of(generator), text, heading, line
    )


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = (int(part) for part in values)
    return red, green, blue


class Sheet:
    """A picture in the making. Boxes and points are in shares (0-1) of its width and height."""

    def __init__(self, style: Style, ground: Colour | None = None) -> None:
        self.style = style
        self.image = Image.new("RGB", (style.width, style.height), ground or style.paper)
        self.draw = ImageDraw.Draw(self.image)

    def pixels(self, box: Box) -> tuple[int, int, int, int]:
        """Return a box in pixels, right and bottom not before left and top."""
        left, top, right, bottom = box
        x, y = int(left * self.style.width), int(top * self.style.height)
        return x, y, max(x, int(right * self.style.width)), max(y, int(bottom * self.style.height))

    def line(self, x: float, y: float, to_x: float, to_y: float, ink: Colour | None = None, width: int = 0) -> None:
        """Draw a straight line, of the style's colour and width unless told otherwise."""
        self.draw.line(self.pixels((x, y, 0, 0))[:2] + self.pixels((to_x, to_y, 0, 0))[:2],
                       fill=ink or self.style.ink, width=width or self.style.line)  # fmt: skip

    def box(self, box: Box, fill: Colour | None = None, outline: Colour | None = None, radius: float = 0) -> None:
        """Draw a rectangle, with round corners of `radius` pixels."""
        width = self.style.line if outline else 0
        self.draw.rounded_rectangle(self.pixels(box), radius, fill=fill, outline=outline, width=width)

    def text(
        self, box: Box, words: str, ink: Colour | None = None, anchor: str = "m", *, heading: bool = False
    ) -> None:
        """Write words as large as fits; `anchor`: m in the middle of the box, l at its left, r at its right."""
        left, top, right, bottom = self.pixels(box)
        lettering = self.style.heading if heading else self.style.text
        font, _ = fitting(lettering, words, right - left, bottom - top)
        x = {"l": left, "m": (left + right) / 2, "r": right}[anchor]
        align = {"l": "left", "m": "center", "r": "right"}[anchor]
        self.draw.multiline_text(
            (x, (top + bottom) / 2), words, ink or self.style.ink, font, anchor=f"{anchor}m", align=align
        )

    def paste(self, box: Box, picture: Picture) -> None:
        """Fill a box with a picture."""
        left, top, right, bottom = self.pixels(box)
        if right > left and bottom > top:
            self.image.paste(Image.fromarray(covering(picture, right - left, bottom - top)), (left, top))

    def grid(self, box: Box, columns: int, rows: int, ink: Colour | None = None) -> None:
        """Rule a box into columns and rows."""
        left, top, right, bottom = box
        for column in range(columns + 1):
            x = left + (right - left) * column / columns
            self.line(x, top, x, bottom, ink)
        for row in range(rows + 1):
            y = top + (bottom - top) * row / rows
            self.line(left, y, right, y, ink)

    def frame(self, ornament: int, ink: Colour) -> None:
        """Draw a border: none, single, double, dotted or with corners, by number."""
        if ornament % 5 == 0:
            return
        self.box((0.02, 0.02, 0.98, 0.98), outline=ink)
        if ornament % 5 in (2, 4):
            self.box((_MARGIN, _MARGIN, 1 - _MARGIN, 1 - _MARGIN), outline=ink)
        if ornament % 5 == 3:
            for step in np.linspace(0.03, 0.97, 40):
                for x, y in ((step, 0.035), (step, 0.965), (0.035, step), (0.965, step)):
                    self.disc(x, y, 0.006, ink)
        if ornament % 5 == 4:
            for x in (_MARGIN, 1 - _MARGIN):
                for y in (_MARGIN, 1 - _MARGIN):
                    self.disc(x, y, 0.03, ink)

    def disc(self, x: float, y: float, radius: float, fill: Colour | None, outline: Colour | None = None) -> None:
        """Draw a disc; the radius is a share of the shorter side."""
        reach = radius * min(self.style.width, self.style.height)
        across, down = x * self.style.width, y * self.style.height
        self.draw.ellipse((across - reach, down - reach, across + reach, down + reach), fill=fill, outline=outline,
                          width=self.style.line)  # fmt: skip

    def polygon(self, points: np.ndarray, fill: Colour) -> None:
        """Fill a polygon; points [n, 2] in shares."""
        scaled = points * (self.style.width, self.style.height)
        self.draw.polygon([(float(x), float(y)) for x, y in scaled], fill=fill)

    def finished(self) -> Picture:
        """Return what was drawn."""
        return pixels_of(self.image)


def cells(box: Box, columns: int, rows: int, inset: float = 0.12) -> list[Box]:
    """Return the boxes of a grid row by row, each smaller by a share `inset` on every side."""
    left, top, right, bottom = box
    wide, tall = (right - left) / columns, (bottom - top) / rows
    return [
        (
            left + (column + inset) * wide,
            top + (row + inset) * tall,
            left + (column + 1 - inset) * wide,
            top + (row + 1 - inset) * tall,
        )
        for row in range(rows)
        for column in range(columns)
    ]


def artwork(generator: np.random.Generator, side: int = 400) -> Picture:
    """Invent a picture: clouds of colour with shapes before them, as unlike from one draw to the next as can be."""
    values: NDArray[np.floating] = np.zeros((side, side, 3), np.float32)
    for octave in range(2, int(generator.integers(4, 8))):
        coarse = generator.uniform(-1, 1, (2**octave, 2**octave, 3)).astype(np.float32)
        grown = np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
        values = values + grown / 1.5**octave
    values = 128 + 110 * values / max(1e-6, float(np.abs(values).max()))

    image = Image.fromarray(clipped(values))
    draw = ImageDraw.Draw(image)
    for _ in range(int(generator.integers(0, 26))):
        x, y, reach = (float(part) for part in generator.uniform((0, 0, 0.02), (1, 1, 0.2)) * side)
        corners, turn = int(generator.integers(3, 12)), float(generator.uniform(0, 360))
        if corners > 8:
            draw.ellipse((x - reach, y - reach * 0.7, x + reach, y + reach * 0.7), fill=colour_of(generator))
        else:
            draw.regular_polygon((x, y, reach), corners, turn, fill=colour_of(generator))
    return pixels_of(image)


def mark(sheet: Sheet, generator: np.random.Generator, box: Box) -> None:
    """Draw a small emblem, the same for the same generator: a logo, a seal or a coat of arms."""
    left, top, right, bottom = box
    x, y, reach = (left + right) / 2, (top + bottom) / 2, min(right - left, bottom - top) / 2
    sheet.disc(x, y, reach, colour_of(generator))
    points, waves = int(generator.integers(3, 9)), generator.uniform(0.3, 0.9)
    angles = np.linspace(0, 2 * np.pi, 2 * points, endpoint=False)
    radius = reach * np.where(np.arange(2 * points) % 2, waves, 0.95) * 0.8
    narrow = min(sheet.style.width, sheet.style.height)
    star = np.stack([x + radius * np.cos(angles) * narrow / sheet.style.width,
                     y + radius * np.sin(angles) * narrow / sheet.style.height], axis=1)  # fmt: skip
    sheet.polygon(star, colour_of(generator))
