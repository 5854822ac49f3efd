"""Whatever shards a catalogue is split into, the answer is that of the whole; and an answer says what it speaks of."""

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from guardian.evaluation import attacks
from guardian.matching.candidate import candidate_of
from guardian.matching.combine import (
    COMMON_FROM,
    CombinedAnswer,
    combine,
    compared,
    needs_older_assets,
)
from guardian.matching.features.image import decode
from guardian.matching.index.layout import Entry
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import FULL
from guardian.matching.settings import MatchingSettings
from guardian.matching.shard import Shard, ShardAnswer
from guardian.model import Match, MatchReport
from tests.matching.forks import ended, forked
from tests.matching.pictures import Pixels, drawing, encoded, photograph

PLAIN = ("astronaut", "chelsea", "china", "flower", "motorcycle_left", "page")
PAGES = ("coffee", "rocket", "coins")
DECOR = [photograph(name, 200) for name in ("moon", "camera", "astronaut", "flower")]


def on_a_page(name: str) -> Pixels:
    """On the page of one and the same invented network: its frame is shared by all that are shown so."""
    return attacks.in_screenshot(photograph(name), np.random.default_rng(5), DECOR)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """Six photographs and three pages: few enough that all tables of votes have keys of one width."""
    matcher = Matcher(MatchingSettings(), None, tmp_path_factory.mktemp("nothing"))
    pictures = [*map(photograph, PLAIN), *map(on_a_page, PAGES)]
    made = [matcher.fingerprint(encoded(picture, "PNG")) for picture in pictures]
    return [(n, f"asset-{n}", fingerprint) for n, fingerprint in enumerate(made, start=1)]


def split(folder: Path, catalogue: Sequence[Entry], count: int) -> Matcher:
    """A matcher over `count` shards; assets are dealt to them in turn, so that each holds one of the pages."""
    folders = [folder / f"{count}-{number}" for number in range(count)]
    matcher = Matcher(MatchingSettings(), None, *folders)
    for number, where in enumerate(folders):
        IndexWriter(where / matcher.recipe, matcher.recipe).publish(catalogue[number::count])
    return matcher


@pytest.fixture(scope="module")
def candidates() -> list[bytes]:
    """Copies of all kinds, a collage of two assets, the shared page around a distractor, and distractors."""
    random, others = np.random.default_rng(8), [drawing(seed) for seed in range(9)]
    pictures = [
        attacks.apply(edit, photograph(name), random, others)
        for edit in ("jpeg10_30", "crop40", "hflip", "screenshot", "overlay_text")
        for name in ("astronaut", "china", "motorcycle_left")
    ]
    pictures += [np.concatenate([photograph("chelsea")[:300, :400], photograph("flower")[:300, :400]], axis=1)]
    pictures += [on_a_page("coffee"), on_a_page("hubble_deep_field"), *others[:3]]
    return [encoded(picture) for picture in pictures]


WORTH_A_LOOK = 0.05
"""Below this, which distractors are named at all depends on which proposals the prefilter's limits let through."""


A_LITTLE = 0.005
"""Of a bucket with more than MAX_BUCKET descriptors only a part is read, and which part depends on what else is in it:
so the number of votes, and with it the probability, may differ a little. All that is measured of a pair is the same."""

REVIEWED, UNSURE = 0.6, 0.01
"""What lies below the shipped rules may differ by so much: between sure answers the trees are steeper."""


def worth_a_look(report: MatchReport) -> list[Match]:
    return [match for match in report.matches if match.comparison.probability >= WORTH_A_LOOK]


