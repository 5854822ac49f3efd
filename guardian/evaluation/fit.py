"""Fits the confidence of the matcher: `make fit PICTURES="FOLDER..."`.

Measures labelled examples with the shipped matcher, fits boosted trees whose answer may only rise or fall with each
feature where that is reason, calibrates them on candidates made of pictures that they were not fitted on, and writes
matching/confidence.json with its provenance. Needs scikit-learn (extra `demo`).
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.child_process import end_with_parent
from guardian.errors import Unmatchable
from guardian.evaluation.attacks import Picture, shrunk
from guardian.evaluation.diagram import drawn
from guardian.evaluation.examples import make_examples
from guardian.evaluation.pile import Examples
from guardian.matching.features import hashing
from guardian.matching.features.fingerprint import fingerprint
from guardian.matching.features.image import Picture as Decoded
from guardian.matching.features.image import decode
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import FULL
from guardian.matching.recipe import FITTED, index_recipe
from guardian.matching.settings import MatchingSettings
from guardian.matching.verify.confidence import FEATURES

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

SEEDS = (1, 2, 3)
FOLDS = 5
CALIBRATED_FROM = -4.0
"""Logit of held-out trees from which pairs take part in the calibration: about 0.04."""

LARGEST_SIDE = 1000
NEAR_DUPLICATE_BITS = 70
"""Pictures of the pile whose hashes are closer than this are one picture; only the first is used."""

SHARED_INLIERS, SHARED_STRENGTH = 15, 4.0
"""Nor are those used that show a part of another one: close keypoints that agree, and strength of the core."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One compared pair. `group` names the query's main picture, so that folds share no picture."""

    features: NDArray[np.float64]
    is_copy: bool
    edit: str
    group: int
    query: int


def load_pictures(folders: Sequence[Path]) -> tuple[list[Picture], str]:
    """Load all usable pictures below the folders, near-duplicates dropped, and a digest of their bytes."""
    pictures, hashes = list[Picture](), list[NDArray[np.uint8]]()
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        try:
            picture = decode(content, MatchingSettings())
        except Unmatchable:
            continue

        # Small and even pictures teach nothing about keypoints and cells.
        grey = picture.grey
        if min(grey.shape) < 280 or grey.std() < 12 or cv2.Laplacian(grey, cv2.CV_32F).std() < 4:
            continue

        orientations = hashing.hash_orientations(grey)
        if hashes:
            nearest = hashing.nearest_orientation(orientations, np.stack(hashes))[0].min()
            if nearest < NEAR_DUPLICATE_BITS:
                continue

        hashes.append(orientations[0])
        pictures.append(shrunk(picture.rgb, min(LARGEST_SIDE, max(grey.shape))))
        digest.update(hashlib.sha256(content).digest())
    return _without_overlaps(pictures), digest.hexdigest()


def _without_overlaps(pictures: Sequence[Picture]) -> list[Picture]:
    """Leave out pictures that show a part of an earlier one: a copy labelled a distractor teaches the opposite."""
    kept: dict[int, Picture] = {}
    with tempfile.TemporaryDirectory() as folder:
        matcher = _matcher_of(pictures, Path(folder))
        for number, picture in enumerate(pictures):
            shows_another = any(
                int(pair.asset.id) in kept
                and pair.measurement.close_inliers >= SHARED_INLIERS
                and (pair.measurement.alignment.core is not None)
                and pair.measurement.alignment.core.strength >= SHARED_STRENGTH
                for pair in matcher.compared(_decoded(picture))
            )
            if not shows_another:
                kept[number] = picture
    return list(kept.values())


def _matcher_of(pictures: Sequence[Picture], folder: Path) -> Matcher:
    """Make a matcher over a throw-away index; asset ids are the places in `pictures`."""
    recipe = index_recipe(MatchingSettings(), None)
    entries = [
        (number, str(number - 1), fingerprint(_decoded(picture), recipe, FULL, None))
        for number, picture in enumerate(pictures, start=1)
    ]
    IndexWriter(folder / recipe, recipe).publish(entries)
    matcher = Matcher(MatchingSettings(), None, folder)
    matcher.refresh()
    return matcher


