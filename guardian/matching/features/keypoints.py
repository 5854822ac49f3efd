"""ORB keypoints, spread over the picture, and those of its mirror image without a second detection."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.corners import BORDER, angles_of, corners_of
from guardian.matching.features.descriptors import DESCRIPTOR_BYTES, blurred, describe
from guardian.matching.features.resizing import averaged, interpolated
from guardian.matching.profiles import Scale, elongation

_PATCH = np.float32(31)
_FAST_THRESHOLD = 8
_SHRINK = 1.2
_MAX_ENLARGEMENT = 2.0
_OF_A_PART = 4
"""Keypoints of each part of a picture, where all have as many corners: there are as many parts as that makes."""

_CHOICE = 8
"""Corners of each level of the pyramid from which those of a part are chosen."""

_SURPLUS = 2.5
"""So many times as many corners are the strongest anywhere as are chosen among them."""


@dataclass(frozen=True, slots=True)
class OrientedPoints:
    """n points. `x`, `y` and `size` (patch diameter) are float32 [n] in pixels of the picture that was given.

    `angle` is float32 [n], degrees clockwise as ORB counts them.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    size: NDArray[np.float32]
    angle: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.x)

    def at(self, indices: NDArray[np.integer] | slice) -> "OrientedPoints":
        """Return some of the points, in the order of `indices`."""
        return OrientedPoints(self.x[indices], self.y[indices], self.size[indices], self.angle[indices])


@dataclass(frozen=True, slots=True)
class Keypoints(OrientedPoints):
    """Points that are described: `descriptors` is uint8 [n, 32]."""

    descriptors: NDArray[np.uint8]

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


def detect_sides(grey: NDArray[np.uint8], scales: tuple[Scale, ...], *, negatives: bool, mirrors: bool = True) -> Sides:
    """Detect the keypoints of the picture and, if asked for, of its mirror image and of its negative.

    Those of the mirror image are in the mirror image's coordinates. Negatives are copied whole or in large parts, so
    they are looked for at the first scale only.
    """
    passes = [_Pass(grey, scale) for scale in scales]
    upright = _joined([one.upright() for one in passes])
    mirrored = _joined([one.mirrored() for one in passes]) if mirrors else NO_KEYPOINTS
    return upright, mirrored, passes[0].negative() if negatives else NO_KEYPOINTS, NO_KEYPOINTS


def joined_sides(one: Sides, other: Sides) -> Sides:
    """Return the keypoints of two detections, those of each side together."""
    upright, mirrored, negative, mirrored_negative = (_joined(list(both)) for both in zip(one, other, strict=True))
    return upright, mirrored, negative, mirrored_negative


def side_of(*, mirrored: bool, inverted: bool) -> int:
    """Return the place in Sides of the keypoints that see the candidate so."""
    return int(mirrored) + 2 * int(inverted)


class _Pass:
    """The keypoints of a picture at one scale, and their descriptors as the picture, its mirror image and negative.

    A mirror image and a negative have their corners in the same places: only descriptors are computed again.
    """

    def __init__(self, grey: NDArray[np.uint8], scale: Scale) -> None:
        longer = elongation(grey.shape[1], grey.shape[0])
        picture = _resized(grey, round(scale.longer_side * longer))
        self._zoom = (picture.shape[1] / grey.shape[1], picture.shape[0] / grey.shape[0])
        self._right = np.float32(picture.shape[1] - 1)

        count = round(scale.keypoints * longer)
        parts = max(4, int(np.sqrt(count / _OF_A_PART)))
        found = _corners(picture, parts, scale.levels)
        chosen = _spread(found, count, round(count * scale.strong), parts, picture.shape)
        self._levels = [_OrientedCorners.of(level, mine) for level, mine in zip(found, chosen, strict=True)]

    def upright(self) -> Keypoints:
        """Return the keypoints of the picture as it is."""
        return self._keypoints(mirrored=False, inverted=False)

    def mirrored(self) -> Keypoints:
        """Return the keypoints of the mirror image, in its coordinates."""
        return self._keypoints(mirrored=True, inverted=False)

    def negative(self) -> Keypoints:
        """Return the keypoints of the negative.

        Light and dark change places: the centroid that gives a patch its angle lies on the opposite side, and every
        comparison of two pixels comes out the other way.
        """
        return self._keypoints(mirrored=False, inverted=True)

    def _keypoints(self, *, mirrored: bool, inverted: bool) -> Keypoints:
        """Return the keypoints in pixels of the picture that was given, which the pass saw `_zoom` times as large."""
        levels = self._levels
        if not levels:
            return NO_KEYPOINTS
        x, y = np.concatenate([level.places.astype(np.float32) * level.scale for level in levels], axis=1)
        angle = np.concatenate([level.angles for level in levels])
        if mirrored:
            x, angle = self._right - x, (540 - angle) % 360
        if inverted:
            angle = (angle + 180) % 360

        half, across, down = np.float32(0.5), np.float32(self._zoom[0]), np.float32(self._zoom[1])
        return Keypoints(
            x=(x + half) / across - half,
            y=(y + half) / down - half,
            size=np.repeat([_PATCH * level.scale for level in levels], [len(level) for level in levels])
            / np.sqrt(across * down),
            angle=angle,
            descriptors=np.concatenate([level.described(mirrored=mirrored, inverted=inverted) for level in levels]),
        )


