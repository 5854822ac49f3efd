"""Captures as rows: written whole, read in order, and in use for whatever removes evidence."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from guardian.model import Action, Asset, CaptureReason, Case, EvidenceCapture, EvidenceFile, NotTaken
from guardian.store import Store
from tests.store.conftest import NOON

FILE = EvidenceFile("page.wacz", "1" * 64, 3_000_000_000, "application/wacz", "The page as it was sent.")
CAPTURE = EvidenceCapture(
    id="capture_1",
    case_id="",
    finding_id="find_1",
    reason=CaptureReason.OPENED,
    asked_by=None,
    began_at=NOON,
    ended_at=NOON + timedelta(seconds=3),
    page_url="https://thief.example/",
    image_url=None,
    guardian_version="0.1.0",
    files=(FILE, replace(FILE, name="a/first.png", sha256="2" * 64)),
    not_taken=(NotTaken("screenshot.png", "there is no browser"),),
    differences=("A browser was shown other words.",),
)


def case_of(store: Store, asset: Asset, operator: str = "thief.example") -> Case:
    with store.begin() as tx:
        return tx.cases.insert(asset.id, operator, Action.ALERT, None, NOON)[0]


def test_captures_come_back_as_they_were_oldest_first(store: Store, protect: Callable[[str], Asset]) -> None:
    case = case_of(store, protect("a"))
    first = replace(CAPTURE, case_id=case.id)
    later = replace(first, id="capture_0", began_at=NOON + timedelta(hours=1), files=(), asked_by="alice")
    with store.begin() as tx:
        tx.evidence.add(later)
        tx.evidence.add(first)
    with store.read() as tx:
        assert tx.evidence.of_case(case.id) == [first, later]
        assert tx.evidence.get("capture_1") == first
        assert tx.evidence.get("capture_2") is None
        assert dict(tx.evidence.kept_digests()) == {"1" * 64: "capture_1", "2" * 64: "capture_1"}


def test_files_of_captures_are_needed(store: Store, protect: Callable[[str], Asset]) -> None:
    case = case_of(store, protect("a"))
    with store.begin() as tx:
        tx.evidence.add(replace(CAPTURE, case_id=case.id))
    with store.read() as tx:
        assert tx.versions.needed(["1" * 64, "2" * 64, "3" * 64]) == {"1" * 64, "2" * 64}


def test_captures_follow_their_findings_and_cases(store: Store, protect: Callable[[str], Asset]) -> None:
    kept, gone = case_of(store, protect("a")), case_of(store, protect("b"), "other.example")
    with store.begin() as tx:
        tx.evidence.add(replace(CAPTURE, case_id=gone.id))
        tx.evidence.add(replace(CAPTURE, id="capture_2", case_id=gone.id, finding_id="find_2"))
        tx.evidence.move(["find_2"], kept.id)
        assert [one.id for one in tx.evidence.of_case(kept.id)] == ["capture_2"]

        tx.cases.absorb(kept, gone.id)
        assert [one.id for one in tx.evidence.of_case(kept.id)] == ["capture_1", "capture_2"]
