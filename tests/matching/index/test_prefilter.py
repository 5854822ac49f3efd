"""Stage one: each route brings the right assets by itself, only those that are asked for, and not too many."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.evaluation import attacks
from guardian.matching.candidate import Candidate
from guardian.matching.features import hashing, keypoints
from guardian.matching.features.keypoints import NO_SIDES, Keypoints
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.features.windows import windows
from guardian.matching.index import prefilter, votes
from guardian.matching.index.prefilter import Hits, search
from guardian.matching.index.reader import Index, open_index
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import FULL
from guardian.matching.recipe import index_recipe
from guardian.matching.settings import MatchingSettings
from guardian.matching.verify.alignment import overlap_of
from tests.matching.pictures import Pixels, drawing, encoded, noise, photograph

NAMES = ("astronaut", "camera", "chelsea", "china", "coffee", "coins", "flower", "motorcycle_left", "rocket", "page")
BLANK = Pyramid(np.zeros((300, 400), np.uint8), 400, 300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of ten photographs and forty drawings in two segments, in that order."""
    where = tmp_path_factory.mktemp("index")
    matcher = Matcher(MatchingSettings(), None, where)
    pictures = [photograph(name) for name in NAMES] + [drawing(seed) for seed in range(40)]
    entries = [(at + 1, f"asset-{at + 1}", matcher.fingerprint(encoded(one, "PNG"))) for at, one in enumerate(pictures)]
    IndexWriter(where, matcher.recipe).publish(entries[:10])
    IndexWriter(where, matcher.recipe).publish(entries[10:])
    return where


@pytest.fixture(scope="module")
def opened(folder: Path) -> Index:
    return open_index(folder, index_recipe(MatchingSettings(), None))


def searched(
    opened: Index, picture: Pixels, newer_than: int = 0, *, with_votes: bool = True, with_hashes: bool = True
) -> Hits:
    grey = np.asarray(picture.mean(axis=2), np.uint8)
    sides = keypoints.detect_sides(grey, FULL.candidate_scales, negatives=True) if with_votes else NO_SIDES
    parts = [
        (box, hashing.hash_orientations(grey[round(box[1]) : round(box[3]), round(box[0]) : round(box[2])]))
        for box in (windows(grey) if with_hashes else [])
    ]
    candidate = Candidate(sides, parts, Pyramid(grey, grey.shape[1], grey.shape[0]))
    return search(opened, candidate, newer_than, FULL.voted_assets)


def best_overlap(hits: Hits, opened: Index, place: tuple[int, int], picture: Pixels, box: NDArray[np.float64]) -> float:
    """Of all proposals: how well the asset's frame is put where it is (left, top, right, bottom in fractions)."""
    shares = []
    for proposal in hits.proposals[place]:
        overlap = overlap_of(proposal.matrix, opened.segments[place[0]].size(place[1]), picture.shape[1::-1])
        if overlap is not None:
            shares.append(1 - float(np.abs(np.array(overlap.candidate_box) - box).max()))
    return max(shares, default=0.0)


WHOLE = np.array([0.0, 0, 1, 1])


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_votes_alone_bring_the_asset_and_where_it_lies(opened: Index, number: int) -> None:
    generator = np.random.default_rng(number)
    asset = photograph(NAMES[number])
    host = drawing(99, 900, 700)
    pasted = host.copy()
    small = attacks.shrunk(asset, 380)
    left, top = int(generator.integers(0, 500)), int(generator.integers(0, 300))
    pasted[top : top + small.shape[0], left : left + small.shape[1]] = small
    hits = searched(opened, pasted, with_hashes=False)
    box = np.array([left / 900, top / 700, (left + small.shape[1]) / 900, (top + small.shape[0]) / 700])
    assert (0, number) in hits.proposals
    assert best_overlap(hits, opened, (0, number), pasted, box) > 0.85
    assert all(proposal.agreeing >= 2 and proposal.votes >= 2 for proposal in hits.proposals[0, number])


@pytest.mark.parametrize("number", [0, 2, 3, 4, 8])
def test_votes_of_the_mirror_image_propose_a_mirrored_transform(opened: Index, number: int) -> None:
    flipped = np.ascontiguousarray(photograph(NAMES[number])[:, ::-1])
    hits = searched(opened, flipped, with_hashes=False)
    mirrored = [proposal for proposal in hits.proposals[0, number] if proposal.mirrored]
    assert mirrored
    assert all(np.linalg.det(proposal.matrix.reshape(2, 3)[:, :2]) < 0 for proposal in mirrored)
    assert best_overlap(hits, opened, (0, number), flipped, WHOLE) > 0.85