@dataclass(frozen=True, slots=True)
class _Corners:
    """The corners of one level of a pyramid, of whose pixels one is `scale` pixels of the pass wide.

    `grey` is uint8 [h, w]; `places` int32 [2, n], x and y in it; `responses` float32 [n].
    """

    scale: np.float32
    grey: NDArray[np.uint8]
    places: NDArray[np.int32]
    responses: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _OrientedCorners:
    """Those that are kept, as _Corners has them; `angles` is float32 [n], `smooth` what they are described in."""

    scale: np.float32
    smooth: NDArray[np.uint8]
    places: NDArray[np.int32]
    angles: NDArray[np.float32]

    @classmethod
    def of(cls, corners: _Corners, chosen: NDArray[np.int64]) -> "_OrientedCorners":
        places = corners.places[:, chosen]
        return cls(corners.scale, blurred(corners.grey), places, angles_of(corners.grey, places))

    def __len__(self) -> int:
        return len(self.angles)

    def described(self, *, mirrored: bool, inverted: bool) -> NDArray[np.uint8]:
        """Return the descriptors, uint8 [n, 32], as the mirror image or the negative shows them."""
        return describe(self.smooth, self.places, self.angles, mirrored=mirrored, inverted=inverted)


def _corners(picture: NDArray[np.uint8], parts: int, levels: int) -> list[_Corners]:
    """Find the strongest corners of each of `parts` x `parts` parts of a picture, in a pyramid.

    Its levels are each a sixth smaller; tiny pictures have fewer.
    """
    found, grey = list[_Corners](), picture
    for level in range(levels):
        scale = np.float32(_SHRINK**level)
        if level:
            grey = interpolated(grey, (round(picture.shape[1] / scale), round(picture.shape[0] / scale)))
        if min(grey.shape) <= 2 * BORDER:
            break
        places, responses = corners_of(grey, parts, _CHOICE, _FAST_THRESHOLD)
        found.append(_Corners(scale, grey, places, responses))
    return found


def _resized(grey: NDArray[np.uint8], longer_side: int) -> NDArray[np.uint8]:
    """Shrink a large picture, enlarge a small one (at most twice): ORB finds little on thumbnails."""
    height, width = grey.shape
    factor = min(longer_side / max(height, width), _MAX_ENLARGEMENT)
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    if size[0] <= width and size[1] <= height:
        return averaged(grey, size)
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, size, interpolation=method), dtype=np.uint8)


def _spread(
    levels: Sequence[_Corners], count: int, of_strong: int, parts: int, shape: tuple[int, ...]
) -> list[NDArray[np.int64]]:
    """Choose `count` corners evenly from all parts of the picture: int64 [n] for each level, places in its corners.

    Each part gives its strongest, then its second strongest, and so on. `of_strong` are chosen so from the strongest
    anywhere, the others from all that are left.
    """
    sizes = [len(level.responses) for level in levels]
    if not sizes or sum(sizes) <= count:
        return [np.arange(size) for size in sizes]

    x, y = np.concatenate([level.places.astype(np.float32) * level.scale for level in levels], axis=1)
    column = np.minimum((x * parts / shape[1]).astype(np.int64), parts - 1)
    row = np.minimum((y * parts / shape[0]).astype(np.int64), parts - 1)
    # Sixteen bits are sorted by numpy in one pass.
    part = (row * parts + column).astype(np.uint16)

    strongest = np.argsort(-np.concatenate([level.responses for level in levels]), kind="stable")
    kept = np.zeros(len(part), bool)
    kept[_in_turn(strongest[: round(_SURPLUS * of_strong)], part)[:of_strong]] = True
    kept[_in_turn(strongest[~kept[strongest]], part)[: count - of_strong]] = True
    return [np.flatnonzero(mine) for mine in np.split(kept, np.cumsum(sizes)[:-1])]


def _in_turn(strongest: NDArray[np.int64], part: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Return corners in another order: the strongest of each part, then the second strongest of each, and so on.

    `strongest`: int64 [n], corners by how strong they are; `part`: uint16, in which part each of all corners lies.
    """
    by_part = strongest[np.argsort(part[strongest], kind="stable")]
    starts = np.flatnonzero(np.r_[True, np.diff(part[by_part]) != 0]) if len(by_part) else np.zeros(0, np.int64)
    rank = np.arange(len(by_part)) - np.repeat(starts, np.diff(np.r_[starts, len(by_part)]))
    ranks = np.zeros(len(part), np.uint16)
    ranks[by_part] = np.minimum(rank, np.iinfo(np.uint16).max)
    return strongest[np.argsort(ranks[strongest], kind="stable")]


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
