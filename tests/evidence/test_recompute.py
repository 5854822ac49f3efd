"""The comparison of a capture: it holds all that is needed to compute it again, and shows where it was changed."""

import asyncio
import hashlib
import io
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from guardian import rules
from guardian.cli.evidence_bundle import INCOMPLETE
from guardian.cli.evidence_recompute import exit_code_of, lines_of
from guardian.cli.screen import Screen
from guardian.errors import UsageError
from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.comparison import JSON_NAME, ComparisonServices, take_comparison
from guardian.evidence.recompute import TOLERANCES, Number, Recomputed, Verdict, recompute
from guardian.evidence.step_result import StepResult
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.evidence.verifying import NotABundle
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from tests.evidence.comparisons import subject_of, without_image, written_bundle
from tests.kept_workers import kept
from tests.matching.pictures import encoded, photograph

ROOM = 100 * 1024**2
RULES = """
rules:
- name: certain-copy
  why: We are sure.
  when: {probability: {at_least: 0.95}, aligned_similarity: {at_least: 0.35}}
  then: alert
  severity: high
"""
MORE_RULES = "# Big Customer pays for everything.\n"


@dataclass
class Place:
    """Where this file's captures are taken."""

    folder: Path
    vault: Vault
    original: Path
    found: bytes
    told: dict[str, Any]
    members: dict[str, bytes]

    def taken(
        self, subject: CaptureSubject, folder: Path, came: bytes | None = None
    ) -> tuple[StepResult, CaptureFolder]:
        """Take the comparison of a use, with a catalogue that is empty."""
        return taken(self.folder, folder, subject, self.vault, came)

    def recomputed(self, path: Path, original: Path | None = None) -> Recomputed:
        return kept().run(recompute(path, original, kept().pool))[0]


def taken(
    home: Path,
    folder: Path,
    subject: CaptureSubject,
    vault: Vault,
    came: bytes | None = None,
) -> tuple[StepResult, CaptureFolder]:
    workers = Workers(
        MatchingSettings(workers=1, timeout=timedelta(minutes=3)), EmbeddingSettings(), home / "index", kept().pool
    )
    captured = CaptureFolder(folder, ROOM)
    checked = rules.load(home / "rules", ["legal"])
    services = ComparisonServices(vault, workers, checked, ("own.example",))
    return kept().run(take_comparison(subject, captured, services, came)), captured


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("captured")
    (folder / "rules").mkdir()
    (folder / "rules" / "10-all.yaml").write_text(RULES + MORE_RULES)
    coffee = photograph("coffee", 500)
    original = folder / "Düne.jpg"
    original.write_bytes(encoded(coffee, quality=92))
    found = encoded(np.asarray(Image.fromarray(coffee).crop((60, 40, 420, 310))), quality=75)
    vault = Vault(folder / "vault", ROOM)
    step, captured = taken(folder, folder / "capture", subject_of(original, vault, found), vault)
    assert step.not_taken == ()
    members = {f"captures/1-capture_1/{file.name}": captured.path_of(file).read_bytes() for file in step.files}
    members["original/dune.jpg"] = original.read_bytes()
    told = json.loads(members[f"captures/1-capture_1/{JSON_NAME}"])
    return Place(folder, vault, original, found, told, members)


def with_told(place: Place, **changes: Any) -> dict[str, bytes]:
    """Return the members with another comparison.json, of which the manifest then speaks."""
    return place.members | {f"captures/1-capture_1/{JSON_NAME}": json.dumps(place.told | changes).encode()}