@pytest.mark.parametrize("orientation", range(8))
def test_hashes_alone_bring_the_asset_in_any_orientation(opened: Index, orientation: int) -> None:
    asset = photograph("china")
    seen = np.ascontiguousarray(np.rot90(asset[:, ::-1] if orientation >= 4 else asset, orientation % 4))
    hits = searched(opened, attacks.recompressed(seen, 40), with_votes=False)
    assert hits.hash_distances[0][3] < 30
    first = hits.proposals[0, 3][0]
    assert (first.agreeing, first.votes) == (0, 0)
    assert first.mirrored == (orientation >= 4)
    assert best_overlap(hits, opened, (0, 3), seen, WHOLE) > 0.99


def test_hashes_find_a_picture_inside_a_frame(opened: Index) -> None:
    asset = photograph("rocket", 400)
    height, width = asset.shape[:2]
    framed = np.full((height + 200, width + 120, 3), 255, np.uint8)
    framed[140 : 140 + height, 60 : 60 + width] = asset
    hits = searched(opened, framed, with_votes=False)
    box = np.array(
        [60 / (width + 120), 140 / (height + 200), (60 + width) / (width + 120), (140 + height) / (height + 200)]
    )
    assert best_overlap(hits, opened, (0, 8), framed, box) > 0.95


def test_distances_are_the_least_over_all_windows(opened: Index) -> None:
    hits = searched(opened, photograph("coffee"))
    assert [len(distances) for distances in hits.hash_distances] == [10, 40]
    assert hits.hash_distances[0].argmin() == 4
    assert hits.hash_distances[0][4] <= 4
    assert (hits.hash_distances[1] > 50).all()


@pytest.mark.parametrize(("newer_than", "found"), [(0, True), (4, True), (5, False), (50, False)])
def test_only_newer_assets(opened: Index, newer_than: int, found: bool) -> None:
    """Coffee is number 5."""
    hits = searched(opened, photograph("coffee"), newer_than)
    assert ((0, 4) in hits.proposals) == found
    numbers = [int(opened.segments[segment].numbers[row]) for segment, row in hits.proposals]
    assert all(number > newer_than for number in numbers)


def test_withdrawn_assets_are_not_proposed(folder: Path, opened: Index) -> None:
    without = Index(opened.generation, [segment.without(frozenset({5})) for segment in opened.segments])
    assert (0, 4) in searched(opened, photograph("coffee")).proposals
    assert (0, 4) not in searched(without, photograph("coffee")).proposals


def test_strangers_bring_a_bounded_number(opened: Index) -> None:
    for seed in range(8):
        hits = searched(opened, drawing(1000 + seed))
        voted = [place for place, made in hits.proposals.items() if any(one.votes for one in made)]
        assert len(voted) <= FULL.voted_assets
        assert all(len(made) < 40 for made in hits.proposals.values())


def test_keypoints_that_vote_for_many_are_common(tmp_path: Path) -> None:
    """The same badge on every asset: its keypoints in the candidate are counted as common, the others are not."""
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    badge = attacks.shrunk(photograph("page"), 150)
    entries = []
    for seed in range(12):
        picture = noise(seed, 400, 300)
        picture[10 : 10 + badge.shape[0], 10 : 10 + badge.shape[1]] = badge
        entries.append((seed + 1, f"asset-{seed}", matcher.fingerprint(encoded(picture, "PNG"))))
    IndexWriter(tmp_path, matcher.recipe).publish(entries)
    candidate = noise(500, 400, 300)
    candidate[10 : 10 + badge.shape[0], 10 : 10 + badge.shape[1]] = badge
    grey = np.asarray(candidate.mean(axis=2), np.uint8)
    sides = keypoints.detect_sides(grey, FULL.candidate_scales, negatives=True)
    hits = search(open_index(tmp_path, matcher.recipe), Candidate(sides, [], BLANK), 0, FULL.voted_assets)
    on_badge = (sides[0].x < 10 + badge.shape[1]) & (sides[0].y < 10 + badge.shape[0])
    assert hits.commonness[0][on_badge].mean() > 5 * hits.commonness[0][~on_badge].mean()
    assert hits.commonness[0].max() >= 8