@pytest.fixture(scope="module")
def answers_of_the_whole(
    catalogue: list[Entry], candidates: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> list[MatchReport]:
    """What one index of all assets answers to each candidate."""
    whole = split(tmp_path_factory.mktemp("whole"), catalogue, 1)
    return [whole.match(content) for content in candidates]


@pytest.mark.parametrize("count", [2, 3])
def test_a_split_catalogue_answers_as_the_whole(
    catalogue: list[Entry],
    candidates: list[bytes],
    answers_of_the_whole: list[MatchReport],
    tmp_path: Path,
    count: int,
) -> None:
    """The same assets, ranked the same, measured the same.

    The limits of stage one hold for each shard by itself, so several shards look at more assets than one does: other
    distractors may be named, none of them worth a look.
    """
    parts = split(tmp_path, catalogue, count)
    found = 0
    for content, one in zip(candidates, answers_of_the_whole, strict=True):
        several = parts.match(content)
        assert len(worth_a_look(one)) == len(worth_a_look(several))
        for mine, theirs in zip(worth_a_look(one), worth_a_look(several), strict=True):
            assert mine.asset_id == theirs.asset_id
            assert mine.comparison.probability == pytest.approx(theirs.comparison.probability, abs=A_LITTLE)
            assert mine.comparison == replace(theirs.comparison, probability=mine.comparison.probability)
        assert (several.assets_searched, several.partial) == (len(catalogue), False)
        assert several.perceptual_hash == one.perceptual_hash
        found += len(worth_a_look(one))
    assert found >= 18


def test_what_assets_of_two_shards_share_is_neither_ones_own(catalogue: list[Entry], tmp_path: Path) -> None:
    """With two assets no limit of stage one holds, so the reports are the same."""
    pages = catalogue[len(PLAIN) : len(PLAIN) + 2]
    whole, parts = split(tmp_path, pages, 1), split(tmp_path, pages, 2)
    for name in ("hubble_deep_field", "coffee", "rocket"):
        content = encoded(on_a_page(name))
        one, several = whole.match(content), parts.match(content)
        assert several.assets_searched == one.assets_searched == 2
        for mine, theirs in zip(one.matches, several.matches, strict=True):
            within = A_LITTLE if mine.comparison.probability >= REVIEWED else UNSURE
            assert mine.comparison.probability == pytest.approx(theirs.comparison.probability, abs=within)
            # Which keypoints vote depends on what else lies in a bucket; the pixels lay both within a sample.
            assert mine.asset_id == theirs.asset_id
            assert mine.comparison.keypoint_inliers == theirs.comparison.keypoint_inliers

    # Each shard by itself would take the page's frame for its own asset's.
    distractor = decode(encoded(on_a_page("hubble_deep_field")), MatchingSettings())
    alone = [split(tmp_path / entry[1], [entry], 1) for entry in pages]
    for matcher in (*alone, parts):
        matcher.refresh()
    by_themselves = [pair.exclusive.cells for matcher in alone for pair in matcher.compared(distractor)]
    together = [pair.exclusive.cells for pair in parts.compared(distractor)]
    assert len(by_themselves) == len(together) == 2
    assert min(by_themselves) > 5
    assert max(together) <= 2


def test_a_newer_asset_is_judged_beside_older_ones_of_other_shards(catalogue: list[Entry], tmp_path: Path) -> None:
    pages = catalogue[len(PLAIN) :]
    parts = split(tmp_path, pages, 3)
    content, newest = encoded(on_a_page("hubble_deep_field")), pages[-1][0]
    picture = decode(content, MatchingSettings())
    parts.refresh()
    whole, newer = parts.compared(picture), parts.compared(picture, newer_than=newest - 1)
    assert [pair.asset.id for pair in newer] == [pages[-1][1]]
    (same,) = (pair for pair in whole if pair.asset.id == pages[-1][1])
    assert np.array_equal(newer[0].features, same.features)
    assert parts.confidence.probability(newer[0].features) < 0.01


@pytest.fixture
def answers(catalogue: list[Entry], tmp_path: Path) -> list[ShardAnswer]:
    """What three shards say of the collage of two assets."""
    split(tmp_path, catalogue, 3)
    recipe = catalogue[0][2].recipe
    collage = np.concatenate([photograph("chelsea")[:300, :400], photograph("flower")[:300, :400]], axis=1)
    picture = decode(encoded(collage), MatchingSettings())
    found = []
    for number in range(3):
        shard = Shard(tmp_path / f"3-{number}" / recipe, recipe, FULL)
        shard.refresh()
        found.append(shard.search(candidate_of(picture, FULL), None, newer_than=0))
    return found


def stated(combined: CombinedAnswer) -> list[tuple[str, float]]:
    return [(ranked.compared.asset.id, ranked.probability) for ranked in combined.ranking]


def test_an_answer_that_travelled_is_as_good(answers: list[ShardAnswer]) -> None:
    """It pickles, refers to no mapped file, and is small enough to be sent for each candidate."""
    sent = [pickle.dumps(answer) for answer in answers]
    assert max(map(len, sent)) < 2_000_000
    received = [pickle.loads(content) for content in sent]
    assert stated(combine(received)) == stated(combine(answers))
    assert len(stated(combine(answers))) >= 2


def test_the_answer_holds_no_part_of_the_index(answers: list[ShardAnswer], tmp_path: Path) -> None:
    """Every array is memory of its own. A process that reads a mapped file which was cut short is killed."""
    files = list(tmp_path.rglob("*.npy"))
    assert len(files) >= 3 * 14

    def combined_without_files() -> None:
        for path in files:
            path.write_bytes(b"")
        assert len(combine(pickle.loads(pickle.dumps(answers))).ranking) >= 2

    assert ended(forked(combined_without_files)) == 0


def test_what_was_searched_is_the_sum_and_numbers_are_those_of_the_slowest(answers: list[ShardAnswer]) -> None:
    assert [answer.up_to_number for answer in answers] == [7, 8, 9]
    combined = combine(answers)
    assert (combined.up_to_number, combined.assets_searched, combined.partial) == (7, 9, False)


def test_a_missing_shard_makes_the_answer_partial(answers: list[ShardAnswer]) -> None:
    """It speaks of no newer asset than an earlier answer did: what the shard holds must be looked at again."""
    combined = combine(answers[:2], newer_than=4, missing_shards=1)
    assert (combined.up_to_number, combined.assets_searched, combined.partial) == (4, 6, True)
    assert all(ranked.compared.asset.number > 4 for ranked in combined.ranking)
    torn = [answers[0], replace(answers[1], is_complete=False), answers[2]]
    assert combine(torn).partial
    assert combine(torn).up_to_number == 0


def test_no_shard_no_match() -> None:
    assert combine([], newer_than=3) == CombinedAnswer((), 3, 0, False)


def test_common_keypoints_are_not_rare(answers: list[ShardAnswer]) -> None:
    """A keypoint that votes for a few assets of each shard is common in the catalogue, though in no shard."""
    (best, *_) = combine(answers).ranking
    assert best.compared.rare > 20

    def voting_for(assets: int) -> list[ShardAnswer]:
        return [
            replace(answer, commonness=tuple(np.full_like(side, assets) for side in answer.commonness))
            for answer in answers
        ]

    assert COMMON_FROM == 3
    assert [pair.rare for pair in compared(voting_for(1))] == [0] * len(compared(answers))
    inliers = [pair.measurement.inliers for pair in compared(answers)]
    assert [pair.rare for pair in compared(voting_for(0))] == inliers


def test_older_assets_are_looked_at_only_where_a_newer_one_agrees(answers: list[ShardAnswer]) -> None:
    assert needs_older_assets(answers, newer_than=1)
    assert not needs_older_assets(answers, newer_than=0)
    assert not needs_older_assets([replace(answer, pairs=()) for answer in answers], newer_than=1)
