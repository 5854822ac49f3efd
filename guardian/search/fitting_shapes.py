"""Fits the mixture and the directions of local shapes on folders of pictures, without their classes.

    python -m guardian.search.fitting_shapes FOLDER... [--out FILE]

To be run before fitting.py, on the same folders. Needs scikit-learn (`pip install 'guardian[fit]'`).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.errors import Unmatchable
from guardian.matching.features.appearance import squared
from guardian.matching.features.image import decode
from guardian.matching.features.local_shapes import (
    FITTED,
    LOCAL_SHAPES,
    Floats,
    Mixture,
    descriptors,
    fisher_vector,
)
from guardian.matching.settings import MatchingSettings
from guardian.search.fitting import classes_of

_KEPT, _GAUSSIANS = 32, 32
_OF_EACH, _MOST = 60, 60_000
"""Descriptors of a picture, and of all, that the mixture is fitted on."""

_PLACE_WEIGHT = 3.0
"""By how many deviations of a descriptor's numbers two patches are apart that lie at opposite sides."""


def mixture_of(squares: Sequence[Floats]) -> Mixture:
    """Return the mixture of the descriptors of pictures, each float32 [128, 128, 3] in CIE Lab."""
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(0)
    found, places = list[Floats](), list[Floats]()
    for square in squares:
        described, where = descriptors(square)
        chosen = rng.permutation(len(described))[:_OF_EACH]
        found.append(described[chosen])
        places.append(where[chosen])

    described = np.concatenate(found)
    mean = described.mean(axis=0)
    variances, axes = np.linalg.eigh((described - mean).T @ (described - mean) / len(described))
    axes = axes[:, -_KEPT:]
    place_weight = float(_PLACE_WEIGHT * np.sqrt(variances[-_KEPT:].mean()))

    points = np.concatenate([(described - mean) @ axes, np.concatenate(places) * place_weight], axis=1)
    points = points[rng.permutation(len(points))[:_MOST]]
    least = 1e-4 * points.var(axis=0).mean()
    model = GaussianMixture(
        _GAUSSIANS, covariance_type="diag", max_iter=40, random_state=0, reg_covar=least, init_params="k-means++"
    ).fit(points)
    of_model = (model.weights_, model.means_, np.sqrt(model.covariances_))
    return Mixture(_short(mean), _short(axes), place_weight, *(_short(one) for one in of_model))


def _short(values: NDArray[Any]) -> Floats:
    """Return numbers as the file keeps them, so that what is fitted next is fitted on what will be used."""
    return values.astype(np.float16).astype(np.float32)


def fit(squares: Sequence[Floats]) -> dict[str, Any]:
    """Return the arrays of the fitted file: the mixture, and the main directions of the pictures' Fisher vectors.

    Directions are kept as int8 with a scale for each.
    """
    mixture = mixture_of(squares[::2])
    vectors = np.stack([fisher_vector(*descriptors(square), mixture) for square in squares])
    mean = vectors.mean(axis=0)
    directions = _main_directions(vectors - mean, LOCAL_SHAPES)
    scales = np.abs(directions).max(axis=0) / 127
    names = ("mean", "axes", "weights", "means", "deviations")
    return {
        **{name: getattr(mixture, name).astype(np.float16) for name in names},
        "place_weight": np.float32(mixture.place_weight),
        "fisher_mean": mean.astype(np.float16),
        "directions": np.round(directions / scales).astype(np.int8),
        "scales": scales.astype(np.float32),
    }


def _main_directions(centred: Floats, count: int) -> Floats:
    """Return the principal directions of vectors, float32 [f, count], by a randomised decomposition (Halko, 2011)."""
    start = np.random.default_rng(0).standard_normal((centred.shape[1], count + 24)).astype(np.float32)
    basis = np.linalg.qr(centred @ start)[0]
    for _ in range(2):
        basis = np.linalg.qr(centred @ (centred.T @ basis))[0]
    return np.asarray(np.linalg.svd(basis.T @ centred, full_matrices=False)[2][:count].T, dtype=np.float32)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Fit the local shapes of the search on folders of pictures.")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=FITTED)
    given = parser.parse_args()

    settings, squares = MatchingSettings(), list[Floats]()
    for folder in given.folders:
        for path in (path for paths in classes_of(folder).values() for path in paths):
            try:
                squares.append(squared(decode(path.read_bytes(), settings).rgb)[0])
            except Unmatchable:
                continue
    np.savez_compressed(given.out, **fit(squares))
    print(f"{given.out}: fitted on {len(squares)} pictures")


if __name__ == "__main__":
    _main()
