"""The vector route: what a descriptor brings, and that keypoints say where it lies."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.evaluation import attacks
from guardian.matching.features import keypoints
from guardian.matching.features.keypoints import Sides
from guardian.matching.geometry import Proposal
from guardian.matching.index import votes
from guardian.matching.index.reader import Index, IndexSlot, open_index
from guardian.matching.index.vector_route import NEAREST, Part, propose, tiles
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import FULL
from guardian.matching.settings import MatchingSettings
from guardian.matching.verify.alignment import overlap_of
from tests.matching.pictures import Pixels, encoded, noise, photograph

NAMES = ("astronaut", "coffee", "chelsea", "china", "rocket", "flower")


def one_hot(place: int) -> NDArray[np.float32]:
    return np.eye(8, dtype=np.float32)[place]


class Named:
    """Knows the six photographs by their mean colour, so that each has a vector of its own."""

    digest = "0a" * 32

    def encode(self, pictures: list[Pixels]) -> NDArray[np.float32]:
        means = [float(photograph(name).mean()) for name in NAMES]
        return np.stack(
            [one_hot(int(np.argmin([abs(picture.mean() - mean) for mean in means]))) for picture in pictures]
        )


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder: Path = tmp_path_factory.mktemp("index")
    matcher = Matcher(MatchingSettings(), Named(), folder)  # type: ignore[arg-type]
    entries = [(n + 1, name, matcher.fingerprint(encoded(photograph(name), "PNG"))) for n, name in enumerate(NAMES)]
    IndexWriter(folder / matcher.recipe, matcher.recipe).publish(entries)
    return open_index(folder / matcher.recipe, matcher.recipe)


def sides_of(picture: Pixels) -> Sides:
    return keypoints.detect_sides(np.asarray(picture.mean(axis=2), np.uint8), FULL.candidate_scales, negatives=False)


def best(
    found: dict[IndexSlot, list[Proposal]], opened: Index, place: IndexSlot, picture: Pixels, box: list[float]
) -> float:
    """The least error of any proposal, as a share of the candidate's sides."""
    size = opened.segments[place[0]].size(place[1])
    overlaps = [overlap_of(one.matrix, size, (picture.shape[1], picture.shape[0])) for one in found[place]]
    return min(float(np.abs(np.array(one.candidate_box) - box).max()) for one in overlaps if one is not None)


def test_tiles_cover_the_picture() -> None:
    boxes = tiles(500, 300)
    assert boxes[0] == (0, 0, 500, 300)
    covered = np.zeros((300, 500), bool)
    for left, top, right, bottom in boxes[1:]:
        assert (right - left, bottom - top) == pytest.approx((300, 180))
        covered[round(top) : round(bottom), round(left) : round(right)] = True
    assert covered.all()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("number", range(len(NAMES)))
def test_keypoints_say_where_the_asset_lies(opened: Index, number: int, mirrored: bool) -> None:
    """A copy in one corner, on another's picture: the tile brings it, and some proposal lays it where it is."""
    asset = attacks.shrunk(photograph(NAMES[number]), 300)
    host = noise(7, 800, 600)
    shown = np.ascontiguousarray(asset[:, ::-1]) if mirrored else asset
    host[270 : 270 + shown.shape[0], 450 : 450 + shown.shape[1]] = shown
    boxes = tiles(800, 600)
    parts = [Part(boxes[0], one_hot(7)), Part(boxes[4], one_hot(number))]
    found = propose(opened, parts, sides_of(host), 0)
    box = [450 / 800, 270 / 600, (450 + shown.shape[1]) / 800, (270 + shown.shape[0]) / 600]
    assert best(found, opened, (0, number), host, box) < 0.08
    assert any(proposal.mirrored == mirrored and proposal.agreeing > 5 for proposal in found[0, number])


def test_each_part_brings_a_bounded_number_of_newer_assets(opened: Index) -> None:
    parts = [Part(tiles(400, 300)[0], one_hot(0))]
    assert len(propose(opened, parts, sides_of(noise(1, 400, 300)), 0)) == NEAREST
    only = propose(opened, parts, sides_of(noise(1, 400, 300)), 5)
    assert set(only) == {(0, 5)}
    assert propose(opened, parts, sides_of(noise(1, 400, 300)), 6) == {}


def test_matching_keypoints_by_hand() -> None:
    """Nearest and standing out: 3 bits against 80 passes, 60 against 62 does not, 100 is no match at all."""
    zero = np.zeros((1, 256), np.uint8)

    def words(*ones: int) -> NDArray[np.uint64]:
        rows = np.repeat(zero, len(ones), axis=0)
        for row, count in zip(rows, ones, strict=True):
            row[:count] = 1
        return np.packbits(rows, axis=1).view(np.uint64)

    mine, theirs = votes.match(words(0), words(80, 3))
    assert (mine.tolist(), theirs.tolist()) == ([0], [1])
    assert len(votes.match(words(0), words(60, 62))[0]) == 0
    assert len(votes.match(words(0), words(100, 250))[0]) == 0
    mine, theirs = votes.match(words(0, 256), words(40, 255))
    assert (mine.tolist(), theirs.tolist()) == ([1, 0], [1, 0])


def test_limits_hold_for_the_whole_index(tmp_path: Path) -> None:
    """Not for each segment: an index in eight parts brings no more than one in one part."""
    matcher = Matcher(MatchingSettings(), Named(), tmp_path)  # type: ignore[arg-type]
    for number in range(6):
        entry = (number + 1, NAMES[number], matcher.fingerprint(encoded(photograph(NAMES[number]), "PNG")))
        IndexWriter(tmp_path / matcher.recipe, matcher.recipe).publish([entry])
    parted = open_index(tmp_path / matcher.recipe, matcher.recipe)
    assert len(parted.segments) == 6
    parts = [Part(tiles(400, 300)[0], one_hot(0))]
    assert len(propose(parted, parts, sides_of(noise(1, 400, 300)), 0)) == NEAREST


def test_the_thinnest_strip_has_tiles(tmp_path: Path) -> None:
    """A hundred thousand pixels wide, one high after decoding: every tile still holds a pixel."""
    matcher = Matcher(MatchingSettings(), Named(), tmp_path)  # type: ignore[arg-type]
    entry = (1, "astronaut", matcher.fingerprint(encoded(photograph("astronaut"), "PNG")))
    IndexWriter(tmp_path / matcher.recipe, matcher.recipe).publish([entry])
    matcher.refresh()
    blocks = np.random.default_rng(3).integers(0, 256, (1, 100, 3), dtype=np.uint8)
    strip = np.repeat(np.repeat(blocks, 24, axis=0), 600, axis=1)
    assert matcher.match(encoded(strip, "PNG", compress_level=1)).assets_searched == 1
