"""ORB keypoints, spread over the picture, and those of its mirror image without a second detection."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.profiles import Scale, elongation

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


Sides = tuple[Keypoints, Keypoints, Keypoints, Keypoints]
"""The keypoints of a candidate as it is, of its mirror image, of its negative, and of that one's mirror image."""

SIDES = ((False, False), (True, False), (False, True), (True, True))
"""Of each of the Sides: whether it is mirrored, and whether it is inverted."""

NO_KEYPOINTS = Keypoints(
    x=np.zeros(0, np.float32),
    y=np.zeros(0, np.float32),
    size=np.zeros(0, np.float32),
    angle=np.zeros(0, np.float32),
    descriptors=np.zeros((0, DESCRIPTOR_BYTES), np.uint8),
)

NO_SIDES: Sides = (NO_KEYPOINTS, NO_KEYPOINTS, NO_KEYPOINTS, NO_KEYPOINTS)


def detect(grey: NDArray[np.uint8], scales: tuple[Scale, ...]) -> Keypoints:
    """Detect the keypoints of uint8 [h, w] at all scales (Rublee et al., "ORB", ICCV 2011)."""
    return _joined([_Pass(grey, scale).upright() for scale in scales])


def detect_sides(grey: NDArray[np.uint8], scales: tuple[Scale, ...], *, negatives: bool) -> Sides:
    """Detect the keypoints of the picture, of its mirror image, and, if asked for, of its negative.

    Those of the mirror image are in the mirror image's coordinates. Negatives are copied whole or in large parts, so
    they are looked for at the first scale only.
    """
    passes = [_Pass(grey, scale) for scale in scales]
    upright = _joined([one.upright() for one in passes])
    mirrored = _joined([one.mirrored() for one in passes])
    return upright, mirrored, passes[0].negative() if negatives else NO_KEYPOINTS, NO_KEYPOINTS


def side_of(*, mirrored: bool, inverted: bool) -> int:
    """Return the place in Sides of the keypoints that see the candidate so."""
    return int(mirrored) + 2 * int(inverted)


class _Pass:
    """The keypoints of a picture at one scale, and their descriptors as the picture, its mirror image and negative.

    A mirror image and a negative have their corners in the same places: only descriptors are computed again.
    """

    def __init__(self, grey: NDArray[np.uint8], scale: Scale) -> None:
        longer = elongation(grey.shape[1], grey.shape[0])
        self._picture = _resized(grey, round(scale.longer_side * longer))
        self._zoom = (self._picture.shape[1] / grey.shape[1], self._picture.shape[0] / grey.shape[0])
        count = round(scale.keypoints * longer)
        self._orb = cv2.ORB.create(
            nfeatures=int(count * _SURPLUS),
            scaleFactor=1.2,
            nlevels=scale.levels,
            edgeThreshold=16,
            fastThreshold=8,
        )

        # More corners than are kept, so that the grid has a choice in every cell.
        found = self._orb.detect(self._picture, None)
        chosen = [found[index] for index in _spread(found, count, self._picture.shape)]
        self._kept, self._descriptors = _described(self._orb, self._picture, chosen)
        self._places = _Places.of(self._kept)

    def upright(self) -> Keypoints:
        """Return the keypoints of the picture as it is."""
        return self._places.keypoints(self._descriptors, self._zoom)

    def mirrored(self) -> Keypoints:
        """Return the keypoints of the mirror image, in its coordinates."""
        right = self._picture.shape[1] - 1
        mirrored = [
            cv2.KeyPoint(right - k.pt[0], k.pt[1], k.size, (540 - k.angle) % 360, k.response, k.octave)
            for k in self._kept
        ]
        described, descriptors = _described(self._orb, np.ascontiguousarray(self._picture[:, ::-1]), mirrored)
        # ORB drops what lies too close to a border, which a mirror image has at the same distance: mostly nothing.
        same = len(described) == len(self._kept)
        places = self._places.mirrored(right) if same else _Places.of(described)
        return places.keypoints(descriptors, self._zoom)

    def negative(self) -> Keypoints:
        """Return the keypoints of the negative.

        Light and dark change places: the centroid that gives a patch its angle lies on the opposite side, and every
        comparison of two pixels comes out the other way.
        """
        turned = [
            cv2.KeyPoint(k.pt[0], k.pt[1], k.size, (k.angle + 180) % 360, k.response, k.octave) for k in self._kept
        ]
        described, descriptors = _described(self._orb, self._picture, turned)
        return _Places.of(described).keypoints(~descriptors, self._zoom)


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