def measure_examples(examples: Examples) -> Iterator[Pair]:
    """Publish the references into a throw-away index and compare every query with it."""
    with tempfile.TemporaryDirectory() as folder:
        matcher = _matcher_of([reference.picture for reference in examples.references], Path(folder))
        for number, query in enumerate(examples.queries):
            compared = [(int(pair.asset.id), pair.features) for pair in matcher.compared(_decoded(query.picture))]
            yield from _labelled(examples, number, compared)


def _labelled(examples: Examples, number: int, compared: Sequence[tuple[int, NDArray[np.float64]]]) -> Iterator[Pair]:
    """Yield what one query teaches: each compared reference (its place, features) is a copy, is not, or is left out.

    Of an original that is protected several times only the reference with most of its own is learnt from. The others'
    evidence was taken as shared, and a copy that has nothing of its own would teach that shared pages are copies.
    """
    query = examples.queries[number]
    own = list(FEATURES).index("own_natural")
    most: dict[frozenset[int], float] = {}
    for place, features in compared:
        shows = examples.references[place].shows
        most[shows] = max(most.get(shows, 0.0), features[own])

    for place, features in compared:
        shows = examples.references[place].shows
        is_copy = bool(shows & query.copies)
        if is_copy and features[own] < most[shows]:
            continue
        if is_copy or not shows & query.may_show:
            yield Pair(features, is_copy, query.edit, query.main, number)


def fit(pairs: Sequence[Pair], provenance: dict[str, Any]) -> dict[str, Any]:
    """Fit trees on all pairs and calibrate on answers for held-out pictures; returns the content of confidence.json."""
    from sklearn.model_selection import GroupKFold

    features = np.stack([pair.features for pair in pairs])
    truth = np.array([pair.is_copy for pair in pairs])
    groups = np.array([pair.group for pair in pairs])

    # The calibration must be learnt on answers that the trees did not see.
    held_out = np.zeros(len(pairs))
    for train, test in GroupKFold(FOLDS).split(features, truth, groups):
        held_out[test] = _trees().fit(features[train], truth[train]).decision_function(features[test])
    slope, intercept = _calibration(held_out, truth)

    model = _trees().fit(features, truth)
    return {
        "provenance": {
            **provenance,
            "pairs": len(pairs),
            "copies": int(truth.sum()),
            "scikit_learn": version("scikit-learn"),
        },
        "reliability": _reliability(1 / (1 + np.exp(-(slope * held_out + intercept))), truth),
        "facts": list(FEATURES),
        "baseline": float(model._baseline_prediction.ravel()[0]),
        "calibration": {"slope": slope, "intercept": intercept},
        "trees": [_exported(predictor[0].nodes) for predictor in model._predictors],
    }


