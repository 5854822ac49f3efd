"""Measurement to probability: boosted trees fitted on edited copies, distractors and look-alikes.

The fitted parameters and their provenance are in confidence.json: the mean of two fits and small trees on top, see
"Fitting" in docs/matching-quality.md. `make fit` makes one such fit.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.recipe import FITTED
from guardian.matching.verify.core_rectangle import Core
from guardian.matching.verify.measuring import Measurement
from guardian.matching.verify.outlines import NONE_KNOWN
from guardian.matching.verify.sharing import ExclusiveEvidence

NOT_MEASURED = -1.0
"""Stands for NaN in a feature; the trees were fitted with it."""

FEATURES = {
    "inliers": 1,
    "close_inliers": 1,
    "rare": 1,
    "inlier_share": 0,
    "rare_share": 0,
    "mean_bits": 0,
    "spread": 1,
    "visible": 0,
    "agreeing": 1,
    "votes": 0,
    "hash_distance": -1,
    "asset_coverage": 0,
    "candidate_coverage": 0,
    "zoom": 0,
    "stretch": 0,
    "cells": 0,
    "rich": 0,
    "over_half": 1,
    "over_seven_tenths": 1,
    "median": 1,
    "mean": 1,
    "whole": 1,
    "means": 1,
    "natural": 0,
    "natural_over_half": 1,
    "hole": -1,
    "core_strength": 1,
    "core_rich": 0,
    "core_mean": 1,
    "core_over_half": 1,
    "core_natural": 1,
    "core_share": 0,
    "core_hole": -1,
    "own_cells": 1,
    "own_natural": 1,
    "particular": 1,
    "particular_share": 0,
    "detail_side": 0,
    "detail_agreeing": 0,
    "detail_replaced": -1,
    "detail_lost": -1,
    "detail_added": -1,
    "detail_differing": -1,
    "detail_patch": -1,
    "detail_drawn": 0,
    "detail_drawn_unlike": -1,
    "detail_natural": 1,
    "detail_natural_held": 1,
    "detail_natural_mean": 0,
    "whole_agreeing": 0,
    "whole_replaced": -1,
    "whole_lost": -1,
    "whole_added": -1,
    "whole_differing": -1,
    "whole_patch": -1,
    "whole_drawn": 0,
    "whole_drawn_unlike": -1,
    "whole_natural": 1,
    "whole_natural_held": 1,
    "detail_kept": 1,
    "detail_gone": -1,
    "detail_bared": -1,
    "whole_kept": 1,
    "whole_gone": -1,
    "whole_bared": -1,
    "detail_upright": -1,
    "whole_upright": -1,
}
"""The features in their order, and how the probability may move with each: 1 only up, -1 only down, 0 freely."""

_NO_CORE = Core(0, 0, 0, 0, strength=0.0, rich=0, mean=0.0, over_half=0.0, natural=0.0, share=0.0, hole=0.0)
_OF_DETAIL = [name for name in FEATURES if name.startswith("detail_")]
_OF_WHOLE = [name for name in FEATURES if name.startswith("whole_")]


def features_of(
    measurement: Measurement, hash_distance: int, rare: int, exclusive: ExclusiveEvidence
) -> NDArray[np.float64]:
    """Return one measurement as the trees see it: float64 [len(FEATURES)], NOT_MEASURED for NaN.

    `hash_distance` in bits of 256; `rare`: inliers whose keypoint is not common in the catalogue.
    """
    pixels, overlap = measurement.alignment, measurement.overlap
    core = pixels.core or _NO_CORE
    detail, whole = measurement.detail, measurement.whole_detail

    values = {
        "inliers": measurement.inliers,
        "close_inliers": measurement.close_inliers,
        "rare": rare,
        "inlier_share": measurement.inliers / max(1, measurement.visible),
        "rare_share": rare / max(1, measurement.inliers),
        "mean_bits": measurement.mean_bits,
        "spread": measurement.spread,
        "visible": measurement.visible,
        "agreeing": measurement.agreeing,
        "votes": measurement.votes,
        "hash_distance": hash_distance,
        "asset_coverage": overlap.asset_coverage,
        "candidate_coverage": overlap.candidate_coverage,
        "zoom": abs(np.log(max(1e-3, measurement.scale))),
        "stretch": measurement.stretch,
        "cells": pixels.known,
        "rich": pixels.rich,
        "over_half": pixels.over_half,
        "over_seven_tenths": pixels.over_seven_tenths,
        "median": pixels.median,
        "mean": pixels.mean,
        "whole": pixels.whole,
        "means": pixels.means,
        "natural": pixels.natural,
        "natural_over_half": pixels.natural_over_half,
        "hole": pixels.hole,
        "core_strength": core.strength,
        "core_rich": core.rich,
        "core_mean": core.mean,
        "core_over_half": core.over_half,
        "core_natural": core.natural,
        "core_share": core.share,
        "core_hole": core.hole,
        "own_cells": exclusive.cells,
        "own_natural": exclusive.natural,
        "particular": measurement.particular,
        "particular_share": measurement.particular / max(1, measurement.inliers),
    }
    for names, look in ((_OF_DETAIL, detail), (_OF_WHOLE, whole)):
        for name in names:
            measured = name.split("_", 1)[1]
            # Where nobody looked closely, nothing is known of outlines: -1 would say that none at all are gone.
            unknown = getattr(NONE_KNOWN, measured, NOT_MEASURED)
            values[name] = unknown if look is None else getattr(look, measured)
    return np.nan_to_num(np.array([values[name] for name in FEATURES], dtype=np.float64), nan=NOT_MEASURED)


@dataclass(frozen=True, slots=True)
class Confidence:
    """Fitted trees. Node arrays are [trees, nodes]; a leaf's `left` and `right` point at itself.

    A node asks whether `feature` (a place in FEATURES) is at most `threshold`, and goes `left` if so.

    The logit is `slope * (baseline + sum of leaves) + intercept`: trees, then Platt's calibration
    (Platt, "Probabilistic Outputs for Support Vector Machines", 1999) on held-out pictures.
    """

    feature: NDArray[np.uint16]
    threshold: NDArray[np.float64]
    left: NDArray[np.uint16]
    right: NDArray[np.uint16]
    value: NDArray[np.float64]
    baseline: float
    slope: float
    intercept: float
    digest: str

    def probability(self, features: NDArray[np.float64]) -> float:
        """Return the calibrated probability (0-1, never quite either) that one pair's features are those of a copy."""
        return float(1 / (1 + np.exp(-(self.slope * self.raw(features) + self.intercept))))

    def raw(self, features: NDArray[np.float64]) -> float:
        """Return the logit before calibration."""
        leaves = leaves_of(features, self.feature, self.threshold, self.left, self.right, self.value)
        return float(self.baseline + leaves.sum())


