"""A canvas for the second set of designs: OpenCV's brush, plotter type, backdrops with grain and gradients."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image, ImageDraw

from guardian.evaluation.lettering import Lettering, any_lettering, measured
from guardian.evaluation.pictures import Colour, Picture, clipped, covering

Point = tuple[float, float]

_PLOTTER_FACES = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo bran clar dru gris hel jun kra lum nor quo sten"

_SMALLEST_TYPE = 9
"""Pixels from line to line below which nothing can be read."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the pictures of one design share: the ground [h, w, 3], colours, type, and how smoothly lines are drawn.

    `lettering` is None where words are written with a plotter's strokes, in `face`.
    """

    ground: Picture
    ink: Colour
    panel: Colour
    colours: tuple[Colour, ...]
    lettering: Lettering | None
    face: int
    line_type: int
    stroke: int

    @property
    def paper(self) -> Colour:
        """The colour of the ground in its corner."""
        red, green, blue = (int(part) for part in self.ground[0, 0])
        return red, green, blue

    def words(self, generator: np.random.Generator, least: int, most: int) -> str:
        """Return between `least` and `most` words, invented where a plotter writes them."""
        if self.lettering is not None:
            return self.lettering.words(generator, least, most + 1)
        return " ".join(
            "".join(generator.choice(_SYLLABLES.split(), int(generator.integers(1, 4)))).capitalize()
            for _ in range(int(generator.integers(least, most + 1)))
        )


def any_look(generator: np.random.Generator, ratio: float, *, dark: bool | None = None) -> Look:
    """Draw a look for sheets of a ratio (width by height), bright or dark; one of three is dark unless it is told."""
    shorter = int(generator.integers(300, 640))
    width, height = (int(shorter * ratio), shorter) if ratio >= 1 else (shorter, int(shorter / ratio))
    hue, is_dark = generator.uniform(0, 180), bool(generator.random() < 1 / 3) if dark is None else dark
    colours = tuple(
        _from_hsv(hue + 180 * step / 5 + generator.uniform(-9, 9), generator.uniform(90, 240),
                  generator.uniform(130, 250) if is_dark else generator.uniform(60, 210))
        for step in range(5)
    )  # fmt: skip
    light, deep = _from_hsv(hue, generator.uniform(0, 50), 248), _from_hsv(hue, generator.uniform(0, 120), 28)
    return Look(
        ground=_backdrop(generator, width, height, deep if is_dark else light),
        ink=light if is_dark else deep,
        panel=_from_hsv(hue, generator.uniform(0, 70), 62 if is_dark else 228),
        colours=colours,
        lettering=None if generator.random() < 0.35 else any_lettering(generator),
        face=int(generator.choice(_PLOTTER_FACES)),
        line_type=cv2.LINE_8 if generator.random() < 0.3 else cv2.LINE_AA,
        stroke=int(generator.integers(1, 4)),
    )


def _from_hsv(hue: float, saturation: float, value: float) -> Colour:
    pixel = np.array([[[hue % 180, saturation, value]]]).astype(np.uint8)
    red, green, blue = (int(part) for part in cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0])
    return red, green, blue


def _backdrop(generator: np.random.Generator, width: int, height: int, colour: Colour) -> Picture:
    """Return a ground: flat, shaded from one side, shaded from the middle, or with the grain of paper."""
    down, across = np.mgrid[0 : 1 : complex(0, height), 0 : 1 : complex(0, width)]
    sort = int(generator.integers(0, 5))
    shade = np.zeros((height, width))
    if sort == 1:
        shade = generator.uniform(-70, 70) * (down * generator.random() + across * generator.random())
    if sort == 2:
        shade = generator.uniform(-70, 40) * np.hypot(down - 0.5, across - 0.5)
    if sort == 3:
        grain = generator.normal(0, generator.uniform(3, 11), (height, width)).astype(np.float32)
        shade = np.asarray(cv2.GaussianBlur(grain, (0, 0), generator.uniform(0.5, 2.0)), np.float64)
    return clipped(np.asarray(colour, np.float32) + shade[..., None])


def reshaded(look: Look, colour: Colour) -> Look:
    """Return the look with a flat ground of another colour."""
    return replace(look, ground=np.full_like(look.ground, colour))


class Canvas:
    """A picture in the making; all places and sizes are in pixels."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.height, self.width = look.ground.shape[:2]
        self.pixels = look.ground.copy()

    def fill(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill a rectangle."""
        cv2.rectangle(self.pixels, (int(x), int(y)), (int(x + width), int(y + height)), colour, cv2.FILLED)

    def rounded(self, x: float, y: float, width: float, height: float, radius: float, colour: Colour) -> None:
        """Fill a rectangle with round corners."""
        radius = min(radius, width / 2, height / 2)
        self.fill(x + radius, y, width - 2 * radius, height, colour)
        self.fill(x, y + radius, width, height - 2 * radius, colour)
        for across in (x + radius, x + width - radius):
            for down in (y + radius, y + height - radius):
                self.dot(across, down, radius, colour)

    def frame(self, x: float, y: float, width: float, height: float, colour: Colour, stroke: int = 0) -> None:
        """Draw the outline of a rectangle."""
        corners = (int(x), int(y)), (int(x + width), int(y + height))
        cv2.rectangle(self.pixels, *corners, colour, stroke or self.look.stroke, self.look.line_type)

    def dot(self, x: float, y: float, radius: float, colour: Colour, *, stroke: int = cv2.FILLED) -> None:
        """Draw a disc, or a ring of `stroke` pixels."""
        cv2.circle(self.pixels, (int(x), int(y)), max(1, int(radius)), colour, stroke, self.look.line_type)

    def path(self, points: Sequence[Point], colour: Colour, stroke: int = 0, *, closed: bool = False) -> None:
        """Draw a line through points."""
        places = [np.array(points, np.float64).round().astype(np.int32)]
        cv2.polylines(self.pixels, places, closed, colour, stroke or self.look.stroke, self.look.line_type)

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.pixels, [np.array(points, np.float64).round().astype(np.int32)], colour, self.look.line_type)

    def slice(self, x: float, y: float, radius: float, start: float, end: float, colour: Colour) -> None:
        """Fill a slice of a disc between two angles in degrees."""
        cv2.ellipse(self.pixels, (int(x), int(y)), (int(radius), int(radius)), 0, start, end, colour, cv2.FILLED,
                    self.look.line_type)  # fmt: skip

    def show(self, x: float, y: float, width: float, height: float, picture: Picture) -> None:
        """Fill a rectangle with a picture, as far as it lies on the canvas."""
        seen = self.pixels[int(y) : int(y + height), int(x) : int(x + width)]
        if seen.size:
            seen[:] = covering(picture, seen.shape[1], seen.shape[0])

    def write(
        self, x: float, y: float, words: str, size: float, colour: Colour | None = None, *, room: float = 0.0,
        centred: bool = False,
    ) -> float:  # fmt: skip
        """Write a line with its top at `y`, `size` pixels tall, smaller if it is wider than `room`; return its width.

        `x` is its left end, or its middle if it is `centred`.
        """
        mask = self._type(words, max(_SMALLEST_TYPE, size))
        if room and mask.shape[1] > room:
            mask = self._type(words, max(_SMALLEST_TYPE, size * room / mask.shape[1]))
        left, top = int(x - (mask.shape[1] / 2 if centred else 0)), int(y)
        cut = mask[max(0, -top) :, max(0, -left) :]
        seen = self.pixels[max(0, top) : max(0, top + mask.shape[0]), max(0, left) : max(0, left + mask.shape[1])]
        cut = cut[: seen.shape[0], : seen.shape[1]]
        seen[:] = clipped(seen + (np.asarray(colour or self.look.ink) - seen.astype(np.float32)) * cut[..., None] / 255)
        return float(mask.shape[1])

    def _type(self, words: str, size: float) -> Picture:
        """Return how much of each pixel a line of words covers, uint8 [h, w]."""
        if self.look.lettering is None:
            scale, stroke = size / 30, max(1, round(size / 16))
            (width, height), below = cv2.getTextSize(words, self.look.face, scale, stroke)
            mask = np.zeros((height + below + stroke, max(1, width)), np.uint8)
            cv2.putText(mask, words, (0, height), self.look.face, scale, 255, stroke, self.look.line_type)
            return mask
        font = self.look.lettering.font(size)
        image = Image.new("L", (max(1, measured(words, font)[0] + 2), int(size * 1.4)))
        ImageDraw.Draw(image).text((0, 0), words, fill=255, font=font)
        return np.array(image, np.uint8)

    def texture(self, strength: float, generator: np.random.Generator) -> None:
        """Lay soft stains of light and dark over the canvas, `strength` grey levels at most."""
        coarse = generator.uniform(-1, 1, (7, 7)).astype(np.float32)
        stains = np.asarray(cv2.resize(coarse, (self.width, self.height), interpolation=cv2.INTER_CUBIC))
        self.pixels = clipped(self.pixels + strength * stains[..., None])


def scanned(picture: Picture, generator: np.random.Generator) -> Picture:
    """Return a sheet as a scanner or a camera held over it gives it: a little turned, uneven light, soft, noisy."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), generator.uniform(-2.5, 2.5), generator.uniform(0.93, 1.0))
    table = clipped(generator.uniform(10, 250, 3)).tolist()
    laid = cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_LINEAR, borderValue=table)
    laid = np.asarray(cv2.GaussianBlur(laid, (0, 0), generator.uniform(0.3, 0.9)))
    light = np.linspace(generator.uniform(0.75, 1.05), generator.uniform(0.75, 1.05), width)
    noise = generator.normal(0, generator.uniform(1, 7), (height, width, 1))
    return clipped(laid * light[None, :, None] + noise)