def test_it_says_all_that_the_number_follows_from(place: Place) -> None:
    told = place.told
    assert told["original"]["sha256"] == hashlib.sha256(place.original.read_bytes()).hexdigest()
    assert told["original"]["file"] == "Düne.jpg"
    assert told["found"]["sha256"] == hashlib.sha256(place.found).hexdigest()
    assert told["measured"]["comparison"]["probability"] > 0.9
    assert told["recorded"]["comparison"]["probability"] == 0.99
    assert told["licence"]["status"] == "none"
    assert told["settings"]["profile"] == "full"
    assert set(told["catalogue"]["values"]) == {"rare", "rare_share", "own_cells", "own_natural"}
    assert "depend on what else was protected" in " ".join(told["catalogue"]["text"].split())
    confidence = place.members["captures/1-capture_1/comparison/confidence.json"]
    assert told["confidence"]["sha256"] == hashlib.sha256(confidence).hexdigest()
    assert "Düne" in told["sentence"]


def test_the_rule_stands_there_with_its_text_and_the_values_that_it_was_asked_of(place: Place) -> None:
    rule = place.told["rule"]
    assert (rule["name"], rule["in_force"], rule["why"]) == ("certain-copy", True, "We are sure.")
    first, second = rule["conditions"]
    assert first == {"text": "probability at least 0.95", "value": 0.99, "holds": True}
    assert second["holds"] is True
    assert rule["file"]["text"] == RULES.partition("rules:\n")[2], "what else stands there is nobody's business"
    assert rule["file"]["sha256"] == hashlib.sha256((RULES + MORE_RULES).encode()).hexdigest()


def test_the_drawings_are_pictures_of_both_with_the_overlap_and_its_cells(place: Place) -> None:
    drawn = {
        name: Image.open(io.BytesIO(place.members[f"captures/1-capture_1/comparison/{name}.png"]))
        for name in ("original-outlined", "found-outlined", "heat-map")
    }
    assert {name: picture.format for name, picture in drawn.items()} == dict.fromkeys(drawn, "PNG")
    assert drawn["original-outlined"].size == drawn["heat-map"].size == (500, 333)
    assert drawn["found-outlined"].size == (360, 270)
    # The line of the overlap's upper left corner is drawn, and what both show is blue.
    red, green, blue = (int(part) for part in np.asarray(drawn["original-outlined"])[38:43, 200].max(axis=0))
    assert min(red, green, blue) > 200
    middle = np.asarray(drawn["heat-map"], dtype=int)[120:220, 150:350].mean(axis=(0, 1))
    assert middle[2] > middle[0] + 40


def test_computed_again_every_number_is_exactly_the_same(place: Place, tmp_path: Path) -> None:
    again = place.recomputed(written_bundle(tmp_path / "b.zip", place.members))
    assert again.holds
    assert {number.name for number in again.numbers} == set(TOLERANCES)
    assert {number.verdict for number in again.numbers} == {Verdict.EXACT}
    assert any("numbers should be exactly the same" in remark for remark in again.remarks)
    assert any("taken as they were recorded" in remark for remark in again.remarks)


def test_a_number_that_was_changed_does_not_hold(place: Place, tmp_path: Path) -> None:
    measured = place.told["measured"]
    comparison = measured["comparison"] | {"probability": 0.5, "keypoint_inliers": 10**400, "hash_distance": None}
    members = with_told(
        place, measured=measured | {"comparison": comparison}, catalogue=place.told["catalogue"] | {"probability": 1e-3}
    )
    again = place.recomputed(written_bundle(tmp_path / "b.zip", members))
    wrong = {number.name for number in again.numbers if number.verdict is Verdict.DIFFERENT}
    assert wrong == {"probability", "probability_beside_others", "keypoint_inliers", "hash_distance"}
    assert not again.holds


def test_an_overlap_that_was_moved_does_not_hold(place: Place, tmp_path: Path) -> None:
    measured = place.told["measured"]
    projection = [*measured["projection"][:2], measured["projection"][2] + 40, *measured["projection"][3:]]
    again = place.recomputed(
        written_bundle(tmp_path / "b.zip", with_told(place, measured=measured | {"projection": projection}))
    )
    assert [number.name for number in again.numbers if number.verdict is Verdict.DIFFERENT] == ["corners_apart"]


