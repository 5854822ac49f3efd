"""One's own works correct the shipped confidence where they teach something, and only then."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guardian.cli.evaluate import why_not_kept
from guardian.errors import UsageError
from guardian.evaluation import refit
from guardian.evaluation.answering import Answer, Found
from guardian.evaluation.questions import Kind, Question
from guardian.evaluation.refit import LEAST_STRANGERS, LEAST_WORKS, Pairs
from guardian.evaluation.results import Judge
from guardian.matching.recipe import FITTED, confidence_file, own_confidences, report_recipe
from guardian.matching.settings import MatchingSettings
from guardian.matching.verify import confidence
from guardian.matching.verify.confidence import FEATURES
from tests.evaluation.test_questions import asset
from tests.evaluation.test_results import RULES

NAMES = list(FEATURES)
WORKS = [asset(number) for number in range(12)]


def measured(generator: np.random.Generator, inliers: float, own: float = 1.0) -> np.ndarray:
    """The features of a pair of which little but the inliers speaks."""
    row = generator.uniform(0, 0.3, len(NAMES))
    row[NAMES.index("inliers")] = row[NAMES.index("close_inliers")] = inliers
    row[NAMES.index("hash_distance")] = 110
    row[NAMES.index("own_natural")] = own
    return row.astype(np.float32)


def portfolio(copy_inliers: float, stranger_inliers: float) -> tuple[list[Question], dict[str, Answer]]:
    """Answers about works and strangers; each shows one pair with about so many inliers."""
    generator, shipped = np.random.default_rng(4), confidence.fitted()
    questions, answers = [], {}

    def asked(question: Question, matched: str, inliers: float) -> None:
        row = measured(generator, inliers * generator.uniform(0.8, 1.2))
        found = (Found(matched, {"probability": shipped.probability(row.astype(np.float64))}),)
        questions.append(question)
        answers[question.id] = Answer(question.id, None, found, (matched,), row[None])

    for work in WORKS:
        for number in range(12):
            asked(Question(Kind.COPY, f"/{work.id}", "crop10", work.id, number), work.id, copy_inliers)
    for number in range(60):
        path = f"/stranger{number}.jpg"
        asked(Question(Kind.STRANGER, path, None, None, 0), WORKS[number % 12].id, stranger_inliers)
    return questions, answers


@pytest.fixture(scope="module")
def taught() -> refit.Refitted:
    """Copies that the shipped trees think little of, and strangers that are told apart from them."""
    return refit.refit(*portfolio(copy_inliers=60, stranger_inliers=2), Judge(RULES, WORKS), seed=1)


def test_what_one_s_own_works_teach_is_measured_on_works_that_were_held_out(taught: refit.Refitted) -> None:
    assert taught.loss < taught.shipped_loss
    assert taught.is_better
    assert taught.held_out.copies == taught.shipped.copies == 144
    assert sum(taught.held_out.own_probabilities) > sum(taught.shipped.own_probabilities)


def test_it_is_used_only_when_it_is_surely_better_and_does_no_more_harm(taught: refit.Refitted) -> None:
    within_error = replace(taught, loss=taught.shipped_loss - 0.5 * taught.error)
    assert not within_error.is_better

    # One more stranger accused weighs as much as four copies found in addition.
    page = taught.shipped
    accusing = replace(taught, shipped=page, held_out=replace(page, alerted=page.alerted, accused=page.accused + 1))
    assert not accusing.is_better
    weighed = replace(accusing, shipped=replace(page, alerted=0), held_out=replace(accusing.held_out, alerted=5))
    assert weighed.is_better


def test_finding_fewer_copies_is_better_only_for_fewer_false_alarms(taught: refit.Refitted) -> None:
    """As when a work of one's own lies among the strangers: a lower loss, all alerted as before, fewer found."""
    page = replace(taught.shipped, found=100, accused=1)
    finds_less = replace(taught, shipped=page, held_out=replace(page, found=99))
    assert not finds_less.is_better
    assert replace(finds_less, held_out=replace(page, found=99, accused=0)).is_better
    assert replace(finds_less, held_out=page).is_better


def test_strangers_that_the_shipped_confidence_alerts_about_are_doubtful(taught: refit.Refitted) -> None:
    """Not those that the confidence in use alerts about: it may have learnt from them."""
    assert taught.doubtful_strangers == ()
    questions, answers = portfolio(copy_inliers=60, stranger_inliers=2)
    work, plain = WORKS[3], Question(Kind.STRANGER, "/mine.jpg", None, None, 0)
    edited = replace(plain, edit="crop10", seed=1)
    for question, probability in ((plain, 0.999), (edited, 0.99)):
        found = (Found(work.id, {"probability": probability}),)
        answers[question.id] = Answer(question.id, None, found, (), np.zeros((0, len(NAMES)), np.float32))
    refitted = refit.refit([*questions, plain, edited], answers, Judge(RULES, WORKS), seed=1)
    assert refitted.doubtful_strangers == ("/mine.jpg",)

    first_look = why_not_kept(refitted, strangers_checked=False)
    assert first_look is not None
    assert "1 stranger is alerted" in first_look
    assert "Look at mine.jpg; take" in first_look
    better = replace(refitted, held_out=replace(refitted.shipped, accused=0), loss=0.0, shipped_loss=1.0, error=0.1)
    assert why_not_kept(better, strangers_checked=False) == first_look
    assert why_not_kept(better, strangers_checked=True) is None
    assert "not surely better" in str(why_not_kept(replace(better, loss=1.0), strangers_checked=True))


