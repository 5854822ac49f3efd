"""Which small shapes the figure of a picture has, and where: a Fisher vector of gradients, shortened.

Descriptors of gradients (Lowe's SIFT, 2004) are taken on a dense grid at two scales; a Fisher vector says how they
differ, in mean and deviation, from a mixture of Gaussians (Perronnin, Sánchez and Mensink, 2010). Mixture and
directions come with guardian: guardian/search/fitting_shapes.py fits them.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

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


def local_shapes(square: Floats, figure_side: int) -> NDArray[np.uint8]:
    """Return the local shapes of a figure in the middle of a square, float32 [128, 128, 3] in CIE Lab: uint8 [192].

    They are a vector of length 1, less where `figure_side`, the figure's longer side in pixels, is short: signed about
    128, in steps of 1/254.
    """
    share = float(np.clip((figure_side - _SMALL) / (_LARGE - _SMALL), 0, 1))
    if share == 0:
        return np.full(LOCAL_SHAPES, _ZERO, dtype=np.uint8)

    mixture, shortening = _fitted()
    short = (fisher_vector(square, mixture) - shortening.mean) @ shortening.directions
    short *= share / max(float(np.linalg.norm(short)), 1e-9)
    return np.clip(np.round(short * _STEPS) + _ZERO, 1, 255).astype(np.uint8)


def local_shape_values(kept: NDArray[np.uint8]) -> Floats:
    """Return the vectors, float32 [n, LOCAL_SHAPES], that `local_shapes` kept; zeros where nothing was kept."""
    values = (kept.astype(np.float32) - _ZERO) / _STEPS
    values[~kept.any(axis=1)] = 0
    return values


def fisher_vector(square: Floats, mixture: Mixture) -> Floats:
    """Return the Fisher vector of a picture, float32 [2 * k * (d + 2)], of length 1, after signed square roots."""
    described, places = descriptors(square)
    points = np.concatenate([(described - mixture.mean) @ mixture.axes, places * mixture.place_weight], axis=1)
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
    place = angle.ravel() * np.float32(_BINS / (2 * np.pi))
    below = place.astype(np.int64)
    of_next = strength.ravel() * (place - below)

    first = _first_bins(cell)
    size = (_SIDE // cell) ** 2 * _BINS
    # _BINS is a power of two.
    total = np.bincount(first + (below & (_BINS - 1)), strength.ravel() - of_next, size)
    total += np.bincount(first + ((below + 1) & (_BINS - 1)), of_next, size)
    return (total / cell**2).astype(np.float32).reshape(_SIDE // cell, _SIDE // cell, _BINS)


@lru_cache(maxsize=len(_SCALES))
def _first_bins(cell: int) -> NDArray[np.int64]:
    """Return where the bins of each pixel's cell begin: int64 [128 * 128]."""
    numbers = np.arange(_SIDE) // cell
    return ((numbers[:, None] * (_SIDE // cell) + numbers) * _BINS).ravel()
