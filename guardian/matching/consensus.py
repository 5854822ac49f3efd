"""Which of an asset's correspondences agree with each other on one similarity transform.

Each correspondence of two oriented keypoints proposes a similarity (Lowe, IJCV 2004, section 7.3); the others are
counted that agree with it.
"""

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.keypoints import OrientedPoints
from guardian.matching.geometry import Matrix


def count_agreeing(
    asset: OrientedPoints, candidate: OrientedPoints, starts: NDArray[np.int64] | None = None
) -> NDArray[np.int32]:
    """Count for n correspondences (equally long) how many agree with the similarity that each proposes.

    `starts` (n groups: int64 [n + 1], the last is the end) counts within each group only.
    """
    return np.asarray(
        _count_agreeing(
            (asset.x, asset.y, asset.size, asset.angle),
            (candidate.x, candidate.y, candidate.size, candidate.angle),
            np.array([0, len(asset)]) if starts is None else starts,
        )
    )


def weigh_agreeing(
    asset: OrientedPoints,
    candidate: OrientedPoints,
    starts: NDArray[np.int64],
    agreeing: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return how much weight agrees with the best correspondence of each of n groups: float32 [n].

    `starts` and `agreeing` are those of `count_agreeing`; `weights` float32 is as long as the correspondences.
    """
    points = (asset.x, asset.y, asset.size, asset.angle), (candidate.x, candidate.y, candidate.size, candidate.angle)
    return np.asarray(_weigh_agreeing(*points, starts, agreeing, weights))


def proposed_similarity(asset: OrientedPoints, candidate: OrientedPoints, index: int) -> Matrix:
    """Return the similarity that one correspondence of oriented keypoints proposes, asset to candidate pixels."""
    scale = float(candidate.size[index]) / float(asset.size[index])
    turn = np.deg2rad(float(candidate.angle[index]) - float(asset.angle[index]))
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    x, y = float(asset.x[index]), float(asset.y[index])
    shift_x = float(candidate.x[index]) - cosine * x + sine * y
    shift_y = float(candidate.y[index]) - sine * x - cosine * y
    return np.array([cosine, -sine, shift_x, sine, cosine, shift_y])


@kernel
def _count_agreeing(asset, candidate, starts):  # type: ignore[no-untyped-def]
    agreeing = np.zeros(asset[0].shape[0], np.int32)
    for group in range(starts.shape[0] - 1):
        _count_in_group(asset, candidate, starts[group], starts[group + 1], agreeing)
    return agreeing


@kernel
def _count_in_group(asset, candidate, start, stop, agreeing):  # type: ignore[no-untyped-def]
    for i in range(start, stop):
        proposed = _proposed_by(asset, candidate, i)
        for j in range(start, stop):
            agreeing[i] += _agrees(asset, candidate, proposed, i, j)


@kernel
def _weigh_agreeing(asset, candidate, starts, agreeing, weights):  # type: ignore[no-untyped-def]
    weighed = np.zeros(starts.shape[0] - 1, np.float32)
    for group in range(weighed.shape[0]):
        start, stop = starts[group], starts[group + 1]
        best = start + agreeing[start:stop].argmax()
        proposed = _proposed_by(asset, candidate, best)
        for j in range(start, stop):
            if _agrees(asset, candidate, proposed, best, j):
                weighed[group] += weights[j]
    return weighed


@kernel
def _proposed_by(asset, candidate, i):  # type: ignore[no-untyped-def]
    """Return scale, turn in degrees, scaled cosine and sine of the similarity that one correspondence proposes."""
    scale = candidate[2][i] / asset[2][i]
    turn = candidate[3][i] - asset[3][i]
    return scale, turn, scale * np.cos(np.deg2rad(turn)), scale * np.sin(np.deg2rad(turn))


@kernel
def _agrees(asset, candidate, proposed, i, j):  # type: ignore[no-untyped-def]
    """Tell whether correspondence j agrees with what i proposes in place, size and angle."""
    ax, ay, asize, aangle = asset
    cx, cy, csize, cangle = candidate
    scale, turn, cosine, sine = proposed

    dx, dy = ax[j] - ax[i], ay[j] - ay[i]
    error_x = abs(cosine * dx - sine * dy + cx[i] - cx[j])
    error_y = abs(sine * dx + cosine * dy + cy[i] - cy[j])
    # Angle and size of one keypoint are coarse, so its proposal may drift with distance.
    reach = 0.35 * csize[j] + 0.08 * scale * np.sqrt(dx * dx + dy * dy)
    if error_x > reach or error_y > reach:
        return False

    zoom = csize[j] / asize[j] / scale
    if zoom > 1.8 or zoom < 0.55:
        return False
    return abs((cangle[j] - aangle[j] - turn + 900.0) % 360.0 - 180.0) <= 35.0
