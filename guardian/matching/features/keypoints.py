"""ORB keypoints, spread over the picture, and those of its mirror image without a second detection."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.profiles import Scale

DESCRIPTOR_BYTES = 32
_PATCH = 31
_MAX_ENLARGEMENT = 2.0
_SURPLUS = 2.5


@dataclass(frozen=True, slots=True)
class Keypoints:
    """n keypoints. `x`, `y` and `size` (patch diameter) are float32 [n] in pixels of the picture that was given.

    `angle` is float32 [n], degrees clockwise as ORB counts them; `descriptors` is uint8 [n, 32].
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    size: NDArray[np.float32]
    angle: NDArray[np.float32]
    descriptors: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def words(self) -> NDArray[np.uint64]:
        """The descriptors as uint64 [n, 4], for counting bits."""
        return np.ascontiguousarray(self.descriptors).view(np.uint64).reshape(-1, 4)


def detect(grey: NDArray[np.uint8], scales: tuple[Scale, ...]) -> Keypoints:
    """Detect the keypoints of uint8 [h, w] at all scales (Rublee et al., "ORB", ICCV 2011)."""
    return _joined([_detect(grey, scale, mirror_too=False)[0] for scale in scales])


def detect_both_sides(grey: NDArray[np.uint8], scales: tuple[Scale, ...]) -> tuple[Keypoints, Keypoints]:
    """Detect the keypoints of the picture and of its mirror image; the latter in the mirror image's coordinates."""
    passes = [_detect(grey, scale, mirror_too=True) for scale in scales]
    return _joined([found[0] for found in passes]), _joined([found[1] for found in passes])


def _detect(grey: NDArray[np.uint8], scale: Scale, *, mirror_too: bool) -> list[Keypoints]:
    picture = _resized(grey, scale.longer_side)
    orb = cv2.ORB.create(
        nfeatures=int(scale.keypoints * _SURPLUS),
        scaleFactor=1.2,
        nlevels=scale.levels,
        edgeThreshold=16,
        fastThreshold=8,
    )

    # More corners than are kept, so that the grid has a choice in every cell.
    found = orb.detect(picture, None)
    chosen = [found[index] for index in _spread(found, scale.keypoints, picture.shape)]
    zoom = (picture.shape[1] / grey.shape[1], picture.shape[0] / grey.shape[0])

    kept, descriptors = _described(orb, picture, chosen)
    places = _Places.of(kept)
    sides = [places.keypoints(descriptors, zoom)]

    # The mirror image has its corners in the mirrored places: only descriptors are computed again.
    if mirror_too:
        right = picture.shape[1] - 1
        mirrored = [
            cv2.KeyPoint(right - k.pt[0], k.pt[1], k.size, (540 - k.angle) % 360, k.response, k.octave) for k in kept
        ]
        described, descriptors = _described(orb, np.ascontiguousarray(picture[:, ::-1]), mirrored)
        # ORB drops what lies too close to a border, which a mirror image has at the same distance: mostly nothing.
        same = len(described) == len(kept)
        places = places.mirrored(right) if same else _Places.of(described)
        sides.append(places.keypoints(descriptors, zoom))
    return sides


@dataclass(frozen=True, slots=True)
class _Places:
    """Where keypoints lie in the picture of one pass: x and y, diameter, angle. float32, [n, 2] and [n]."""

    xy: NDArray[np.float32]
    size: NDArray[np.float32]
    angle: NDArray[np.float32]

    @classmethod
    def of(cls, found: Sequence[cv2.KeyPoint]) -> "_Places":
        return cls(
            xy=_points_of(found),
            size=np.fromiter((k.size for k in found), np.float32, len(found)),
            angle=np.fromiter((k.angle for k in found), np.float32, len(found)),
        )

    def mirrored(self, right: int) -> "_Places":
        """Return the same in the mirror image of a picture whose last column is `right`."""
        flipped = np.stack([right - self.xy[:, 0], self.xy[:, 1]], axis=1)
        return _Places(flipped, self.size, (540 - self.angle) % 360)

    def keypoints(self, descriptors: NDArray[np.uint8], zoom: tuple[float, float]) -> Keypoints:
        """Return keypoints in pixels of the picture that was given, which the pass saw `zoom` times as large."""
        return Keypoints(
            x=(self.xy[:, 0] + np.float32(0.5)) / np.float32(zoom[0]) - np.float32(0.5),
            y=(self.xy[:, 1] + np.float32(0.5)) / np.float32(zoom[1]) - np.float32(0.5),
            size=self.size / np.float32(np.sqrt(zoom[0] * zoom[1])),
            angle=self.angle,
            descriptors=descriptors,
        )


