"""Parts of a picture that may be a picture of their own: inside borders, in screenshots, in collages."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.resizing import reduced

PixelBox = tuple[float, float, float, float]
"""left, top, right, bottom in pixels."""

MAX_WINDOWS = 12
_SIDE = 256
_MIN_SHARE, _MAX_SHARE = 0.015, 0.97


def windows(grey: NDArray[np.uint8]) -> list[PixelBox]:
    """Return the whole of uint8 [h, w] first, then up to MAX_WINDOWS parts, largest first.

    Three ways to find them: strip even borders, take compact islands on even ground, cut along straight
    edges that cross the whole picture.
    """
    height, width = grey.shape
    small = reduced(grey, _SIDE)
    size = (small.shape[1], small.shape[0])

    boxes = _Boxes(*size)
    for ground in _grounds(small):
        _strip_borders(ground, boxes)
        _take_islands(ground, boxes)
    _cut_tiles(small, boxes)

    across, down = width / size[0], height / size[1]
    parts = [
        (left * across, top * down, min(float(width), right * across), min(float(height), bottom * down))
        for left, top, right, bottom in boxes.largest_first()
    ]
    return [(0.0, 0.0, float(width), float(height)), *parts[:MAX_WINDOWS]]


class _Boxes:
    """Boxes worth looking at: neither tiny nor the whole, and each only once."""

    def __init__(self, width: int, height: int) -> None:
        self._area, self._boxes = width * height, list[tuple[int, int, int, int]]()

    def add(self, left: int, top: int, right: int, bottom: int) -> None:
        area = (right - left) * (bottom - top)
        too_thin = right - left < 20 or bottom - top < 20
        if too_thin or not _MIN_SHARE * self._area <= area <= _MAX_SHARE * self._area:
            return
        if not any(_overlap(known, (left, top, right, bottom)) > 0.93 for known in self._boxes):
            self._boxes.append((left, top, right, bottom))

    def largest_first(self) -> list[tuple[int, int, int, int]]:
        return sorted(self._boxes, key=lambda b: -(b[2] - b[0]) * (b[3] - b[1]))


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """Return intersection over union."""
    across = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - across * down
    return across * down / union


def _grounds(small: NDArray[np.uint8]) -> list[NDArray[np.bool_]]:
    """Return masks of even ground: one for each common grey of flat areas and of the border, and all together."""
    kernel = np.ones((3, 3), dtype=np.uint8)
    flat = cv2.subtract(cv2.dilate(small, kernel), cv2.erode(small, kernel)) <= 6
    counts = np.bincount(small[flat] >> 2, minlength=64)
    greys = [int(grey) for grey in np.argsort(-counts)[:3] if counts[grey] > 0.04 * small.size]

    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    outside = int(np.bincount(border >> 2, minlength=64).argmax())
    if outside not in greys:
        greys.append(outside)

    masks = [np.abs(small.astype(np.int16) - (grey * 4 + 2)) <= 8 for grey in greys]
    if len(masks) > 1:
        masks.append(np.logical_or.reduce(masks))
    return [mask & (cv2.boxFilter(mask.astype(np.float32), -1, (3, 3)) > 0.6) for mask in masks]


def _strip_borders(ground: NDArray[np.bool_], boxes: _Boxes) -> None:
    rows, columns = ground.mean(axis=1) < 0.93, ground.mean(axis=0) < 0.93
    if rows.any() and columns.any():
        right, bottom = len(columns) - int(columns[::-1].argmax()), len(rows) - int(rows[::-1].argmax())
        boxes.add(int(columns.argmax()), int(rows.argmax()), right, bottom)


def _take_islands(ground: NDArray[np.bool_], boxes: _Boxes) -> None:
    _, _, statistics, _ = cv2.connectedComponentsWithStats((~ground).astype(np.uint8), connectivity=4)
    largest = sorted(statistics[1:].tolist(), key=lambda island: -island[4])[:6]
    for left, top, width, height, area in largest:
        if area > 0.6 * width * height:
            boxes.add(left, top, left + width, top + height)


def _cut_tiles(small: NDArray[np.uint8], boxes: _Boxes) -> None:
    values = small.astype(np.float32)
    columns = _cuts((np.abs(np.diff(values, axis=1)) > 10).mean(axis=0))
    rows = _cuts((np.abs(np.diff(values, axis=0)) > 10).mean(axis=1))
    if not 0 < len(columns) + len(rows) <= 6:
        return
    across, down = [0, *columns, small.shape[1]], [0, *rows, small.shape[0]]
    for left, right in pairwise(across):
        for top, bottom in pairwise(down):
            boxes.add(left, top, right, bottom)


def _cuts(edge_share: NDArray[np.floating]) -> list[int]:
    """Find where an edge crosses more than 60 % of the picture: at most four places, away from the rim."""
    strong = [
        index
        for index in range(8, len(edge_share) - 8)
        if edge_share[index] > 0.6 and edge_share[index] == edge_share[max(0, index - 4) : index + 5].max()
    ]
    return [index + 1 for index in strong[:4]]
