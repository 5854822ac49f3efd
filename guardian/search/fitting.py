"""Fits the projections of the aspects on folders of labelled pictures, where a class is a folder.

    python -m guardian.search.fitting FOLDER... [--out FILE]

Run fitting_shapes.py before. docs/search-quality.md says on which pictures the shipped file was fitted and judged.
"""

import argparse
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import Unmatchable
from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.appearance_bytes import SLICES
from guardian.matching.features.image import decode
from guardian.matching.features.local_shapes import local_shape_values
from guardian.matching.settings import MatchingSettings
from guardian.search.aspects import (
    FITTED,
    PARTS,
    Aspect,
    Classes,
    Floats,
    decoded,
    joined,
    roots_of_shares,
    rounded,
    unit,
    with_classes,
)

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

_DIMENSIONS = {Aspect.LOOK: 160, Aspect.COLOUR: 64, Aspect.SHAPE: 64, Aspect.TEXTURE: 48}
_LOCAL_SHAPES_DIMENSIONS, _CLASSES_DIMENSIONS = 48, 48
_SHRINKAGE, _LOCAL_SHAPES_SHRINKAGE = 1.0, 0.5

_EDITS_WEIGHT = 1.0
"""How much it counts, beside how pictures of a class differ, how edited copies differ from their original."""

_EDITED_EVERY = 8


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


def edits_of(rgb: NDArray[np.uint8], rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """Return a picture, uint8 [h, w, 3], and copies of it: compressed, grey, cropped and reduced."""
    height, width = rgb.shape[:2]
    quality = int(rng.integers(20, 60))
    encoded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    top, left, factor = int(height * 0.1), int(width * 0.1), rng.uniform(0.4, 0.7)
    size = (max(8, int(width * factor)), max(8, int(height * factor)))
    made = [
        rgb,
        cv2.imdecode(encoded, cv2.IMREAD_COLOR),
        np.repeat(grey[:, :, None], 3, axis=2),
        np.ascontiguousarray(rgb[top : height - top, left : width - left]),
        cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR),
    ]
    return [np.asarray(one, dtype=np.uint8) for one in made]


def fit(
    appearances: NDArray[np.uint8], labels: NDArray[np.int64], edited: NDArray[np.uint8], originals: NDArray[np.int64]
) -> dict[str, Any]:
    """Return the arrays of the fitted file, of appearances uint8 [n, APPEARANCE_BYTES] and their classes int64 [n].

    `edited` uint8 [m, APPEARANCE_BYTES] are edited copies, `originals` int64 [m] says of which picture each is one.

    The look: directions in which classes differ, divided by how pictures of one class, and copies of one picture,
    differ there (linear discriminants, shrunk towards plain variance); the local shapes by themselves, since their many
    directions would be taken for what the classes of these folders have in common. The other aspects: principal
    components, which keep distances as they are.
    """
    arrays: dict[str, Any] = {}
    for aspect in Aspect:
        values = decoded(appearances, aspect)
        mean = values.mean(axis=0)
        scales = _scales(values, aspect)
        centred = (values - mean) * scales
        if aspect is Aspect.LOOK:
            copies = (decoded(edited, aspect) - mean) * scales
            matrix = _discriminants(centred, labels, copies, originals)
            vectors, of_look = _joined_look(unit(centred @ matrix), appearances, labels)
            arrays |= of_look
        else:
            matrix = _main_axes(centred, _DIMENSIONS[aspect])
            vectors = unit(centred @ matrix)
        arrays[f"{aspect.value}_matrix"] = (scales[:, None] * matrix).astype(np.float16)
        arrays[f"{aspect.value}_mean"] = mean.astype(np.float16)
        arrays[f"{aspect.value}_levels"] = _levels(vectors)
    return arrays


def _joined_look(
    looks: Floats, appearances: NDArray[np.uint8], labels: NDArray[np.int64]
) -> tuple[Floats, dict[str, Any]]:
    """Return looks float32 [n, d] with local shapes and classes, float32 [n, e], and the arrays that these need."""
    shapes = local_shape_values(appearances[:, SLICES["local_shapes"]])
    of_shapes = _local_shapes_matrix(shapes, labels)
    vectors = joined(looks, shapes, of_shapes)

    classes = _classes(vectors, labels)
    arrays = {
        "local_shapes_matrix": of_shapes.astype(np.float16),
        "classes_centres": rounded(classes.centres),
        "classes_mean": classes.mean.astype(np.float16),
        "classes_axes": classes.axes.astype(np.float16),
    }
    return with_classes(vectors, classes), arrays


