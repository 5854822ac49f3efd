"""Prepares the picture that is asked with: cuts out what is meant, and shows it in the ways that belong together."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import UsageError
from guardian.matching.features.image import Picture, decode
from guardian.matching.features.mirror_image import with_mirror_image
from guardian.matching.features.resizing import reduced
from guardian.matching.settings import MatchingSettings
from guardian.search.question import Region

_EVEN = 3.0
"""Grey levels: a row or column whose deviation is no larger, and whose colour is that of the rim, is border."""

_ROWS_AT_ONCE = 16

_GROUND, _LEAST_GROUND = 12.0, 0.5
"""Levels by which the ground may differ from a bar's colour, and which share of the next row or column it has then.

Such a bar is the margin of a figure, which pictures keep that the search compares.
"""

_LEAST_LEFT = 0.3
"""Share of the picture that must remain when borders are taken off; else they are what it shows."""


THUMBNAIL_SIDE = 160

_SHOWN_SIDE = 480


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """The picture asked with, as people see it: a JPEG, and how many pixels the upright picture itself has."""

    jpeg: bytes
    width: int
    height: int


def views_of(picture: Picture, region: Region | None) -> NDArray[np.uint8]:
    """Return the appearances of the picture asked with, uint8 [n, APPEARANCE_BYTES]: as it is, and its mirror image.

    Borders and letterboxes are taken off first. Raises UsageError for a region outside of the picture.
    """
    return np.stack([one.values for one in with_mirror_image(_meant(picture, region))])


def sides_of(picture: Picture, region: Region | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return what is meant of the picture asked with, uint8 [h, w, 3], without borders, and its mirror image.

    Raises UsageError for a region outside of the picture.
    """
    rgb = _meant(picture, region)
    return rgb, np.ascontiguousarray(rgb[:, ::-1])


def _meant(picture: Picture, region: Region | None) -> NDArray[np.uint8]:
    return without_borders(picture.rgb) if region is None else _cut(picture, region)


def cut_out(settings: MatchingSettings, content: bytes, region: Region) -> bytes:
    """Return a PNG of one region of an encoded picture. Raises Unmatchable, UsageError for one outside of it."""
    cut = _cut(decode(content, settings), region)
    return cv2.imencode(".png", cv2.cvtColor(cut, cv2.COLOR_RGB2BGR))[1].tobytes()


def thumbnail(settings: MatchingSettings, content: bytes) -> bytes:
    """Return a JPEG of at most THUMBNAIL_SIDE pixels of an encoded picture. Raises Unmatchable."""
    return _small_jpeg(decode(content, settings).rgb, THUMBNAIL_SIDE)


def shown(settings: MatchingSettings, content: bytes) -> ShownPicture:
    """Return an encoded picture so large that a part of it can be pointed at. Raises Unmatchable."""
    picture = decode(content, settings)
    return ShownPicture(_small_jpeg(picture.rgb, _SHOWN_SIDE), picture.width, picture.height)


def _small_jpeg(rgb: NDArray[np.uint8], side: int) -> bytes:
    """Return a JPEG of a picture, uint8 [h, w, 3], whose longer side has at most so many pixels."""
    small = cv2.cvtColor(reduced(rgb, side), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def _cut(picture: Picture, region: Region) -> NDArray[np.uint8]:
    left, top, width, height = region
    if left + width > picture.width or top + height > picture.height:
        raise UsageError(f"the region reaches beyond the picture, which has {picture.width} x {picture.height} pixels")

    # The region counts pixels of the file; the picture at hand may be a smaller one.
    rows, columns = picture.rgb.shape[:2]
    down, across = rows / picture.height, columns / picture.width
    first_row, first_column = int(top * down), int(left * across)
    last_row, last_column = round((top + height) * down), round((left + width) * across)
    return picture.rgb[first_row : max(last_row, first_row + 1), first_column : max(last_column, first_column + 1)]


def without_borders(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture, uint8 [h, w, 3], without even bars along its sides; the whole where little would remain.

    A bar that goes on as the ground of what lies inside is no border.
    """
    top, bottom = _inner(rgb)
    left, right = _inner(np.swapaxes(rgb[top:bottom], 0, 1))
    inner = rgb[top:bottom, left:right]
    return inner if inner.shape[0] * inner.shape[1] >= _LEAST_LEFT * rgb.shape[0] * rgb.shape[1] else rgb


def _inner(rgb: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the first row that is no bar, and the one after the last."""
    first, above_colour = _bar(rgb)
    last_bar, below_colour = _bar(rgb[::-1])
    last = len(rgb) - last_bar
    # Two even halves are no borders: nothing would lie between them.
    if first >= last:
        return 0, len(rgb)

    above = first > 0 and _is_ground(rgb[first], above_colour)
    below = last < len(rgb) and _is_ground(rgb[last - 1], below_colour)
    if above != below and first > 0 and last < len(rgb) and abs(first - (len(rgb) - last)) <= 1:
        # Bars alike on both sides are a letterbox, though the picture may begin or end in their colour.
        return first, last
    return 0 if above else first, len(rgb) if below else last


def _bar(rgb: NDArray[np.uint8]) -> tuple[int, NDArray[np.float64]]:
    """Return how many of the first rows are even and of one colour, and that colour, float64 [3]."""
    colour = rgb[0].mean(axis=0)
    # From the rim inwards: most pictures have no bar, or a narrow one.
    start, step = 0, 1
    while start < len(rgb):
        rows = rgb[start : start + step]
        is_even = rows.std(axis=1).max(axis=1) <= _EVEN
        is_bar = is_even & (np.abs(rows.mean(axis=1) - colour).max(axis=1) <= 2 * _EVEN)
        if not is_bar.all():
            return start + int(is_bar.argmin()), colour
        start, step = start + step, _ROWS_AT_ONCE
    return len(rgb), colour


def _is_ground(line: NDArray[np.uint8], colour: NDArray[np.float64]) -> bool:
    """Return whether much of a row or column, uint8 [n, 3], has this colour."""
    return bool((np.abs(line - colour).max(axis=1) <= _GROUND).mean() >= _LEAST_GROUND)
