"""Fits the confidence of the matcher: `make fit PICTURES="FOLDER..."`.

Measures labelled examples with the shipped matcher, fits boosted trees whose answer may only rise or fall with each
feature where that is reason, calibrates them on pictures and whole kinds of designs that they were not fitted on, and
writes matching/verify/confidence.json with its provenance. Needs scikit-learn (extra `fit`).
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import tempfile
from collections.abc import Sequence
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
from guardian.evaluation import measured
from guardian.evaluation.attacks import Picture, shrunk
from guardian.evaluation.diagram import drawn
from guardian.evaluation.held_out import as_text, rows_of
from guardian.evaluation.measured import Measured, Pair, as_decoded, digest_of_code, matcher_of
from guardian.matching.features import hashing
from guardian.matching.features.image import decode
from guardian.matching.recipe import FITTED
from guardian.matching.settings import MatchingSettings
from guardian.matching.verify.confidence import FEATURES

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

SEEDS = (1, 2, 3)
"""Of the examples; seed 4 is kept for judging."""

FOLDS = 5
ROUNDS = 700
"""Trees of a fit."""

CALIBRATED_FROM = -4.0
"""Logit of held-out trees from which pairs take part in the calibration: about 0.04."""

LARGEST_SIDE = 1000
NEAR_DUPLICATE_BITS = 70
"""Pictures of the pile whose hashes are closer than this are one picture; only the first is used."""

SHARED_INLIERS, SHARED_STRENGTH = 15, 4.0
"""Nor are those used that show a part of another one: close keypoints that agree, and strength of the core."""


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
        matcher = matcher_of(pictures, Path(folder))
        for number, picture in enumerate(pictures):
            shows_another = any(
                int(pair.asset.id) in kept
                and pair.measurement.close_inliers >= SHARED_INLIERS
                and (pair.measurement.alignment.core is not None)
                and pair.measurement.alignment.core.strength >= SHARED_STRENGTH
                for pair in matcher.compared(as_decoded(picture))
            )
            if not shows_another:
                kept[number] = picture
    return list(kept.values())


@dataclass(frozen=True, slots=True)
class Fitted:
    """The content of confidence.json, and what is stated of the pairs by trees that did not see their pictures.

    `held_out` are the probabilities (0-1) of the pairs that were fitted on, `judged` those of pairs that chose nothing.
    """

    content: dict[str, Any]
    held_out: NDArray[np.float64]
    judged: NDArray[np.float64]


def fit(pairs: Sequence[Pair], provenance: dict[str, Any], judging: Sequence[Pair] = ()) -> Fitted:
    """Fit trees on all pairs, and calibrate them on what trees say of pictures and kinds of designs that were held out.

    Pairs of `judging` take no part: each is rated by trees that saw its picture, or kind, in no other pair either.
    """
    from sklearn.model_selection import GroupKFold

    features = np.stack([pair.features for pair in pairs])
    truth = np.array([pair.is_copy for pair in pairs])
    groups = np.array([pair.held_out_with for pair in pairs])
    others = np.array([pair.features for pair in judging]).reshape(len(judging), features.shape[1])
    of_others = np.array([pair.held_out_with for pair in judging], np.str_)

    # The calibration must be learnt on answers that the trees did not see.
    held_out, judged = np.zeros(len(pairs)), np.zeros(len(judging))
    unrated = np.ones(len(judging), bool)
    for train, test in GroupKFold(FOLDS).split(features, truth, groups):
        model = _trees().fit(features[train], truth[train])
        held_out[test] = model.decision_function(features[test])
        unseen = unrated & ~np.isin(of_others, groups[train])
        if unseen.any():
            judged[unseen] = model.decision_function(others[unseen])
            unrated &= ~unseen
    slope, intercept = _calibration(held_out, truth)

    model = _trees().fit(features, truth)
    stated = _probability(slope * held_out + intercept)
    content = {
        "provenance": {
            **provenance,
            "pairs": len(pairs),
            "copies": int(truth.sum()),
            "scikit_learn": version("scikit-learn"),
        },
        "reliability": _reliability(stated, truth),
        "facts": list(FEATURES),
        "baseline": float(model._baseline_prediction.ravel()[0]),
        "calibration": {"slope": slope, "intercept": intercept},
        "trees": [_exported(predictor[0].nodes) for predictor in model._predictors],
    }
    return Fitted(content, stated, _probability(slope * judged + intercept))


def _probability(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-logit)))


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
        max_iter=ROUNDS,
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


def _measured(pictures: Path, folder: Path | None, seed: int) -> Measured:
    """Return what a seed teaches: read from the folder, or measured and kept there."""
    kept = None if folder is None else folder / f"seed-{seed}.npz"
    if kept is not None and kept.exists():
        return measured.load(kept)
    with np.load(pictures) as saved:
        made = measured.measured_seed([saved[name] for name in saved.files], seed)
    if kept is not None:
        measured.save(made, kept)
    return made


def _measured_all(pictures: Sequence[Picture], folder: Path | None, seeds: Sequence[int]) -> list[Measured]:
    """Measure all seeds, as many at once as there are processors."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    # Spawned, and the pictures handed over in a file: a fork would inherit OpenCV's locked thread pool and hang.
    with (
        tempfile.TemporaryDirectory() as aside,
        ProcessPoolExecutor(
            mp_context=multiprocessing.get_context("spawn"), initializer=end_with_parent, initargs=(os.getpid(),)
        ) as pool,
    ):
        pile = Path(aside) / "pictures.npz"
        np.savez(pile, *pictures)
        return list(pool.map(_measured, [pile] * len(seeds), [folder] * len(seeds), seeds))


