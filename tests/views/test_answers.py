"""The one word for an image, and the line of JSON that others build on."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from guardian.model import (
    Action,
    Answer,
    Asset,
    Comparison,
    Decision,
    JudgedMatch,
    LicenceStatus,
    MatchReport,
    NotSeen,
    Outcome,
    Severity,
    Sighting,
    Skipped,
    SkipReason,
    Transform,
)
from guardian.views.answers import answer_json, not_seen_json

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
IGNORED = Decision(Action.IGNORE, "no rule matched")
RECORDED = Decision(Action.IGNORE, "licensed", record=True)
ALERT = Decision(Action.ALERT, "certain-copy", Severity.HIGH, record=True)
REVIEW = Decision(Action.REVIEW, "likely-copy", Severity.LOW, record=True)


def judged(
    decision: Decision,
    licence_status: LicenceStatus = LicenceStatus.NONE,
    probability: float = 0.9,
    title: str = "Dune",
) -> JudgedMatch:
    asset = Asset(
        id=f"asset_{title.lower()}",
        number=1,
        title=title,
        collection="press",
        path=f"/pictures/{title}.jpg",
        sha256="a" * 64,
        width=800,
        height=600,
        added_at=NOON,
        work_id="work_dune",
    )
    return JudgedMatch(asset, Comparison(probability), licence_status, decision)


def answer(*matches: JudgedMatch, **facts: Any) -> Answer:
    sighting = Sighting("check", "https://thief.example/i.jpg", "https://thief.example/", NOON)
    report = MatchReport("recipe", (), up_to_number=7, assets_searched=5, width=640, height=480)
    known = {"target": "https://thief.example/", "sighting": sighting, "sha256": "c" * 64, "elapsed_ms": 12.3456}
    return Answer(**{**known, "judged": matches, "report": report, **facts})


@pytest.mark.parametrize(
    ("matches", "outcome"),
    [
        ([], Outcome.CLEAR),
        ([judged(IGNORED)], Outcome.CLEAR),
        ([judged(IGNORED, LicenceStatus.LICENSED)], Outcome.CLEAR),
        ([judged(ALERT)], Outcome.COPY),
        ([judged(REVIEW), judged(ALERT), judged(RECORDED, LicenceStatus.LICENSED)], Outcome.COPY),
        ([judged(REVIEW), judged(IGNORED), judged(RECORDED, LicenceStatus.LICENSED)], Outcome.REVIEW),
        ([judged(RECORDED, LicenceStatus.LICENSED)], Outcome.LICENSED),
        ([judged(RECORDED, LicenceStatus.LICENSED), judged(IGNORED)], Outcome.LICENSED),
        ([judged(RECORDED, LicenceStatus.LICENSED), judged(RECORDED, LicenceStatus.NONE)], Outcome.CLEAR),
        ([judged(ALERT, LicenceStatus.LICENSED)], Outcome.COPY),
    ],
)
def test_outcomes_from_the_strongest_decision_down(matches: list[JudgedMatch], outcome: Outcome) -> None:
    assert answer(*matches).outcome is outcome


def test_what_was_not_compared_is_never_clear() -> None:
    problem = Skipped("https://thief.example/i.jpg", SkipReason.TIMEOUT, "no answer within 60 s")
    assert answer(problem=problem, report=None, sha256=None).outcome is Outcome.ERROR
    plain = Skipped("https://thief.example/i.jpg", SkipReason.TOO_PLAIN, "one colour only")
    assert answer(problem=plain, unmatchable=True, report=None).outcome is Outcome.UNMATCHABLE


def test_the_line_is_exactly_as_promised() -> None:
    transform = Transform((0.5, 0.0, 10.0, 0.0, 0.5, 20.0), True, 7.5, 0.5, (0, 0, 1, 0.6), (0.1, 0.2, 0.9, 1))
    comparison = Comparison(
        0.123456789012345678, 12, 80, 0.6, 0.64, transform, 0.87, None, None, "mirrored crop of 60 %"
    )
    match = judged(ALERT)
    line = answer_json(
        answer(JudgedMatch(match.asset, comparison, LicenceStatus.LAPSED, ALERT), also_at=("https://b.example/",))
    )
    assert json.loads(json.dumps(line)) == {
        "target": "https://thief.example/",
        "image_url": "https://thief.example/i.jpg",
        "page_url": "https://thief.example/",
        "also_at": ["https://b.example/"],
        "sha256": "c" * 64,
        "perceptual_hash": None,
        "outcome": "copy",
        "own": False,
        "matches": [
            {
                "asset": {"id": "asset_dune", "title": "Dune", "path": "/pictures/Dune.jpg", "collection": "press"},
                "probability": 0.123456789012345678,
                "licence": "lapsed",
                "licence_id": None,
                "decision": {"action": "alert", "rule": "certain-copy", "severity": "high"},
                "comparison": {
                    "hash_distance": 12,
                    "keypoint_inliers": 80,
                    "asset_coverage": 0.6,
                    "candidate_coverage": 0.64,
                    "transform": {
                        "matrix": [[0.5, 0.0, 10.0], [0.0, 0.5, 20.0]],
                        "mirrored": True,
                        "angle_degrees": 7.5,
                        "scale": 0.5,
                        "asset_box": [0, 0, 1, 0.6],
                        "candidate_box": [0.1, 0.2, 0.9, 1],
                        "polarity": "positive",
                    },
                    "aligned_similarity": 0.87,
                    "embedding_similarity": None,
                    "region_embedding_similarity": None,
                    "description": "mirrored crop of 60 %",
                    "frame": None,
                    "asset_frame": None,
                },
                "work": "work_dune",
                "versions": [],
            }
        ],
        "assets_searched": 5,
        "partial": False,
        "status": None,
        "incomplete": None,
        "not_compared": [],
        "error": None,
        "elapsed_ms": 12.3,
    }


def test_every_kind_of_answer_has_the_same_keys() -> None:
    inline = Sighting("check", None, "https://thief.example/", NOON, inline=b"data")
    problem = Skipped("https://thief.example/i.jpg", SkipReason.TOO_PLAIN, "one colour only")
    lines = [
        answer_json(answer()),
        answer_json(answer(judged(ALERT))),
        answer_json(answer(sighting=inline)),
        answer_json(answer(problem=problem, unmatchable=True, report=None, sha256=None)),
    ]
    left_out = not_seen_json(NotSeen("https://thief.example/", problem))
    assert list(left_out)[: len(lines[0])] == list(lines[0])
    assert (left_out["outcome"], left_out["reason"], left_out["url"]) == ("not_seen", "too_plain", problem.url)
    assert len({tuple(line) for line in lines}) == 1
    assert lines[2]["image_url"] is None
    failed = lines[3]
    assert (failed["outcome"], failed["sha256"], failed["matches"], failed["assets_searched"]) == (
        "unmatchable",
        None,
        [],
        None,
    )
    assert failed["error"] == "too_plain: one colour only"
    assert answer_json(answer(problem=Skipped("u", SkipReason.ROBOTS), report=None))["error"] == "robots"


def test_matches_are_sorted_by_the_unrounded_probability() -> None:
    near = [judged(ALERT, probability=0.99999, title="B"), judged(REVIEW, probability=0.999991, title="A")]
    assert [match["asset"]["title"] for match in answer_json(answer(*near))["matches"]] == ["A", "B"]


def test_ignored_matches_are_shown_only_on_request() -> None:
    one = answer(judged(IGNORED, title="A"), judged(RECORDED, LicenceStatus.LICENSED, title="B"))
    assert [match["asset"]["title"] for match in answer_json(one)["matches"]] == ["B"]
    shown = answer_json(one, every_match=True)["matches"]
    assert sorted(match["asset"]["title"] for match in shown) == ["A", "B"]
    assert {match["decision"]["rule"]: match["decision"]["severity"] for match in shown} == {
        "no rule matched": None,
        "licensed": None,
    }


def test_partial_and_own_are_passed_on() -> None:
    partial = MatchReport("recipe", (), 7, 5, 640, 480, partial=True)
    line = answer_json(answer(report=partial, own=True))
    assert (line["partial"], line["own"], line["outcome"]) == (True, True, "partial")


def test_a_part_without_a_match_is_partial_and_never_clear() -> None:
    part = answer(incomplete="the connection ended early", status=404)
    assert part.outcome is Outcome.PARTIAL
    line = answer_json(part)
    assert (line["partial"], line["status"], line["incomplete"]) == (True, 404, "the connection ended early")
    assert answer(judged(ALERT), incomplete="the connection ended early").outcome is Outcome.COPY