@kernel
def leaves_of(features, feature, threshold, left, right, value):  # type: ignore[no-untyped-def]
    """Return what each tree says: float64 [trees]."""
    leaves = np.empty(feature.shape[0])
    for tree in range(feature.shape[0]):
        node = 0
        # Not without an end: a file may hold nodes that lead in circles.
        for _ in range(feature.shape[1]):
            goes_left = features[feature[tree, node]] <= threshold[tree, node]
            following = left[tree, node] if goes_left else right[tree, node]
            if following == node:
                break
            node = following
        leaves[tree] = value[tree, node]
    return leaves


@lru_cache(maxsize=4)
def fitted(path: Path = FITTED) -> Confidence:
    """Return fitted parameters, the shipped ones unless told otherwise; read once."""
    return read(path)


def read(path: Path) -> Confidence:
    """Read parameters that `make fit` wrote. Raises ValueError when they were fitted on other features."""
    try:
        return parsed(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} {error}; run `make fit`") from error


def parsed(content: bytes) -> Confidence:
    """Return the parameters in the bytes of such a file.

    Raises ValueError when they were fitted on other features, or when a tree leads beyond its nodes. A file that was
    fitted on fewer features than there are now is read: bundles of evidence keep such.
    """
    data = json.loads(content)
    # The file's own words are "fact" and "facts"; its digest is part of the recipe, so they stay.
    names, trees = data["facts"], data["trees"]
    if not set(names) <= set(FEATURES) or max(max(tree["fact"]) for tree in trees) >= len(names):
        raise ValueError("was fitted for other features")
    places = np.array([list(FEATURES).index(name) for name in names])

    # Trees of different sizes, filled up with leaves to the largest: one array for all can be walked at once.
    width = max(len(tree["fact"]) for tree in trees)
    if width > np.iinfo(np.uint16).max:
        raise ValueError("holds trees that are too large")

    def column(name: str) -> NDArray[Any]:
        points = name in ("left", "right")
        return np.array(
            [tree[name] + [node if points else 0 for node in range(len(tree[name]), width)] for tree in trees]
        )

    left, right = column("left").astype(np.int64), column("right").astype(np.int64)
    # Walked in compiled code, which asks nothing: a bundle is somebody else's file, and must not lead it astray.
    if min(left.min(), right.min()) < 0 or max(left.max(), right.max()) >= width:
        raise ValueError("holds trees that lead nowhere")

    # As small as they can be: that all nodes stay in the processor's cache makes walking twice as quick.
    return Confidence(
        feature=places[column("fact").astype(np.int64)].astype(np.uint16),
        threshold=column("threshold").astype(np.float64),
        left=left.astype(np.uint16),
        right=right.astype(np.uint16),
        value=column("value").astype(np.float64),
        baseline=float(data["baseline"]),
        slope=float(data["calibration"]["slope"]),
        intercept=float(data["calibration"]["intercept"]),
        digest=hashlib.sha256(content).hexdigest()[:12],
    )