def _calibration(logits: NDArray[np.float64], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and intercept (Platt) by which held-out logits state the share that was right.

    Rules say what an error costs. What is plainly nothing has no part in it: that are nine of ten pairs, and they would
    bend the line where rules decide.
    """
    from sklearn.linear_model import LogisticRegression

    matters = logits > CALIBRATED_FROM
    # Of a few pairs hardly any may lie there.
    if len(np.unique(truth[matters])) < 2:
        matters = np.ones_like(truth)
    fitted = LogisticRegression(C=1e6).fit(logits[matters, None], truth[matters])
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _trees() -> "HistGradientBoostingClassifier":
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=700,
        learning_rate=0.06,
        max_leaf_nodes=32,
        # Each split chooses among a third of the features: many say nearly the same, and so all of them are heard.
        max_features=0.3,
        min_samples_leaf=15,
        l2_regularization=10.0,
        monotonic_cst=list(FEATURES.values()),
        early_stopping=False,
        random_state=0,
    )


def _exported(nodes: NDArray[Any]) -> dict[str, list[float] | list[int]]:
    """Export one tree; a leaf points at itself. Leaves are rounded, thresholds exact: many features lie on them."""
    own = np.arange(len(nodes))
    leaf = nodes["is_leaf"].astype(bool)
    return {
        "fact": np.where(leaf, 0, nodes["feature_idx"]).astype(int).tolist(),
        "threshold": np.where(leaf, 0.0, nodes["num_threshold"]).tolist(),
        "left": np.where(leaf, own, nodes["left"]).astype(int).tolist(),
        "right": np.where(leaf, own, nodes["right"]).astype(int).tolist(),
        "value": [float(f"{value:.9g}") for value in np.where(leaf, nodes["value"], 0.0)],
    }


def _reliability(probability: NDArray[np.float64], truth: NDArray[np.bool_]) -> list[dict[str, float]]:
    """Count for steps of stated probability how many pairs there are, and which share really are copies."""
    edges = [0.0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1.0]
    rows = []
    for low, high in pairwise(edges):
        chosen = (probability >= low) & (probability < high)
        if chosen.any():
            stated, right = float(probability[chosen].mean()), float(truth[chosen].mean())
            rows.append({"from": low, "to": high, "pairs": int(chosen.sum()), "stated": stated, "right": right})
    return rows


def _digest_of_code() -> str:
    """Digest all that makes and measures examples, so that a file says by which code it was fitted."""
    digest = hashlib.sha256()
    # The matcher's folder: FITTED lies one below it.
    for folder in (Path(__file__).parent, FITTED.parent.parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _decoded(rgb: Picture) -> Decoded:
    return Decoded(np.ascontiguousarray(rgb), rgb.shape[1], rgb.shape[0], "example")


def _measure_seed(pictures: Path, seed: int) -> list[Pair]:
    cv2.setNumThreads(1)
    with np.load(pictures) as saved:
        return list(measure_examples(make_examples([saved[name] for name in saved.files], seed)))


def main() -> None:
    """Fit and write the parameters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="folders of pictures to fit on")
    parser.add_argument("--out", type=Path, default=FITTED, help="where to write the parameters")
    parser.add_argument("--pairs", type=Path, help="where to keep the measured pairs (.npz), for studies of one's own")
    parser.add_argument("--diagram", type=Path, help="where to draw the reliability diagram (SVG)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    arguments = parser.parse_args()

    pictures, digest = load_pictures(arguments.folders)
    print(f"{len(pictures)} pictures")
    # Spawned, and the pictures handed over in a file: a fork would inherit OpenCV's locked thread pool and hang.
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(
            mp_context=multiprocessing.get_context("spawn"), initializer=end_with_parent, initargs=(os.getpid(),)
        ) as pool,
    ):
        pile = Path(folder) / "pictures.npz"
        np.savez(pile, *pictures)
        measured = list(pool.map(_measure_seed, [pile] * len(arguments.seeds), arguments.seeds))

    pairs = [pair for found in measured for pair in found]
    if arguments.pairs is not None:
        columns = {"facts": np.stack([pair.features for pair in pairs]), "names": np.array(list(FEATURES))}
        columns["seed"] = np.repeat(arguments.seeds, [len(found) for found in measured])
        for name in ("is_copy", "edit", "group", "query"):
            columns[name] = np.array([getattr(pair, name) for pair in pairs])
        np.savez_compressed(arguments.pairs, **columns)  # type: ignore[arg-type]

    provenance = {
        "command": "make fit",
        "pictures": len(pictures),
        "pictures_sha256": digest,
        "seeds": arguments.seeds,
        "code_sha256": _digest_of_code(),
    }

    fitted = fit(pairs, provenance)
    arguments.out.write_text(json.dumps(fitted, separators=(",", ":")) + "\n", encoding="utf-8")
    if arguments.diagram is not None:
        arguments.diagram.write_text(drawn(fitted["reliability"]), encoding="utf-8")
    for row in fitted["reliability"]:
        print("stated {stated:.4f}: right {right:.4f} of {pairs}".format(**row))


if __name__ == "__main__":
    main()
