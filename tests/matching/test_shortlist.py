"""Between the stages: what is clear is measured, however many others are clear too."""

from pathlib import Path

import cv2
import numpy as np

from guardian.matching.candidate import Candidate, candidate_of
from guardian.matching.features.image import Picture
from guardian.matching.index import prefilter
from guardian.matching.index.reader import Index, open_index
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import FULL
from guardian.matching.settings import MatchingSettings
from guardian.matching.shortlist import shortlisted
from tests.matching.pictures import Pixels, drawing, encoded, photograph

NAMES = ("astronaut", "camera", "gravel", "china", "coffee", "coins", "flower", "motorcycle_left", "rocket")


def published(folder: Path, pictures: list[Pixels]) -> Index:
    """An index of the pictures; their rows are their places."""
    matcher = Matcher(MatchingSettings(), None, folder)
    entries = [(at + 1, str(at), matcher.fingerprint(encoded(one, "PNG"))) for at, one in enumerate(pictures)]
    IndexWriter(folder, matcher.recipe).publish(entries)
    return open_index(folder, matcher.recipe)


def seen(picture: Pixels) -> Candidate:
    return candidate_of(Picture(np.ascontiguousarray(picture), picture.shape[1], picture.shape[0], "png"), FULL)


def rows_measured(index: Index, candidate: Candidate) -> set[int]:
    hits = prefilter.search(index, candidate, 0, FULL.voted_assets)
    return {row for _, row in shortlisted(index, candidate, hits.proposals, FULL.measured_assets)}


def test_all_pictures_of_a_collage_are_measured_where_each_is_protected_twice(tmp_path: Path) -> None:
    pictures = [photograph(name, 480) for name in NAMES]
    index = published(tmp_path, [*pictures, *(picture // 2 + 60 for picture in pictures)])
    # Cut, so that no hash finds them.
    tiles = [picture[40:260, 60:280] for picture in pictures]
    rows = [np.concatenate(tiles[at : at + 3], axis=1) for at in (0, 3, 6)]
    measured = rows_measured(index, seen(np.concatenate(rows)))
    assert {row % len(NAMES) for row in measured} == set(range(len(NAMES)))


def test_what_frames_dozens_of_protected_pictures_does_not_hide_what_is_framed(tmp_path: Path) -> None:
    page = np.asarray(cv2.resize(photograph("page", 700), (700, 400)), np.uint8)

    def shown_on_a_page(picture: Pixels) -> Pixels:
        copy = page.copy()
        copy[140:260, 270:430] = picture
        return copy

    whole = photograph("coffee", 480)
    small = np.asarray(cv2.resize(whole, (160, 120), interpolation=cv2.INTER_AREA), np.uint8)
    index = published(tmp_path, [whole, *(shown_on_a_page(drawing(seed, 160, 120)) for seed in range(30))])
    assert 0 in rows_measured(index, seen(shown_on_a_page(small)))