def made_points(generator: np.random.Generator, count: int) -> Keypoints:
    """Keypoints of a picture of 400 x 300 pixels, all of one size and angle."""
    x, y = generator.uniform(0, 400, count).astype(np.float32), generator.uniform(0, 300, count).astype(np.float32)
    alike = np.full(count, 31, np.float32)
    return Keypoints(x, y, alike, alike, generator.integers(0, 256, (count, 32), np.uint8))


def far_off(points: Keypoints, bits: int, generator: np.random.Generator) -> Keypoints:
    """The same keypoints with so many other bits, none of which is part of a key."""
    flips = np.zeros((len(points), 256), np.uint8)
    free = np.setdiff1d(np.arange(256), votes._SELECTED)
    for row in flips:
        row[generator.permutation(free)[:bits]] = 1
    return replace(points, descriptors=points.descriptors ^ np.packbits(flips, axis=1, bitorder="little"))


def test_close_descriptors_come_before_as_many_distant_ones(tmp_path: Path) -> None:
    """Assets with the same keypoints of which 4 and 32 bits differ: both are voted for, the closer one first."""
    matcher, generator = Matcher(MatchingSettings(), None, tmp_path), np.random.default_rng(4)
    made = matcher.fingerprint(encoded(photograph("coffee"), "PNG"))
    entries = []
    for number, bits in enumerate((32, 4, 32), 1):
        flips = np.zeros((len(made.points), 256), np.uint8)
        flips[:, :bits] = 1
        flips = generator.permuted(flips, axis=1)
        points = replace(made.points, descriptors=made.points.descriptors ^ np.packbits(flips, axis=1))
        entries.append((number, str(number), replace(made, points=points)))
    IndexWriter(tmp_path, matcher.recipe).publish(entries)

    sides = (made.points, *NO_SIDES[1:])
    hits = search(open_index(tmp_path, matcher.recipe), Candidate(sides, [], BLANK), 0, FULL.voted_assets)
    assert next(iter(hits.proposals)) == (0, 1)
    assert set(hits.proposals) == {(0, 0), (0, 1), (0, 2)}


def test_an_asset_whose_many_votes_weigh_little_is_brought_too(tmp_path: Path) -> None:
    """Of one asset's 150 distant votes few agree: by their number that is chance. 48 others have three closer ones."""
    matcher, generator = Matcher(MatchingSettings(), None, tmp_path), np.random.default_rng(4)
    seen = made_points(generator, 150 + 48 * 3)
    distant = far_off(keypoints.taken(seen, np.arange(150, dtype=np.int32)), 39, generator)
    elsewhere = generator.uniform(0, 400, 150).astype(np.float32)
    repeating = replace(distant, x=np.where(np.arange(150) < 12, distant.x, elsewhere))
    close = far_off(seen, 30, generator)
    rivals = [keypoints.taken(close, np.arange(at, at + 3, dtype=np.int32)) for at in range(150, len(seen), 3)]
    model = matcher.fingerprint(encoded(noise(1, 400, 300), "PNG"))
    entries = [(at + 2, str(at + 2), replace(model, points=points)) for at, points in enumerate(rivals)]
    IndexWriter(tmp_path, matcher.recipe).publish([(1, "1", replace(model, points=repeating)), *entries])

    hits = search(open_index(tmp_path, matcher.recipe), Candidate((seen, *NO_SIDES[1:]), [], BLANK), 0, 48)
    assert len(hits.proposals) == 48
    assert list(hits.proposals).index((0, 0)) == 36
    assert hits.proposals[0, 0][0].agreeing >= 12


def test_an_empty_index_brings_nothing() -> None:
    hits = searched(Index(None, ()), photograph("coffee"))
    assert hits.proposals == {}
    assert hits.hash_distances == []
    assert not hits.commonness[0].any()


def test_a_picture_without_keypoints_or_windows_brings_nothing(opened: Index) -> None:
    hits = prefilter.search(opened, Candidate(NO_SIDES, [], BLANK), 0, FULL.voted_assets)
    assert hits.proposals == {}
    assert (np.concatenate(hits.hash_distances) == hashing.BITS).all()