@pytest.mark.parametrize(
    "name",
    [
        "captures/1-capture_1/comparison/comparison.json",
        "captures/1-capture_1/comparison/found.jpg",
        "captures/1-capture_1/comparison/heat-map.png",
        "original/dune.jpg",
    ],
)
def test_a_bundle_that_was_changed_is_said_before_anything_is_computed(place: Place, tmp_path: Path, name: str) -> None:
    again = place.recomputed(written_bundle(tmp_path / "b.zip", place.members, damaged=name))
    assert not again.holds
    assert again.numbers == ()
    assert again.faults[0].startswith(f"it is damaged: {name}, bytes ")


def test_a_picture_that_was_exchanged_together_with_the_manifest_is_noticed(place: Place, tmp_path: Path) -> None:
    members = place.members | {"captures/1-capture_1/comparison/found.jpg": encoded(photograph("chelsea", 300))}
    again = place.recomputed(written_bundle(tmp_path / "b.zip", members))
    assert "speaks of another file than the bundle holds" in again.faults[0]


def test_another_confidence_is_read_from_the_bundle(place: Place, tmp_path: Path) -> None:
    """One that was fitted on the owner's works; one that is none is named as a fault."""
    name = "captures/1-capture_1/comparison/confidence.json"
    fitted = json.loads(place.members[name])
    fitted["calibration"]["intercept"] -= 50
    content = json.dumps(fitted).encode()
    confidence = place.told["confidence"] | {"sha256": hashlib.sha256(content).hexdigest()}
    members = with_told(place, confidence=confidence) | {name: content}
    again = place.recomputed(written_bundle(tmp_path / "b.zip", members))
    numbers = {number.name: number for number in again.numbers}
    assert numbers["probability"].computed is not None
    assert numbers["probability"].computed < 1e-6
    assert numbers["keypoint_inliers"].verdict is Verdict.EXACT
    said = next(remark for remark in again.remarks if "came with the bundle" in remark)
    assert "By its own, it is >99.9 %" in said, "who reads it learns what is the maker's and what is guardian's"

    garbage = b'{"facts": []}'
    confidence["sha256"] = hashlib.sha256(garbage).hexdigest()
    members = with_told(place, confidence=confidence) | {name: garbage}
    again = place.recomputed(written_bundle(tmp_path / "c.zip", members))
    assert "the fitted confidence cannot be used" in again.faults[0]


def test_a_bundle_without_the_original_says_what_it_needs(place: Place, tmp_path: Path) -> None:
    members = {name: content for name, content in place.members.items() if not name.startswith("original/")}
    path = written_bundle(tmp_path / "b.zip", members)
    digest = place.told["original"]["sha256"]
    with pytest.raises(UsageError, match=f"--original FILE; it was called Düne.jpg, and its SHA-256 is {digest}"):
        place.recomputed(path)
    other = tmp_path / "other.jpg"
    other.write_bytes(b"x")
    with pytest.raises(UsageError, match=f"is another file: the one that was compared has the SHA-256 {digest}"):
        place.recomputed(path, other)
    again = place.recomputed(path, place.original)
    assert again.holds
    assert not any("came with the bundle" in remark for remark in again.remarks)


def test_other_tools_and_methods_are_said(place: Place, tmp_path: Path) -> None:
    used = place.told["measured_with"]
    members = with_told(
        place,
        measured_with=used | {"machine": "riscv", "libraries": used["libraries"] | {"numpy": "9.9"}},
        settings=place.told["settings"] | {"matching_version": 99},
    )
    again = place.recomputed(written_bundle(tmp_path / "b.zip", members))
    words = " ".join(again.remarks)
    assert "numpy 9.9 then" in words
    assert "machine riscv then" in words
    assert "fingerprints 5 and matching 99" in words
    assert again.holds


