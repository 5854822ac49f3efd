"""Fits the projections of the aspects on folders of labelled pictures, where a class is a folder.

    python -m guardian.search.fitting FOLDER... [--out FILE]

docs/search.md says on which pictures the shipped file was fitted: on none that `make bench ONLY=search` judges.
"""

import argparse
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.errors import Unmatchable
from guardian.matching.features.appearance import SLICES, appearance_of
from guardian.matching.features.image import decode
from guardian.matching.settings import MatchingSettings
from guardian.search.aspects import FITTED, PARTS, Aspect, Floats, decoded, unit

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
LEAST, MOST = 2, 30
"""Pictures of a class: one says nothing of its kind, more would outvote the others."""

_WEIGHTS = {
    "flat_colours": 1.0,
    "edge_colours": 1.5,
    "layout": 0.7,
    "edges": 0.5,
    "energies": 1.0,
    "gradients": 0.7,
    "spectrum": 0.5,
    "patterns": 1.5,
    "contrasts": 0.8,
    "silhouette": 0.2,
    "frame": 0.3,
    "figure_colours": 1.0,
    "figure_patterns": 1.0,
    "colour_patterns": 1.0,
    "colour_pairs": 1.0,
    "figure_contrasts": 0.5,
}
"""How much of the variance each part has before directions are weighed; the fit changes them by direction."""

_DIMENSIONS = {Aspect.LOOK: 128, Aspect.COLOUR: 64, Aspect.SHAPE: 64, Aspect.TEXTURE: 48}
_SHRINKAGE = 1.0


def classes_of(folder: Path, least: int = LEAST, most: int = MOST) -> dict[str, list[Path]]:
    """Return the files of each folder below this one that has `least` pictures: at most `most`, always the same."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            found.setdefault(path.parent.relative_to(folder).as_posix(), []).append(path)
    return {
        name: sorted(paths, key=lambda path: zlib.crc32(path.name.encode()))[:most]
        for name, paths in found.items()
        if len(paths) >= least
    }


def fit(appearances: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, Any]:
    """Return the arrays of the fitted file, of appearances uint8 [n, APPEARANCE_BYTES] and their classes int64 [n].

    The look: directions in which classes differ, divided by how pictures of one class differ there (linear
    discriminants, shrunk towards plain variance). The other aspects: principal components, which keep distances as
    they are.
    """
    arrays: dict[str, Any] = {}
    for aspect in Aspect:
        values = decoded(appearances, aspect)
        mean = values.mean(axis=0)
        scales = _scales(values, aspect)
        centred = (values - mean) * scales

        matrix = _discriminants(centred, labels) if aspect is Aspect.LOOK else _components(centred, aspect)
        arrays[f"{aspect.value}_matrix"] = (scales[:, None] * matrix).astype(np.float16)
        arrays[f"{aspect.value}_mean"] = mean.astype(np.float16)
        arrays[f"{aspect.value}_levels"] = _levels(centred @ matrix)
    return arrays


def _levels(vectors: Floats) -> NDArray[np.float16]:
    """Return above which cosine two pictures are alike, and much alike: what 5 and 0.5 % of random pairs reach."""
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, len(vectors), (2, 50_000))
    pairs = one != other
    cosines = (unit(vectors[one[pairs]]) * unit(vectors[other[pairs]])).sum(axis=1)
    return np.asarray(np.quantile(cosines, (0.95, 0.995)), dtype=np.float16)


def _scales(values: Floats, aspect: Aspect) -> Floats:
    """Return by what each value is multiplied so that every part has the variance of its weight."""
    scales, start = [], 0
    for name in PARTS[aspect]:
        size = SLICES[name].stop - SLICES[name].start
        variance = float(values[:, start : start + size].var(axis=0).sum())
        scales.append(np.full(size, np.sqrt(_WEIGHTS[name] / max(variance, 1e-9))))
        start += size
    return np.concatenate(scales).astype(np.float32)


def _discriminants(centred: Floats, labels: NDArray[np.int64]) -> Floats:
    names, classes = np.unique(labels, return_inverse=True)
    means = np.stack([centred[classes == number].mean(axis=0) for number in range(len(names))])
    within = centred - means[classes]

    variances, axes = np.linalg.eigh(within.T @ within / len(within))
    shrunk = np.maximum(variances, 0) + _SHRINKAGE * variances.mean()
    whitened = axes / np.sqrt(shrunk)

    between = means @ whitened
    _, directions = np.linalg.eigh(between.T @ between / len(between))
    return np.asarray(whitened @ directions[:, -_DIMENSIONS[Aspect.LOOK] :], dtype=np.float32)


def _components(centred: Floats, aspect: Aspect) -> Floats:
    _, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    return np.asarray(axes[:, -_DIMENSIONS[aspect] :], dtype=np.float32)


def labelled(classes: Mapping[str, list[Path]]) -> tuple[NDArray[np.uint8], list[str]]:
    """Return the appearances of all pictures that can be matched, uint8 [n, APPEARANCE_BYTES], and their classes."""
    settings, rows, names = MatchingSettings(), [], []
    for name, paths in classes.items():
        for path in paths:
            try:
                picture = decode(path.read_bytes(), settings)
            except Unmatchable:
                continue
            rows.append(appearance_of(picture.rgb).values)
            names.append(name)
    return np.stack(rows), names


def _main() -> None:
    parser = argparse.ArgumentParser(description="Fit the aspects of the search on folders of labelled pictures.")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=FITTED)
    given = parser.parse_args()

    rows, labels = [], list[str]()
    for folder in given.folders:
        found, names = labelled(classes_of(folder))
        rows.append(found)
        labels += [f"{folder}/{name}" for name in names]

    numbers = np.unique(np.array(labels), return_inverse=True)[1]
    np.savez_compressed(given.out, **fit(np.concatenate(rows), numbers))
    print(f"{given.out}: fitted on {len(labels)} pictures of {numbers.max() + 1} classes")


if __name__ == "__main__":
    _main()