def _points_of(found: Sequence[cv2.KeyPoint]) -> NDArray[np.float32]:
    """Return x and y of each, float32 [n, 2]."""
    return np.asarray(cv2.KeyPoint.convert(found), np.float32) if found else np.zeros((0, 2), np.float32)


def _described(
    orb: cv2.ORB, picture: NDArray[np.uint8], found: Sequence[cv2.KeyPoint]
) -> tuple[Sequence[cv2.KeyPoint], NDArray[np.uint8]]:
    """Return the keypoints that could be described, by octave, and their descriptors, uint8 [n, 32]."""
    kept, descriptors = orb.compute(picture, found) if found else ((), None)
    if descriptors is None:
        return (), np.zeros((0, DESCRIPTOR_BYTES), dtype=np.uint8)
    return kept, np.asarray(descriptors, dtype=np.uint8)


def _resized(grey: NDArray[np.uint8], longer_side: int) -> NDArray[np.uint8]:
    """Shrink a large picture, enlarge a small one (at most twice): ORB finds little on thumbnails."""
    height, width = grey.shape
    factor = min(longer_side / max(height, width), _MAX_ENLARGEMENT)
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, size, interpolation=method), dtype=np.uint8)


def _spread(found: Sequence[cv2.KeyPoint], count: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Choose keypoints to keep: the strongest of each cell of a grid, then the second strongest, and so on.

    The strongest anywhere would all sit on one textured corner, which a crop removes.
    """
    if len(found) <= count:
        return np.arange(len(found))

    cells = max(4, int(np.sqrt(count / 4)))
    points = _points_of(found)
    response = np.fromiter((k.response for k in found), np.float32, len(found))
    column = np.minimum((points[:, 0] * cells / shape[1]).astype(np.int64), cells - 1)
    row = np.minimum((points[:, 1] * cells / shape[0]).astype(np.int64), cells - 1)

    # Each keypoint's rank within its cell, then all ranks one after the other.
    by_cell = np.lexsort((-response, row * cells + column))
    cell = (row * cells + column)[by_cell]
    starts = np.flatnonzero(np.r_[True, cell[1:] != cell[:-1]])
    rank = np.arange(len(cell)) - np.repeat(starts, np.diff(np.r_[starts, len(cell)]))
    return np.asarray(by_cell[np.lexsort((-response[by_cell], rank))[:count]])


def _joined(parts: list[Keypoints]) -> Keypoints:
    return Keypoints(
        x=np.concatenate([part.x for part in parts]),
        y=np.concatenate([part.y for part in parts]),
        size=np.concatenate([part.size for part in parts]),
        angle=np.concatenate([part.angle for part in parts]),
        descriptors=np.concatenate([part.descriptors for part in parts]),
    )


def zoomed(keypoints: Keypoints, across: float, down: float) -> Keypoints:
    """Return the same keypoints in a picture that is `across` times as wide and `down` times as high."""
    if across == down == 1.0:
        return keypoints
    return Keypoints(
        (keypoints.x + np.float32(0.5)) * np.float32(across) - np.float32(0.5),
        (keypoints.y + np.float32(0.5)) * np.float32(down) - np.float32(0.5),
        keypoints.size * np.float32(np.sqrt(across * down)),
        keypoints.angle,
        keypoints.descriptors,
    )


def taken(keypoints: Keypoints, indices: NDArray[np.int32]) -> Keypoints:
    """Return some of the keypoints, in the order of `indices`."""
    return Keypoints(
        keypoints.x[indices],
        keypoints.y[indices],
        keypoints.size[indices],
        keypoints.angle[indices],
        keypoints.descriptors[indices],
    )