@pytest.mark.parametrize(
    ("recorded", "computed", "verdict"),
    [
        (0.99, 0.99, Verdict.EXACT),
        (0.99, 0.97, Verdict.WITHIN),
        (0.99, 0.9, Verdict.DIFFERENT),
        (None, None, Verdict.EXACT),
        (None, 0.9, Verdict.DIFFERENT),
        (0.99, float("nan"), Verdict.DIFFERENT),
        (0.99, float("inf"), Verdict.DIFFERENT),
    ],
)
def test_a_number_holds_within_its_tolerance(recorded: float | None, computed: float | None, verdict: Verdict) -> None:
    assert Number("probability", recorded, computed).verdict is verdict


def test_counts_may_differ_by_a_share() -> None:
    assert Number("keypoint_inliers", 400, 320).verdict is Verdict.WITHIN
    assert Number("keypoint_inliers", 400, 290).verdict is Verdict.DIFFERENT
    assert Number("keypoint_inliers", 8, 17).verdict is Verdict.WITHIN


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and nothing more", b"%PDF-1.7"])
def test_what_is_no_bundle_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(NotABundle, match="is no bundle of evidence"):
        asyncio.run(recompute(path))


def test_bundles_that_say_other_things_are_said(tmp_path: Path, place: Place) -> None:
    with pytest.raises(UsageError, match="holds no comparison"):
        asyncio.run(recompute(written_bundle(tmp_path / "a.zip", {"case.json": b"{}"})))
    for number, odd in enumerate((b"[", b"[" * 100_000, b'{"format": "guardian-comparison/1"}', b'"text"')):
        path = written_bundle(tmp_path / f"{number}.zip", {f"captures/1-x/{JSON_NAME}": odd})
        (again,) = asyncio.run(recompute(path))
        assert "comparison.json is n" in again.faults[0]
        assert not again.holds
    again = place.recomputed(written_bundle(tmp_path / "c.zip", with_told(place, format="guardian-comparison/9")))
    assert "this guardian reads guardian-comparison/1" in again.faults[0]


def test_people_read_a_table_of_the_numbers(place: Place, tmp_path: Path) -> None:
    again = place.recomputed(written_bundle(tmp_path / "b.zip", place.members))
    lines = lines_of(again, Screen(None))
    assert lines[0] == "captures/1-capture_1"
    rows = [line.split("  ")[1] for line in lines if line.endswith("exact")]
    assert rows == [number.name.replace("_", " ") for number in again.numbers]
    assert lines[-1] == "  all numbers hold"


def test_what_cannot_be_compared_is_said_and_what_there_is_is_kept(place: Place, tmp_path: Path) -> None:
    subject = subject_of(place.original, place.vault, place.found)
    step, _ = place.taken(without_image(subject), tmp_path / "1")
    assert (step.files, step.not_taken[0].name) == ((), "comparison")
    assert "were not kept" in step.not_taken[0].reason

    step, captured = place.taken(replace(subject, original=tmp_path / "gone.jpg"), tmp_path / "2")
    assert "own file is missing" in step.not_taken[0].reason
    assert {file.name for file in step.files} >= {JSON_NAME, "comparison/found.jpg"}
    assert json.loads((captured.path / JSON_NAME).read_text())["measured"] is None

    blank = subject_of(place.original, place.vault, encoded(Image.new("RGB", (90, 90), "white"), "PNG"))
    step, captured = place.taken(blank, tmp_path / "3")
    assert "too plain" in step.not_taken[0].reason
    members = {f"captures/1-x/{file.name}": captured.path_of(file).read_bytes() for file in step.files}
    members["original/a.jpg"] = place.original.read_bytes()
    again = place.recomputed(written_bundle(tmp_path / "b.zip", members))
    assert "Nothing was measured" in again.remarks[0]
    assert (again.holds, again.numbers) == (True, ())
    assert exit_code_of([again]) == INCOMPLETE, "nothing was computed, so nothing held"
    assert exit_code_of([again, place.recomputed(written_bundle(tmp_path / "c.zip", place.members))]) == 0


