"""Measures two pictures on each other and draws what was measured. Runs inside worker processes.

What is drawn is made of decoded pixels alone: nothing of a stranger's file is handed on as it came.
"""

import importlib.metadata
import io
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from guardian.errors import GuardianError
from guardian.matching.features.image import Picture
from guardian.matching.matcher import Matcher
from guardian.matching.pair import CellGrid, PairReport, Start, matched_points, measure_pair
from guardian.matching.verify.confidence import FEATURES, parsed

LONGEST_SIDE = 1200
"""Pixels of the longer side of a picture that is drawn."""

MOST_POINTS = 60
"""Points that are drawn at most: more lines would hide the pictures."""

_GAP = 16

_LIBRARIES = ("numpy", "opencv-python-headless", "pillow", "numba", "imagecodecs")

# Told apart with every common form of colour blindness, and in grey: agreeing is dark blue, differing light orange.
_AGREES, _DIFFERS = (0, 70, 200), (255, 150, 0)
_LINE, _LINE_GROUND = (255, 40, 90), (255, 255, 255)
_COLOUR_SHARE = 0.55


@dataclass(frozen=True, slots=True)
class Drawn:
    """PNG files: both pictures with the overlap outlined, and the own picture with its cells coloured."""

    original: bytes = field(repr=False)
    found: bytes = field(repr=False)
    heat_map: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MeasuredWith:
    """The libraries that a comparison was measured with, by name, and the kind of machine."""

    libraries: dict[str, str]
    machine: str


@dataclass(frozen=True, slots=True)
class MeasuredAgain:
    """What was measured again, and the probabilities (0-1) as if nothing else were protected and beside the others.

    `shipped_probability`: the latter by the parameters that guardian comes with; None where it was made by these.
    """

    report: PairReport
    probability: float
    probability_beside_others: float
    shipped_probability: float | None
    used: MeasuredWith


def measured_with() -> MeasuredWith:
    """Return what this process measures with."""
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return MeasuredWith({"python": platform.python_version(), **versions}, platform.machine())


def measure_captured(
    matcher: Matcher, original: bytes, found: bytes, start: Start, asset_id: str
) -> tuple[PairReport, MeasuredWith]:
    """Measure two encoded pictures on each other, beside the catalogue; a job for `Workers.run_with_matcher`.

    Raises as `measure_pair` does.
    """
    return measure_pair(matcher, original, found, start, asset_id), measured_with()


def measure_again(
    matcher: Matcher,
    original: bytes,
    found: bytes,
    start: Start,
    decided: Mapping[str, float],
    confidence: bytes | None,
) -> MeasuredAgain:
    """Measure two encoded pictures on each other, whatever else is protected; a job for `Workers.run_with_matcher`.

    `decided`: the values of DECIDED_BY_CATALOGUE, which were recorded. `confidence`: the fitted confidence as a file's
    bytes; None for the matcher's own. Raises Unmatchable, also when nothing lays one picture on the other, and
    GuardianError for a confidence that cannot be used.
    """
    report = measure_pair(matcher, original, found, start)
    shipped = matcher.confidence
    try:
        fitted = parsed(confidence) if confidence is not None else shipped
        features = _ordered(report.features)
        beside_others = _ordered(report.features | dict(decided))
        alone, beside = fitted.probability(features), fitted.probability(beside_others)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise GuardianError(f"the fitted confidence cannot be used: {error or type(error).__name__}") from error
    by_shipped = shipped.probability(beside_others) if confidence is not None else None
    return MeasuredAgain(report, alone, beside, by_shipped, measured_with())


def _ordered(features: Mapping[str, float]) -> NDArray[np.float64]:
    """Return features by name as the confidence reads them: float64 [len(FEATURES)]."""
    return np.array([features[name] for name in FEATURES], dtype=np.float64)


def heat_map(matcher: Matcher, original: bytes, found: bytes, start: Start) -> bytes:
    """Return the own picture with its cells coloured, as PNG; a job for `Workers.run_with_matcher`."""
    report = measure_pair(matcher, original, found, start)
    mine = _frame(matcher, original, report.comparison.asset_frame)
    return _png(_coloured(mine, report.cells))


