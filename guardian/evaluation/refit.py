"""Goes on boosting the shipped confidence with what an evaluation measured of one's own works; used only if better.

LogitBoost (Friedman, Hastie and Tibshirani, "Additive Logistic Regression", 2000) from the shipped logits on: where
one's own works teach nothing, the shipped trees keep their say. Needs scikit-learn (extra `fit`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.durable import write_whole
from guardian.errors import UsageError
from guardian.evaluation.answering import Answer, Found
from guardian.evaluation.fit import FOLDS
from guardian.evaluation.questions import Kind, Question
from guardian.evaluation.results import Judge, Results, results
from guardian.matching.recipe import FITTED
from guardian.matching.verify import confidence
from guardian.matching.verify.confidence import FEATURES, Confidence
from guardian.model import Action

ROUNDS, STEP, LEAVES, LEAST_IN_LEAF, SHRINKAGE = 40, 0.1, 6, 20, 5.0
_MOST_STEP, _LEAST_VARIANCE = 4.0, 1e-3
"""The largest step of a Newton iteration that is believed, in logits (LogitBoost's bound), and what it divides by."""

FALSE_ALARM_COST = 4.0
"""How many missed copies a false accusation costs while fitting, and when two confidences are compared."""

LEAST_WORKS, LEAST_STRANGERS = 10, 20
_ROWS_AT_ONCE = 2_000
_SURE = 0.5
"""Of two works of which one matches so probably when the other is shown as it is, nothing is learnt."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Measured pairs: float64 [n, features], whether each is a copy, and the work or stranger it was shown for."""

    features: NDArray[np.float64]
    is_copy: NDArray[np.bool_]
    groups: NDArray[np.int64]

    @property
    def weights(self) -> NDArray[np.float64]:
        """What an error costs: a false accusation more than a missed copy."""
        return np.where(self.is_copy, 1.0, FALSE_ALARM_COST)


@dataclass(frozen=True, slots=True)
class Refitted:
    """What was fitted and how it measured on held-out works beside the shipped confidence.

    `loss` is the mean weighted log loss of pairs; `error` the standard error of the difference between both.
    """

    content: dict[str, Any]
    loss: float
    shipped_loss: float
    error: float
    held_out: Results
    shipped: Results

    @property
    def is_better(self) -> bool:
        """Whether it measures better: surely a lower loss, and by the rules no more harm done.

        A false alarm counts as FALSE_ALARM_COST missed copies. Nor is it better to find fewer copies for no false alarm
        less: a loss is a mean over pairs, and does not say whether copies stand above strangers.
        """
        finds_less = self.held_out.found < self.shipped.found
        is_worth_it = _false_alarms(self.held_out) < _false_alarms(self.shipped)
        is_surely_lower = self.shipped_loss - self.loss > self.error
        return is_surely_lower and _harm(self.held_out) <= _harm(self.shipped) and (is_worth_it or not finds_less)

    @property
    def doubtful_strangers(self) -> tuple[str, ...]:
        """Paths of the strangers that the shipped confidence alerts about, the loudest first.

        Whatever shows a work of one's own among them teaches that its copies are none.
        """
        alerted = [one.question.path for one in self.shipped.loud if one.action == Action.ALERT.value]
        return tuple(dict.fromkeys(alerted))


def _harm(page: Results) -> float:
    return page.copies - page.alerted + FALSE_ALARM_COST * _false_alarms(page)


def _false_alarms(page: Results) -> int:
    return page.accused + page.mistaken


def refit(questions: Sequence[Question], answers: Mapping[str, Answer], judge: Judge, seed: int) -> Refitted:
    """Fit on all answers, and measure by folds over works. Raises UsageError when there are too few."""
    from sklearn.model_selection import GroupKFold

    shipped = confidence.fitted(FITTED)
    pairs = pairs_of(questions, answers, judge)
    _refuse_few(questions, pairs)
    start = _logits(shipped, pairs.features)

    # Every pair is rated once by trees that have not seen its work, or its stranger.
    held_out = np.zeros(len(start))
    models: dict[int, Confidence] = {}
    for train, test in GroupKFold(FOLDS).split(pairs.features, pairs.is_copy, pairs.groups):
        grown = _grown(shipped, pairs, start, train)
        held_out[test] = _logits(grown, pairs.features[test])
        models.update(dict.fromkeys(pairs.groups[test].tolist(), grown))

    groups = _groups(questions, judge)
    works = len({asset.work_id for asset in judge.assets.values()})
    rated = {
        question.id: _rated_again(answers[question.id], models.get(groups[question.id], shipped))
        for question in questions
        if question.id in answers
    }
    as_shipped = {id_: _rated_again(answer, shipped) for id_, answer in answers.items()}
    loss, shipped_loss = _losses(held_out, pairs), _losses(start, pairs)
    whole = _grown(shipped, pairs, start, np.arange(len(start)))
    return Refitted(
        content=_content(whole, pairs, seed),
        loss=float(loss.mean()),
        shipped_loss=float(shipped_loss.mean()),
        error=_standard_error(loss - shipped_loss, pairs.groups),
        held_out=results(questions, rated, judge, works),
        shipped=results(questions, as_shipped, judge, works),
    )


def keep(refitted: Refitted, prefix: Path) -> Path:
    """Write the confidence durably under a name that begins with `prefix` and ends with its digest; return its path."""
    content = (json.dumps(refitted.content, separators=(",", ":")) + "\n").encode()
    path = prefix.with_name(f"{prefix.name}{hashlib.sha256(content).hexdigest()[:12]}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)
    return path


def pairs_of(questions: Sequence[Question], answers: Mapping[str, Answer], judge: Judge) -> Pairs:
    """Return what the answers teach. Works that resemble each other as they are teach nothing about each other."""
    alike = _alike(questions, answers, judge)
    groups = _groups(questions, judge)
    natural = list(FEATURES).index("own_natural")
    rows, truth, of_group = list[NDArray[np.float32]](), list[bool](), list[int]()
    for question in questions:
        answer = answers.get(question.id)
        if answer is None or answer.problem is not None or question.kind is Kind.ORIGINAL:
            continue
        work = judge.assets[question.asset].work_id if question.asset else None
        shown = [
            (judge.assets[asset].work_id, row)
            for asset, row in zip(answer.pairs, answer.features, strict=True)
            if asset in judge.assets
        ]
        # Of several versions the one with most of its own: the others' evidence was taken as shared.
        most = max((row[natural] for of_work, row in shown if of_work == work), default=0.0)
        for of_work, row in shown:
            is_copy = of_work == work
            if (is_copy and row[natural] < most) or (not is_copy and (work, of_work) in alike):
                continue
            rows.append(row)
            truth.append(is_copy)
            of_group.append(groups[question.id])

    features = np.array(rows, np.float64).reshape(len(rows), len(FEATURES))
    return Pairs(features, np.array(truth, bool), np.array(of_group, np.int64))


def _alike(questions: Sequence[Question], answers: Mapping[str, Answer], judge: Judge) -> set[tuple[str | None, str]]:
    """Return the pairs of works of which one shows something of the other: no label is true for these."""
    alike: set[tuple[str | None, str]] = set()
    for question in questions:
        if question.kind is not Kind.ORIGINAL or question.asset is None or question.id not in answers:
            continue
        work = judge.assets[question.asset].work_id
        for found in answers[question.id].found:
            if found.probability >= _SURE and found.asset in judge.assets:
                other = judge.assets[found.asset].work_id
                alike |= {(work, other), (other, work)}
    return alike


def _groups(questions: Sequence[Question], judge: Judge) -> dict[str, int]:
    """Return a number for the work or stranger that each question is about, by question."""
    names: dict[str, int] = {}
    return {
        question.id: names.setdefault(
            judge.assets[question.asset].work_id if question.asset else question.path, len(names)
        )
        for question in questions
    }


def _refuse_few(questions: Sequence[Question], pairs: Pairs) -> None:
    works = len({question.asset for question in questions if question.asset})
    strangers = len({question.path for question in questions if question.kind is Kind.STRANGER})
    if works < LEAST_WORKS or strangers < LEAST_STRANGERS:
        raise UsageError(
            f"--fit needs at least {LEAST_WORKS} works and {LEAST_STRANGERS} strangers (--strangers FOLDER) to learn "
            f"from; there are {works} and {strangers}"
        )
    if not pairs.is_copy.any() or pairs.is_copy.all():
        raise UsageError("--fit has nothing to learn from: no copy was measured, or nothing but copies")


def _logits(fitted: Confidence, features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the calibrated logits of many pairs, float64 [n]; Confidence.raw for all of them at once."""
    trees = np.arange(len(fitted.feature))
    parts = [np.zeros(0)]
    for start in range(0, len(features), _ROWS_AT_ONCE):
        rows = np.asarray(features[start : start + _ROWS_AT_ONCE], np.float64)
        node = np.zeros((len(rows), len(trees)), np.int64)
        while True:
            values = np.take_along_axis(rows, fitted.feature[trees, node], axis=1)
            goes_left = values <= fitted.threshold[trees, node]
            following = np.where(goes_left, fitted.left[trees, node], fitted.right[trees, node])
            if (following == node).all():
                break
            node = following
        parts.append(fitted.baseline + fitted.value[trees, node].sum(axis=1))
    return fitted.slope * np.concatenate(parts) + fitted.intercept


def _losses(logits: NDArray[np.float64], pairs: Pairs) -> NDArray[np.float64]:
    """Return the weighted log loss of every pair."""
    signed = np.where(pairs.is_copy, logits, -logits)
    return pairs.weights * np.logaddexp(0, -signed)


def _standard_error(differences: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """Return the standard error of the mean difference; pairs of one work or stranger go together."""
    sums = np.bincount(groups, differences - differences.mean())
    return float(np.sqrt((sums**2).sum()) / len(differences))


def _grown(shipped: Confidence, pairs: Pairs, start: NDArray[np.float64], rows: NDArray[np.int64]) -> Confidence:
    """Return the shipped confidence with trees added that these rows teach."""
    from sklearn.tree import DecisionTreeRegressor

    features, truth, weights = pairs.features[rows].astype(np.float32), pairs.is_copy[rows], pairs.weights[rows]
    logits, trees = start[rows].copy(), list[dict[str, Any]]()
    for _ in range(ROUNDS):
        stated = 1 / (1 + np.exp(-logits))
        variance = np.maximum(stated * (1 - stated), _LEAST_VARIANCE)
        step = np.clip((truth - stated) / variance, -_MOST_STEP, _MOST_STEP)
        # One tree at a time: the histograms of HistGradientBoosting would be made anew for each, at ten times the cost.
        grown = DecisionTreeRegressor(
            max_leaf_nodes=LEAVES,
            min_samples_leaf=min(LEAST_IN_LEAF, max(1, len(rows) // 10)),
            monotonic_cst=list(FEATURES.values()),
            random_state=0,
        ).fit(features, step, weights * variance)

        tree = _exported(grown.tree_)
        logits += np.array(tree["value"])[grown.apply(features)]
        trees.append(tree)
    return _joined(shipped, trees)


def _exported(tree: Any) -> dict[str, Any]:
    """Export one tree of scikit-learn; a leaf points at itself, and one with little weight says less."""
    own = np.arange(tree.node_count)
    leaf = tree.children_left < 0
    weight = tree.weighted_n_node_samples
    return {
        "fact": np.where(leaf, 0, tree.feature).tolist(),
        "threshold": np.where(leaf, 0.0, tree.threshold).tolist(),
        "left": np.where(leaf, own, tree.children_left).tolist(),
        "right": np.where(leaf, own, tree.children_right).tolist(),
        "value": np.where(leaf, STEP * tree.value.ravel() * weight / (weight + SHRINKAGE), 0.0).tolist(),
    }


def _joined(shipped: Confidence, trees: Sequence[dict[str, Any]]) -> Confidence:
    """Return the shipped trees with others behind them, whose leaves are in calibrated logits."""
    width = max(shipped.feature.shape[1], max(len(tree["fact"]) for tree in trees))

    def column(name: str, own: NDArray[Any], scale: float = 1.0) -> NDArray[Any]:
        added = np.zeros((len(trees), width), own.dtype)
        for row, tree in zip(added, trees, strict=True):
            row[: len(tree[name])] = np.array(tree[name]) * scale
        return np.concatenate([np.pad(own, ((0, 0), (0, width - own.shape[1]))), added])

    return replace(
        shipped,
        feature=column("fact", shipped.feature),
        threshold=column("threshold", shipped.threshold),
        left=column("left", shipped.left),
        right=column("right", shipped.right),
        # A sum of leaves is stretched by the calibration's slope, which these must not be.
        value=column("value", shipped.value, 1 / shipped.slope),
        digest="refitted",
    )


def _rated_again(answer: Answer, fitted: Confidence) -> Answer:
    """Return the answer with the probabilities of another confidence, where the pair's features were kept."""
    stated = 1 / (1 + np.exp(-_logits(fitted, answer.features)))
    rated: dict[str, float] = {}
    for asset, probability in zip(answer.pairs, stated, strict=True):
        # An asset may have been measured in several ways, of which the report tells the most probable.
        rated[asset] = max(float(probability), rated.get(asset, 0.0))
    found = [
        Found(one.asset, {**one.facts, "probability": rated.get(one.asset, one.probability)}) for one in answer.found
    ]
    return replace(answer, found=tuple(sorted(found, key=lambda one: -one.probability)))


def _content(fitted: Confidence, pairs: Pairs, seed: int) -> dict[str, Any]:
    """Return the content of the file, in the form that `confidence.read` takes."""
    trees = [
        {
            "fact": fitted.feature[number].tolist(),
            "threshold": fitted.threshold[number].tolist(),
            "left": fitted.left[number].tolist(),
            "right": fitted.right[number].tolist(),
            "value": [float(f"{value:.9g}") for value in fitted.value[number]],
        }
        for number in range(len(fitted.feature))
    ]
    return {
        "provenance": {
            "command": "guardian evaluate --fit",
            "from": confidence.fitted(FITTED).digest,
            "seed": seed,
            "groups": len(np.unique(pairs.groups)),
            "pairs": len(pairs.is_copy),
            "copies": int(pairs.is_copy.sum()),
            "distractor_weight": FALSE_ALARM_COST,
            "scikit_learn": version("scikit-learn"),
        },
        "facts": list(FEATURES),
        "baseline": fitted.baseline,
        "calibration": {"slope": fitted.slope, "intercept": fitted.intercept},
        "trees": trees,
    }
