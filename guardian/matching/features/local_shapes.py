"""Which small shapes the figure of a picture has, and where: a Fisher vector of gradients, shortened.

Descriptors of gradients (Lowe's SIFT, 2004) are taken on a dense grid at two scales; a Fisher vector says how they
differ, in mean and deviation, from a mixture of Gaussians (Perronnin, Sánchez and Mensink, 2010). Mixture and
directions come with guardian: guardian/search/fitting_shapes.py fits them.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel

Floats = NDArray[np.float32]

LOCAL_SHAPES = 192
"""Numbers that are kept of a picture."""

FITTED = Path(__file__).parent / "local_shapes.npz"

_SIDE = 128
_BINS = 8
_CELLS = 4
"""Of a descriptor, in both directions: each has the strengths of _BINS directions."""

_SCALES = ((4, 0.0), (8, 1.2))
"""Pixels of a cell's side, and the deviation of the Gaussian by which the picture is blurred before."""

_LEAST_STRENGTH, _FEWEST = 8.0, 8
"""Even patches say nothing; but where fewer than so many are left, all count."""

_LARGEST_SHARE = 0.2
_SMALL, _LARGE = 32.0, 96.0
"""Pixels of a figure's longer side: up to which its shapes do not count, and from which they count in full.

What is enlarged has the shapes of interpolation, and steps of an animation differ in little else.
"""

_ZERO, _STEPS = 128, 254.0


@dataclass(frozen=True, slots=True)
class Mixture:
    """What descriptors are compared with. Deviations are those of Gaussians without covariances.

    `mean` float32 [128] and `axes` [128, d] reduce a descriptor to d numbers, to which its place (-0.5 to 0.5 down and
    across) times `place_weight` is joined; `weights` [k], `means` and `deviations` [k, d + 2] are those of k Gaussians.
    """

    mean: Floats
    axes: Floats
    place_weight: float
    weights: Floats
    means: Floats
    deviations: Floats


@dataclass(frozen=True, slots=True)
class Shortening:
    """How a Fisher vector, less `mean` float32 [f], becomes short: by `directions` float32 [f, LOCAL_SHAPES]."""

    mean: Floats
    directions: Floats


@lru_cache(maxsize=1)
def _fitted() -> tuple[Mixture, Shortening]:
    """Return what comes with guardian."""
    with np.load(FITTED, allow_pickle=False) as kept:
        arrays = {name: kept[name].astype(np.float32) for name in kept.files}
    place_weight = float(arrays.pop("place_weight"))
    shortening = Shortening(arrays.pop("fisher_mean"), arrays.pop("directions") * arrays.pop("scales"))
    return Mixture(place_weight=place_weight, **arrays), shortening


@dataclass(frozen=True, slots=True)
class DescribedFigure:
    """The descriptors of a figure, `patches` float32 [n, 128], and where they lie, `places` float32 [n, 2].

    `share` (0-1): how much they count. Where that is 0, there are none.
    """

    patches: Floats
    places: Floats
    share: float


def described(square: Floats, figure_side: int) -> DescribedFigure:
    """Describe a figure in the middle of a square, float32 [128, 128, 3] in CIE Lab.

    Where `figure_side`, the figure's longer side in pixels, is short, its shapes count for less.
    """
    share = float(np.clip((figure_side - _SMALL) / (_LARGE - _SMALL), 0, 1))
    if share == 0:
        return DescribedFigure(np.empty((0, _CELLS * _CELLS * _BINS), np.float32), np.empty((0, 2), np.float32), share)
    return DescribedFigure(*descriptors(square), share)


def local_shapes(figure: DescribedFigure) -> NDArray[np.uint8]:
    """Return the local shapes of a figure, uint8 [192]: a vector as long as its share, signed, in steps of 1/254."""
    mixture, shortening = _fitted()
    return _shortened(figure, mixture, shortening)


def mirrored_local_shapes(figure: DescribedFigure) -> NDArray[np.uint8]:
    """Return the local shapes of the figure's mirror image, uint8 [192]."""
    _, shortening = _fitted()
    # The grid lies evenly in the square: its descriptors are those of the mirror image, in another order.
    mirrored = replace(figure, places=figure.places * np.array([1, -1], np.float32))
    return _shortened(mirrored, _mirrored_mixture(), shortening)