def shared_points(matcher: Matcher, original: bytes, found: bytes, start: Start) -> bytes:
    """Return both pictures side by side, the points that were recognised in both joined by lines, as PNG.

    At most MOST_POINTS are drawn, taken evenly from all. A job for `Workers.run_with_matcher`.
    """
    points = matched_points(matcher, original, found, start)
    mine, my_scale = _shown(_frame(matcher, original, points.asset_frame))
    theirs, their_scale = _shown(_frame(matcher, found, points.frame))
    sheet = Image.new("RGB", (mine.width + _GAP + theirs.width, max(mine.height, theirs.height)), _LINE_GROUND)
    sheet.paste(mine, (0, 0))
    sheet.paste(theirs, (mine.width + _GAP, 0))

    draw, radius = ImageDraw.Draw(sheet), max(3, round(max(sheet.size) / 300))
    # Evenly from all, so that a corner with many of them does not hide where the others lie.
    chosen = range(0, len(points.in_found), max(1, -(-len(points.in_found) // MOST_POINTS)))
    for number in chosen:
        here = points.in_asset[number] * my_scale
        there = points.in_found[number] * their_scale + (mine.width + _GAP, 0)
        draw.line([tuple(here), tuple(there)], fill=_LINE, width=1)
        for x, y in (here, there):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_LINE_GROUND, fill=_LINE)
    return _png(sheet)


def drawn(matcher: Matcher, original: bytes, found: bytes, report: PairReport) -> Drawn:
    """Draw what was measured of two encoded pictures; a job for `Workers.run_with_matcher`. Raises Unmatchable."""
    comparison = report.comparison
    mine = _frame(matcher, original, comparison.asset_frame)
    theirs = _frame(matcher, found, comparison.frame)

    box = comparison.transform.asset_box if comparison.transform is not None else (0.0, 0.0, 1.0, 1.0)
    left, top, right, bottom = box
    width, height = report.asset_size
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) * (width, height)
    moved = np.c_[corners, np.ones(4)] @ np.array(report.projection).reshape(3, 3).T

    return Drawn(
        original=_png(_outlined(mine, corners)),
        found=_png(_outlined(theirs, moved[:, :2] / moved[:, 2:])),
        heat_map=_png(_coloured(mine, report.cells)),
    )


def _frame(matcher: Matcher, content: bytes, frame: int | None) -> Picture:
    pictures = matcher.decoded_all(content)
    return next((picture for picture in pictures if picture.frame == frame), pictures[0])


def _shown(picture: Picture) -> tuple[Image.Image, NDArray[np.float64]]:
    """Return a picture as it is drawn on, and by how much its full pixels are multiplied, across and down."""
    image = Image.fromarray(picture.rgb)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return image, np.array([image.width / picture.width, image.height / picture.height])


def _outlined(picture: Picture, polygon: NDArray[np.float64]) -> Image.Image:
    image, scale = _shown(picture)
    points = [(float(x), float(y)) for x, y in polygon * scale]
    width = max(2, round(max(image.size) / 250))
    draw = ImageDraw.Draw(image)
    # On a light ground, so that it is seen on any picture.
    for colour, wide in ((_LINE_GROUND, width * 2), (_LINE, width)):
        draw.line([*points, *points[:2]], fill=colour, width=wide, joint="curve")
    return image


def _coloured(picture: Picture, cells: CellGrid) -> Image.Image:
    """Return the picture in grey, each cell that was compared in its colour, by how well it agrees."""
    image, scale = _shown(picture)
    shown = np.asarray(image.convert("L").convert("RGB"), dtype=np.float32).copy()
    left, top = np.array(cells.box[:2]) * scale
    across, down = cells.side * scale

    for row, line in enumerate(cells.correlation):
        for column, value in enumerate(line):
            if value is None:
                continue
            share = min(1.0, max(0.0, value))
            colour = np.array(_AGREES) * share + np.array(_DIFFERS) * (1 - share)
            rows = slice(max(0, round(top + row * down)), max(0, round(top + (row + 1) * down)))
            columns = slice(max(0, round(left + column * across)), max(0, round(left + (column + 1) * across)))
            shown[rows, columns] = shown[rows, columns] * (1 - _COLOUR_SHARE) + colour * _COLOUR_SHARE
    return Image.fromarray(shown.astype(np.uint8))


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG", optimize=False)
    return written.getvalue()