def _classes(looks: Floats, labels: NDArray[np.int64]) -> Classes:
    """Return the classes int64 [n] of looks float32 [n, d], and the main directions in which shares in them vary."""
    centres = unit(_means(looks, labels)[0])
    roots = roots_of_shares(looks, centres)
    mean = roots.mean(axis=0)
    return Classes(centres, mean, _main_axes(roots - mean, _CLASSES_DIMENSIONS))


def _local_shapes_matrix(shapes: Floats, labels: NDArray[np.int64]) -> Floats:
    """Return the directions of local shapes, float32 [n, p], in which classes int64 [n] differ: float32 [p, d]."""
    means, within = _means(shapes, labels)
    return _separating(means, within, _LOCAL_SHAPES_SHRINKAGE, _LOCAL_SHAPES_DIMENSIONS)


def _levels(vectors: Floats) -> NDArray[np.float16]:
    """Return the cosines that 5 % (alike) and 0.5 % (much alike) of random pairs of unit vectors, [n, d], reach."""
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, len(vectors), (2, 50_000))
    pairs = one != other
    cosines = (vectors[one[pairs]] * vectors[other[pairs]]).sum(axis=1)
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


def _means(values: Floats, classes: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the mean of each class, float32 [c, p], and the covariance within classes, float32 [p, p]."""
    _, numbers = np.unique(classes, return_inverse=True)
    means = np.zeros((numbers.max() + 1, values.shape[1]), dtype=np.float32)
    np.add.at(means, numbers, values)
    means /= np.bincount(numbers)[:, None]
    apart = values - means[numbers]
    return means, np.asarray(apart.T @ apart / len(apart), dtype=np.float32)


def _discriminants(centred: Floats, labels: NDArray[np.int64], copies: Floats, originals: NDArray[np.int64]) -> Floats:
    means, within = _means(centred, labels)
    _, among_copies = _means(copies, originals)

    return _separating(means, within + _EDITS_WEIGHT * among_copies, _SHRINKAGE, _DIMENSIONS[Aspect.LOOK])


def _separating(means: Floats, within: Floats, shrinkage: float, count: int) -> Floats:
    """Return the directions, float32 [p, count], in which means [c, p] differ most beside what differs `within`."""
    variances, axes = np.linalg.eigh(within)
    shrunk = np.maximum(variances, 0) + shrinkage * variances.mean()
    whitened = axes / np.sqrt(shrunk)

    between = means @ whitened
    _, directions = np.linalg.eigh(between.T @ between / len(between))
    return np.asarray(whitened @ directions[:, -count:], dtype=np.float32)


def _main_axes(centred: Floats, count: int) -> Floats:
    """Return the principal directions of values float32 [n, p]: float32 [p, count]."""
    _, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    return np.asarray(axes[:, -count:], dtype=np.float32)


def labelled(classes: Mapping[str, list[Path]]) -> tuple[NDArray[np.uint8], list[str], NDArray[np.uint8]]:
    """Return the appearances of all pictures that can be matched, uint8 [n, APPEARANCE_BYTES], and their classes.

    Each comes twice, as it is and mirrored, since the search asks with both. With them come those of every eighth
    picture and its edited copies, uint8 [m, 5, APPEARANCE_BYTES].
    """
    settings, rng = MatchingSettings(), np.random.default_rng(0)
    rows, names, edited = [], list[str](), []
    for name, paths in classes.items():
        for path in paths:
            try:
                picture = decode(path.read_bytes(), settings)
            except Unmatchable:
                continue
            sides = (picture.rgb, np.ascontiguousarray(picture.rgb[:, ::-1]))
            rows += [appearance_of(side).values for side in sides]
            names += [name] * len(sides)
            if len(rows) // len(sides) % _EDITED_EVERY == 1:
                edited.append([appearance_of(one).values for one in edits_of(picture.rgb, rng)])
    return np.stack(rows), names, np.array(edited)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Fit the aspects of the search on folders of labelled pictures.")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=FITTED)
    given = parser.parse_args()

    rows, labels, edited = [], list[str](), []
    for folder in given.folders:
        found, names, copies = labelled(classes_of(folder))
        rows.append(found)
        edited.append(copies)
        labels += [f"{folder}/{name}" for name in names]

    numbers = np.unique(np.array(labels), return_inverse=True)[1]
    groups = np.concatenate(edited)
    originals = np.repeat(np.arange(len(groups)), groups.shape[1])
    arrays = fit(np.concatenate(rows), numbers, groups.reshape(len(originals), -1), originals)
    np.savez_compressed(given.out, **arrays)
    print(f"{given.out}: fitted on {len(labels) // 2} pictures of {numbers.max() + 1} classes")


if __name__ == "__main__":
    _main()