@lru_cache(maxsize=1)
def _mirrored_mixture() -> Mixture:
    """Return the mixture for descriptors whose mirror images are meant."""
    mixture, _ = _fitted()
    numbers = np.arange(_CELLS * _CELLS * _BINS).reshape(_CELLS, _CELLS, _BINS)
    # Cells change sides, and so do directions: what points to the right, at 0, points to the left, at half a turn.
    opposite = (_BINS // 2 - np.arange(_BINS)) % _BINS
    order = numbers[:, ::-1, opposite].ravel()
    return replace(mixture, mean=mixture.mean[order], axes=mixture.axes[order])


def _shortened(figure: DescribedFigure, mixture: Mixture, shortening: Shortening) -> NDArray[np.uint8]:
    if figure.share == 0:
        return np.full(LOCAL_SHAPES, _ZERO, dtype=np.uint8)
    short = (fisher_vector(figure.patches, figure.places, mixture) - shortening.mean) @ shortening.directions
    short *= figure.share / max(float(np.linalg.norm(short)), 1e-9)
    return np.clip(np.round(short * _STEPS) + _ZERO, 1, 255).astype(np.uint8)


def local_shape_values(kept: NDArray[np.uint8]) -> Floats:
    """Return the vectors, float32 [n, LOCAL_SHAPES], that `local_shapes` kept; zeros where nothing was kept."""
    values = (kept.astype(np.float32) - _ZERO) / _STEPS
    values[~kept.any(axis=1)] = 0
    return values


def fisher_vector(patches: Floats, places: Floats, mixture: Mixture) -> Floats:
    """Return the Fisher vector, float32 [2 * k * (d + 2)], of a picture's `descriptors`.

    It has a length of 1, after signed square roots.
    """
    points = np.concatenate([(patches - mixture.mean) @ mixture.axes, places * mixture.place_weight], axis=1)
    shares = _shares(points, mixture)

    count = len(points)
    none, first, second = shares.sum(axis=0)[:, None], shares.T @ points, shares.T @ (points * points)
    means, deviations, weights = mixture.means, mixture.deviations, mixture.weights[:, None]
    of_means = (first - none * means) / (deviations * count * np.sqrt(weights))
    spread = (second - 2 * means * first + none * means**2) / deviations**2 - none
    of_deviations = spread / (count * np.sqrt(2 * weights))

    vector = np.concatenate([of_means.ravel(), of_deviations.ravel()])
    vector = np.sign(vector) * np.sqrt(np.abs(vector))
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), dtype=np.float32)


def _shares(points: Floats, mixture: Mixture) -> Floats:
    """Return how much of each point, [n, d + 2], belongs to each Gaussian: float32 [n, k]."""
    precisions = 1 / mixture.deviations**2
    constant = np.log(mixture.weights) - np.log(mixture.deviations).sum(axis=1)
    constant -= 0.5 * (mixture.means**2 * precisions).sum(axis=1)
    likelihoods = constant - 0.5 * (points * points) @ precisions.T + points @ (mixture.means * precisions).T
    likelihoods = np.exp(likelihoods - likelihoods.max(axis=1, keepdims=True))
    return np.asarray(likelihoods / likelihoods.sum(axis=1, keepdims=True), dtype=np.float32)


def descriptors(square: Floats) -> tuple[Floats, Floats]:
    """Return the descriptors of a square, float32 [n, 128], and where they lie, float32 [n, 2]."""
    luma = np.ascontiguousarray(square[:, :, 0]) * np.float32(2.55)
    found, middles = [], []
    for cell, blur in _SCALES:
        blurred = np.asarray(cv2.GaussianBlur(luma, (0, 0), blur), dtype=np.float32) if blur else luma
        planes = _directions(blurred, cell)
        windows = np.lib.stride_tricks.sliding_window_view(planes, (_CELLS, _CELLS), axis=(0, 1))
        down, across = windows.shape[:2]
        # Bins last: they lie beside each other.
        found.append(windows.transpose(0, 1, 3, 4, 2).reshape(down * across, -1))
        middles.append(_middles(down, across, cell))

    patches, places = np.concatenate(found), np.concatenate(middles)
    strengths = np.sqrt(np.einsum("ij,ij->i", patches, patches))
    is_kept = strengths >= _LEAST_STRENGTH
    if is_kept.sum() >= _FEWEST:
        patches, places, strengths = patches[is_kept], places[is_kept], strengths[is_kept]

    patches /= np.maximum(strengths, 1e-6)[:, None]
    np.minimum(patches, _LARGEST_SHARE, out=patches)
    patches /= np.maximum(patches.sum(axis=1), 1e-6)[:, None]
    return np.sqrt(patches, out=patches), places


@lru_cache(maxsize=len(_SCALES))
def _middles(down: int, across: int, cell: int) -> Floats:
    """Return where the middles of descriptors lie, -0.5 to 0.5 down and across: float32 [down * across, 2]."""
    corners = np.indices((down, across)).reshape(2, -1).T
    return np.asarray((corners + _CELLS / 2) * cell / _SIDE - 0.5, dtype=np.float32)


def _directions(luma: Floats, cell: int) -> Floats:
    """Return the mean strengths of gradients in cells by their direction: float32 [128 / cell, 128 / cell, 8]."""
    across = cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    strength, angle = cv2.cartToPolar(across, down)
    place = angle * np.float32(_BINS / (2 * np.pi))
    return np.asarray(_add_up(strength, place, cell) / cell**2, dtype=np.float32)


@kernel
def _add_up(strength, place, cell):  # type: ignore[no-untyped-def]
    """Return the strengths in cells, float64 [128 / cell, 128 / cell, 8], each shared by the bins beside its place."""
    size = strength.shape[0] // cell
    first, second = np.zeros((size, size, _BINS)), np.zeros((size, size, _BINS))
    for y in range(size * cell):
        of_first, of_second = first[y // cell], second[y // cell]
        for x in range(size * cell):
            below = int(place[y, x])
            of_next = strength[y, x] * (place[y, x] - below)
            # _BINS is a power of two.
            of_first[x // cell, below & (_BINS - 1)] += strength[y, x] - of_next
            of_second[x // cell, (below + 1) & (_BINS - 1)] += of_next
    return first + second