def main() -> None:
    """Fit and write the parameters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="folders of pictures to fit on")
    parser.add_argument("--out", type=Path, default=FITTED, help="where to write the parameters")
    parser.add_argument(
        "--pairs",
        type=Path,
        metavar="FOLDER",
        help="where to keep the measured pairs, a file for each seed (seed-1.npz); a seed of which there is one is not "
        "measured again, so remove it when the matcher or the pictures have changed",
    )
    parser.add_argument("--diagram", type=Path, help="where to draw the reliability diagram (SVG)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="seeds of the examples to fit on")
    parser.add_argument("--judges", type=int, nargs="*", default=[], help="seeds that are measured and not fitted on")
    arguments = parser.parse_args()

    pictures, digest = load_pictures(arguments.folders)
    print(f"{len(pictures)} pictures")
    found = _measured_all(pictures, arguments.pairs, [*arguments.seeds, *arguments.judges])
    learnt, judging = found[: len(arguments.seeds)], found[len(arguments.seeds) :]
    provenance = {
        "command": "make fit",
        "pictures": len(pictures),
        "pictures_sha256": digest,
        "seeds": arguments.seeds,
        "code_sha256": digest_of_code(),
    }

    fitted = fit(_pairs_of(learnt), provenance, _pairs_of(judging))
    arguments.out.write_text(json.dumps(fitted.content, separators=(",", ":")) + "\n", encoding="utf-8")
    if arguments.diagram is not None:
        arguments.diagram.write_text(drawn(fitted.content["reliability"]), encoding="utf-8")
    for row in fitted.content["reliability"]:
        print("stated {stated:.4f}: right {right:.4f} of {pairs}".format(**row))
    for seeds, stated in ((learnt, fitted.held_out), (judging, fitted.judged)):
        if seeds:
            names = " ".join(str(one.seed) for one in seeds)
            print(f"\nseeds {names}, by trees that saw neither the picture nor the kind of design:")
            print(as_text(rows_of(seeds, stated)))
            print(as_text(rows_of(seeds, stated, by_edit=True)))


def _pairs_of(seeds: Sequence[Measured]) -> list[Pair]:
    return [pair for one in seeds for pair in one.pairs]


if __name__ == "__main__":
    main()