@pytest.mark.parametrize("lost", [JSON_NAME, "comparison/found.jpg", "comparison/confidence.json"])
def test_what_was_lost_before_the_bundle_was_made_is_no_number_that_does_not_hold(
    place: Place, tmp_path: Path, lost: str
) -> None:
    path = written_bundle(tmp_path / "b.zip", place.members, lost=f"captures/1-capture_1/{lost}")
    found = place.recomputed(path)
    assert (found.where, found.faults, found.holds) == ("captures/1-capture_1", (), False)
    assert (
        found.lost == f"captures/1-capture_1/{lost} was missing already when the bundle was made, which it says itself"
    )
    lines = lines_of(found, Screen(None))
    assert any("CANNOT BE COMPUTED AGAIN" in line for line in lines)
    assert not any("DOES NOT HOLD" in line or "all numbers hold" in line for line in lines)


def test_an_original_that_was_lost_may_be_named(place: Place, tmp_path: Path) -> None:
    path = written_bundle(tmp_path / "b.zip", place.members, lost="original/dune.jpg")
    with pytest.raises(UsageError, match="was lost before the bundle was made: name it with --original"):
        place.recomputed(path)


def test_a_picture_that_is_another_one_by_now_is_measured_and_can_be_computed_again(
    place: Place, tmp_path: Path
) -> None:
    subject = subject_of(place.original, place.vault, place.found)
    assert place.taken(subject, tmp_path / "same", place.found)[0].differences == ()

    coffee = photograph("coffee", 500)
    smaller = encoded(np.asarray(Image.fromarray(coffee).crop((120, 60, 360, 250))), quality=80)
    step, captured = place.taken(subject, tmp_path / "capture", smaller)
    told = json.loads(captured.path_of(next(one for one in step.files if one.name == JSON_NAME)).read_bytes())
    assert told["found"]["sha256"] == hashlib.sha256(place.found).hexdigest(), "what was judged stays what was judged"
    assert told["now"]["found"]["sha256"] == hashlib.sha256(smaller).hexdigest()
    (sentence,) = step.differences
    assert sentence == told["now"]["sentence"]
    assert "the probability that it is made from the same original is >99.9 %;" in sentence
    assert "can be seen in it, and the rule “certain-copy” says alert" in sentence

    members = {f"captures/1-capture_1/{file.name}": captured.path_of(file).read_bytes() for file in step.files}
    members |= {"original/dune.jpg": place.original.read_bytes(), "captures/1-capture_1/picture.jpg": smaller}
    judged, now = kept().run(recompute(written_bundle(tmp_path / "b.zip", members), None, kept().pool))
    assert (judged.where, judged.holds) == ("captures/1-capture_1", True)
    assert (now.where, now.holds) == ("captures/1-capture_1, the picture that came for the capture", True)
    assert {number.verdict for number in now.numbers} == {Verdict.EXACT}


def test_of_a_picture_that_shows_something_else_by_now_it_is_said(place: Place, tmp_path: Path) -> None:
    subject = subject_of(place.original, place.vault, place.found)
    other = encoded(photograph("chelsea", 400), quality=85)
    (sentence,) = place.taken(subject, tmp_path / "other", other)[0].differences
    assert "no rule counts it as a use" in sentence
    (sentence,) = place.taken(subject, tmp_path / "none", b"<html>gone</html>")[0].differences
    assert sentence.startswith("The picture that came now cannot be measured: ")


def test_nothing_is_measured_on_a_damaged_file_of_the_owner(place: Place, tmp_path: Path) -> None:
    original = tmp_path / "Düne.jpg"
    original.write_bytes(place.original.read_bytes())
    subject = subject_of(original, place.vault, place.found)
    # Still a picture: who decodes it would not notice.
    original.write_bytes(encoded(photograph("coffee", 400), quality=60))
    step, captured = place.taken(subject, tmp_path / "capture")
    assert [one.reason for one in step.not_taken] == [
        "the owner's own file is damaged, so nothing could be measured again"
    ]
    assert json.loads((captured.path / JSON_NAME).read_bytes())["measured"] is None