def test_the_file_that_is_kept_is_the_one_that_is_read(taught: refit.Refitted, tmp_path: Path) -> None:
    settings, index = MatchingSettings(), tmp_path / "data" / "index"
    before = report_recipe(settings, None, confidence_file(index, "recipe"))
    assert confidence_file(index, "recipe") == FITTED

    path = refit.keep(taught, own_confidences(index, "recipe"))
    assert confidence_file(index, "recipe") == path
    assert confidence_file(index, "other") == FITTED
    assert report_recipe(settings, None, path) != before

    read = confidence.read(path)
    row = measured(np.random.default_rng(1), 60).astype(np.float64)
    assert read.probability(row) > confidence.fitted().probability(row)
    provenance = json.loads(path.read_text())["provenance"]
    assert (provenance["copies"], provenance["groups"]) == (144, 72)
    assert provenance["from"] == confidence.fitted().digest


def test_shipped_trees_keep_their_say_where_nothing_was_learnt(taught: refit.Refitted, tmp_path: Path) -> None:
    """Joined trees give the shipped logit plus what was added: no leaf of the shipped ones is lost."""
    path = tmp_path / "joined.json"
    shipped = confidence.fitted()
    content = refit._content(refit._joined(shipped, [leaf(0.25)]), empty_pairs(), 1)
    path.write_text(json.dumps(content))
    row = measured(np.random.default_rng(2), 30).astype(np.float64)
    expected = shipped.slope * shipped.raw(row) + shipped.intercept + 0.25
    assert refit._logits(confidence.read(path), row[None])[0] == pytest.approx(expected, abs=1e-6)


def test_many_pairs_are_rated_as_one_is() -> None:
    generator, shipped = np.random.default_rng(5), confidence.fitted()
    rows = generator.uniform(-1, 60, (50, len(NAMES)))
    expected = [shipped.slope * shipped.raw(row) + shipped.intercept for row in rows]
    assert refit._logits(shipped, rows) == pytest.approx(expected, abs=1e-9)
    assert len(refit._logits(shipped, rows[:0])) == 0


def leaf(value: float) -> dict[str, list[float] | list[int]]:
    return {"fact": [0], "threshold": [0.0], "left": [0], "right": [0], "value": [value]}


def empty_pairs() -> Pairs:
    return Pairs(np.zeros((0, len(NAMES))), np.zeros(0, bool), np.zeros(0, np.int64))


def test_an_asset_that_was_measured_in_two_ways_is_rated_by_the_better() -> None:
    generator, shipped = np.random.default_rng(5), confidence.fitted()
    measurements = [measured(generator, inliers) for inliers in (1, 60, 200)]
    measurements.sort(key=lambda row: -shipped.probability(row.astype(np.float64)))
    rows = np.stack(measurements)
    best, least = (shipped.probability(rows[place].astype(np.float64)) for place in (0, -1))
    assert least < 0.9 * best
    given = Answer("q", None, (Found(WORKS[0].id, {"probability": best}),), (WORKS[0].id,) * 3, rows)
    (found,) = refit._rated_again(given, shipped).found
    assert found.probability == pytest.approx(best)


def test_works_that_resemble_each_other_teach_nothing_about_each_other() -> None:
    one, other = WORKS[:2]
    row = measured(np.random.default_rng(3), 20)[None]
    plain = Question(Kind.ORIGINAL, "/a", None, one.id, 0)
    copy = Question(Kind.COPY, "/a", "crop10", one.id, 1)
    judge = Judge(RULES, WORKS)

    def learnt(probability: float) -> list[bool]:
        answers = {
            plain.id: Answer(plain.id, None, (Found(other.id, {"probability": probability}),), (), row[:0]),
            copy.id: Answer(copy.id, None, (), (one.id, other.id), np.concatenate([row, row])),
        }
        return refit.pairs_of([plain, copy], answers, judge).is_copy.tolist()

    assert learnt(0.1) == [True, False]
    assert learnt(0.9) == [True]


def test_a_few_works_are_too_few() -> None:
    questions, answers = portfolio(60, 2)
    few = [question for question in questions if question.kind is Kind.COPY][: 12 * (LEAST_WORKS - 1)]
    with pytest.raises(UsageError, match=f"at least {LEAST_WORKS} works and {LEAST_STRANGERS} strangers"):
        refit.refit(few, answers, Judge(RULES, WORKS), seed=1)
