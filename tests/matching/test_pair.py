"""Two files measured on each other: as the search measures them, whatever the rest of the catalogue is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from guardian.errors import NotAnImage
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.pair import DECIDED_BY_CATALOGUE, PairReport, Start, matched_points, measure_pair
from guardian.matching.settings import MatchingSettings
from tests.matching.pictures import Pixels, clouds, encoded, photograph

CAPTION = np.tile(clouds(5, 300, 60, roughness=0.6), (1, 1, 1))


def captioned(picture: Pixels) -> Pixels:
    """A picture above a frame that others have too."""
    image = Image.fromarray(picture).resize((300, 240))
    return np.vstack([np.asarray(image), CAPTION])


ORIGINAL = encoded(captioned(photograph("coffee", 400)), quality=92)
SIBLING = encoded(captioned(photograph("chelsea", 400)), quality=92)
COPY = encoded(np.asarray(Image.fromarray(captioned(photograph("coffee", 400))).crop((30, 60, 300, 300))), quality=80)


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    """Two assets that share a caption."""
    folder = tmp_path_factory.mktemp("index")
    made = Matcher(MatchingSettings(), None, folder)
    entries = [(1, "mine", made.fingerprint(ORIGINAL)), (2, "sibling", made.fingerprint(SIBLING))]
    IndexWriter(folder / made.recipe, made.recipe).publish(entries)
    made.warm()
    return made


@pytest.fixture(scope="module")
def report(matcher: Matcher) -> PairReport:
    return measure_pair(matcher, ORIGINAL, COPY, Start(), "mine")


def test_the_pair_is_measured_as_the_search_measures_it(matcher: Matcher, report: PairReport) -> None:
    found = next(match.comparison for match in matcher.match(COPY).matches if match.asset_id == "mine")
    assert report.catalogue is not None
    # The catalogue's part is what the search says; the rest does not depend on it.
    assert report.catalogue.probability == found.probability
    assert replace(report.comparison, probability=found.probability) == found
    assert report.catalogue.assets_searched == 2


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_points_of_both_pictures_belong_together(matcher: Matcher, is_mirrored: bool) -> None:
    """The copy was cut out at (30, 60); points are in pixels of the pictures as they are, mirrored or not."""
    copy = Image.fromarray(captioned(photograph("coffee", 400))).crop((30, 60, 300, 300))
    if is_mirrored:
        copy = copy.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    points = matched_points(matcher, ORIGINAL, encoded(np.asarray(copy), quality=80), Start())
    x, y = points.in_found.T
    expected = np.add(np.stack([269 - x if is_mirrored else x, y], axis=1), (30, 60))
    assert len(points.in_found) >= 20
    assert np.abs(points.in_asset - expected).max() < 2


def test_what_another_asset_shares_is_named_and_is_no_evidence_for_this_one(
    matcher: Matcher, report: PairReport
) -> None:
    """The copy agrees with the sibling in the caption alone, which is the original's as well."""
    sibling = measure_pair(matcher, SIBLING, COPY, Start(), "sibling").catalogue
    assert report.catalogue is not None
    assert sibling is not None
    assert [other.asset_id for other in report.catalogue.others] == ["sibling"]
    assert [other.asset_id for other in sibling.others] == ["mine"]
    assert set(sibling.values) == set(DECIDED_BY_CATALOGUE)
    assert sibling.values["own_cells"] == 0
    assert report.catalogue.values["own_cells"] == report.features["own_cells"] > 50
    assert report.features["rare"] == report.features["inliers"]


def test_measuring_again_says_the_same_and_needs_no_catalogue(tmp_path: Path, report: PairReport) -> None:
    elsewhere = Matcher(MatchingSettings(), None, tmp_path)
    again = measure_pair(elsewhere, ORIGINAL, COPY, Start())
    assert again == replace(report, catalogue=None)


def test_the_cells_lie_where_the_two_agree(report: PairReport) -> None:
    values = [value for row in report.cells.correlation for value in row if value is not None]
    assert len(values) > 30
    assert np.mean(values) > 0.8
    left, top, right, bottom = report.cells.box
    assert (left, top, right, bottom) == pytest.approx((30, 60, 300, 300), abs=4)


def test_a_start_is_tried_where_the_search_finds_nothing(matcher: Matcher, report: PairReport) -> None:
    """A corner that was darkened until it has no keypoints left: its hash says nothing either."""
    stranger = encoded(clouds(9, 300, 240), quality=80)
    ramp = np.repeat(np.linspace(20, 235, 64, dtype=np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    with pytest.raises(NotAnImage, match="nothing lays one picture on the other"):
        measure_pair(matcher, ORIGINAL, encoded(ramp), Start())
    laid = measure_pair(matcher, ORIGINAL, stranger, Start(report.comparison.transform))
    assert laid.probability < 0.1
