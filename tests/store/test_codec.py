"""Domain values survive JSON to the last bit."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.model import Comparison, Decision, Licence, Match, MatchReport, Scan, ScanCounts, Severity, Transform
from guardian.store.codec import from_json, to_json

numbers = st.floats(allow_nan=False, allow_infinity=False)
boxes = st.tuples(numbers, numbers, numbers, numbers)
transforms = st.builds(
    Transform,
    matrix=st.tuples(*[numbers] * 6),
    mirrored=st.booleans(),
    angle_degrees=numbers,
    scale=numbers,
    asset_box=boxes,
    candidate_box=boxes,
)
maybe = st.none() | numbers
comparisons = st.builds(
    Comparison,
    probability=numbers,
    hash_distance=st.none() | st.integers(0, 256),
    keypoint_inliers=st.none() | st.integers(0, 9999),
    asset_coverage=maybe,
    candidate_coverage=maybe,
    transform=st.none() | transforms,
    aligned_similarity=maybe,
    embedding_similarity=maybe,
    region_embedding_similarity=maybe,
    description=st.text(),
)
reports = st.builds(
    MatchReport,
    recipe=st.text(),
    matches=st.lists(st.builds(Match, asset_id=st.text(), comparison=comparisons), max_size=3).map(tuple),
    up_to_number=st.integers(0),
    assets_searched=st.integers(0),
    width=st.integers(0),
    height=st.integers(0),
    partial=st.booleans(),
)


@given(reports)
def test_reports_round_trip_unrounded(report: MatchReport) -> None:
    assert from_json(MatchReport, json.loads(json.dumps(to_json(report)))) == report


def test_enums_dates_and_moments_round_trip() -> None:
    now = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
    for value in (
        Decision("alert", "rule", Severity.HIGH, ("a", "b"), record=True),
        Licence("lic", "x.example", collection="c", valid_from=date(2026, 1, 2)),
        Scan(
            1,
            "web",
            now,
            None,
            None,
            ScanCounts.from_words({"found": 3, "left out: robots": 1, "clear": 2}),
        ),
    ):
        assert from_json(type(value), json.loads(json.dumps(to_json(value)))) == value


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="stored"):
        to_json(Comparison(probability=number))
    with pytest.raises(TypeError, match="bytes"):
        to_json(b"bytes")


@dataclass(frozen=True)
class Older:
    name: str
    gone: int


@dataclass(frozen=True)
class Newer:
    name: str
    added: tuple[int, ...] = (1, 2)


def test_rows_of_other_versions_still_read() -> None:
    assert from_json(Newer, to_json(Older("a", 5))) == Newer("a")
    with pytest.raises(ValueError, match="Older without gone"):
        from_json(Older, to_json(Newer("a")))


@pytest.mark.parametrize(
    "value", [{"probability": "high"}, {"probability": True}, [], None, {"probability": 1, "transform": 3}]
)
def test_damaged_documents_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        from_json(Comparison, value)
