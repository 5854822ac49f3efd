"""Nothing of a case on hold is deleted; what is deleted otherwise leaves a trace, and only what is needless goes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardian.errors import UsageError, VaultFull
from guardian.evidence import Vault, remove_needless, with_room
from guardian.evidence.retention import delete_aged, delete_evidence, hold, release, require_free_host
from guardian.evidence.settings import KeptFor
from guardian.evidence.usage import usage
from guardian.model import (
    Action,
    Actor,
    ActorKind,
    CaptureReason,
    Case,
    CaseEvent,
    CaseState,
    Comparison,
    Context,
    Decision,
    DeletionReason,
    DescribedPicture,
    EvidenceCapture,
    EvidenceFile,
    Finding,
    FindingDigest,
    Importance,
    LicenceStatus,
    MatchReport,
    Message,
    NewlySeen,
    TaskKind,
)
from guardian.outbox import enqueue, mint
from guardian.retention import prune
from guardian.store import Store, Transaction
from guardian.store.settings import RetentionSettings

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY, YEAR = timedelta(days=1), timedelta(days=365)
ANNA = Actor(ActorKind.COMMAND_LINE, "anna", frozenset())


@dataclass(frozen=True)
class World:
    """A database and a vault."""

    store: Store
    vault: Vault

    def case(self, operator: str, state: CaseState = CaseState.OPEN) -> Case:
        """Write a case with one finding, whose picture a scan kept, and one capture."""
        picture = self.vault.keep(f"picture of {operator}".encode())
        page = self.vault.keep(f"page of {operator}".encode())
        captured = self.vault.keep(f"capture of {operator}".encode())
        with self.store.begin() as tx:
            asset = tx.assets.reserve("a" * 64, title="t", collection="c", path="/a", size=(8, 6), at=NOON)
            case, _ = tx.cases.insert(asset.id, operator, Action.ALERT, None, NOON)
            if state is not CaseState.OPEN:
                case = tx.cases.update(replace(case, state=state))
            finding, _ = tx.findings.upsert(
                Finding(
                    f"find_{operator}",
                    asset.id,
                    case.id,
                    "web",
                    f"https://{operator}/",
                    f"https://{operator}/i.jpg",
                    NOON,
                    NOON,
                    LicenceStatus.NONE,
                    Decision(Action.ALERT, "copies"),
                    Comparison(0.9),
                    picture,
                    picture,
                    page,
                )
            )
            version = FindingDigest(picture, picture, page, NOON, NOON, Importance.LATEST)
            tx.versions.note(finding.id, version)
            file = EvidenceFile("page.wacz", captured, 20, "application/wacz", "The page.")
            capture = EvidenceCapture(
                f"capture_{operator}",
                case.id,
                finding.id,
                CaptureReason.OPENED,
                None,
                NOON,
                NOON,
                None,
                None,
                "0.1.0",
                (file,),
            )
            tx.evidence.add(capture)
        return case

    def digests(self, operator: str) -> list[str]:
        """What is kept of such a case."""
        return [self.vault.keep(f"{kind} of {operator}".encode()) for kind in ("picture", "page", "capture")]

    def delete(self, tx: Transaction, case: Case) -> object:
        return delete_evidence(tx, self.vault, case, ANNA, DeletionReason.ASKED, "settled", NOON)


def seen(sha256: str) -> NewlySeen:
    """A picture as the memory keeps it."""
    return NewlySeen(
        sha256=sha256,
        width=8,
        height=6,
        perceptual_hash=None,
        image_url=f"https://shop.example/{sha256}.jpg",
        page_url="https://shop.example/",
        source="web",
        seen_at=NOON,
        context=Context(),
        described=DescribedPicture("PNG", b"fingerprint"),
    )


@pytest.fixture
def world(database: str, tmp_path: Path) -> Iterator[World]:
    store = Store(database)
    yield World(store, Vault(tmp_path / "evidence", 1_000))
    store.close()


def test_what_is_deleted_leaves_a_trace_and_the_disk(world: World) -> None:
    case, other = world.case("thief.example"), world.case("other.example")
    digests = world.digests("thief.example")
    with world.store.begin() as tx:
        deletion = world.delete(tx, case)
    assert remove_needless(world.store, world.vault) > 0
    assert not any(world.vault.holds(digest) for digest in digests)
    assert all(world.vault.holds(digest) for digest in world.digests("other.example"))

    with world.store.read() as tx:
        assert tx.deletions.of_case(case.id) == [deletion]
        assert {file.sha256 for file in tx.deletions.of_case(case.id)[0].files} == set(digests)
        assert tx.evidence.of_case(case.id) == []
        assert len(tx.evidence.of_case(other.id)) == 1
        finding = tx.findings.list(case.id)[0]
        assert finding.image_sha256 is None
        assert finding.evidence_note == "deleted on 2026-11-24 (settled)"
        assert [line.action for line in tx.audit.lines(subject=case.id)][-1] == "evidence.deleted"
    with world.store.begin() as tx:
        assert world.delete(tx, case) is None, "there is nothing left"


def test_bytes_that_another_case_needs_stay(world: World) -> None:
    case, other = world.case("thief.example"), world.case("other.example")
    shared = world.digests("thief.example")[2]
    with world.store.begin() as tx:
        (capture,) = tx.evidence.of_case(other.id)
        files = (EvidenceFile("page.wacz", shared, 20, "application/wacz", "The page."),)
        tx.evidence.add(replace(capture, id="capture_2", files=files))
        world.delete(tx, case)
    remove_needless(world.store, world.vault)
    assert world.vault.holds(shared)


def test_nothing_of_a_case_on_hold_goes(world: World) -> None:
    case = world.case("thief.example", CaseState.DISMISSED)
    with world.store.begin() as tx:
        hold(tx, case, ANNA, "matter 17", NOON)
        tx.messages.add(Message("msg_1", "case.opened", NOON, b"{}"))
        tx.case_history.note(CaseEvent(case.id, NOON, "opened", message_id="msg_1"))
    with world.store.begin() as tx, pytest.raises(UsageError, match="matter 17"):
        world.delete(tx, case)
    assert delete_aged(world.store, world.vault, KeptFor(dismissed=timedelta(days=1)), NOON + YEAR) == 0

    # Not even for room: the page and the picture of the finding are the least important that there is.
    with pytest.raises(VaultFull):
        with_room(world.store, world.vault, lambda: NOON, 990, lambda: world.vault.keep(bytes(990)))
    with world.store.begin() as tx:
        tx.versions.supersede("find_thief.example", tx.versions.of("find_thief.example"), NOON)
        assert tx.messages.forget_unowed(NOON + YEAR, 100) == 0
    remove_needless(world.store, world.vault)
    assert all(world.vault.is_whole(digest) for digest in world.digests("thief.example"))

    with world.store.read() as tx:
        require_free_host(tx, "innocent.example")
        for host in ("thief.example", None):
            with pytest.raises(UsageError, match="on hold"):
                require_free_host(tx, host)

    with world.store.begin() as tx:
        release(tx, case, ANNA, "settled", NOON)
    with world.store.begin() as tx:
        assert [line.action for line in tx.audit.lines(subject=case.id)][-1] == "evidence.released"
        assert tx.messages.forget_unowed(NOON + YEAR, 100) == 1
    assert delete_aged(world.store, world.vault, KeptFor(dismissed=timedelta(days=1)), NOON + YEAR) == 1


def test_what_the_memory_and_the_matcher_know_of_a_case_on_hold_stays(world: World) -> None:
    held, free = world.case("thief.example"), world.case("other.example")
    pictures = [world.vault.keep(f"picture of {one.operator}".encode()) for one in (held, free)]
    earlier = "e" * 64
    with world.store.begin() as tx:
        hold(tx, held, ANNA, "matter 17", NOON)
        tx.versions.note("find_thief.example", FindingDigest(earlier, None, None, NOON, NOON, Importance.UNKNOWN))
        for sha256 in (*pictures, earlier):
            tx.candidates.remember(sha256, "recipe", MatchReport("recipe", (), 1, 8, 8, 6), NOON)
        tx.newly_seen.remember([seen(sha256) for sha256 in (*pictures, earlier)], "recipe", "shard")

    later = NOON + YEAR
    with world.store.begin() as tx:
        tx.forgetting.forget_oldest("shard", 1e9, 100)
        tx.forgetting.forget_unseen_since(later, 100)
        tx.candidates.forget("recipe", later, later, 100)
        tx.candidates.forget("another recipe", later, later, 100)
        for sha256, stays in ((pictures[0], True), (earlier, True), (pictures[1], False)):
            assert (tx.seen.get(sha256) is not None) is stays
            assert (tx.candidates.known(sha256, "recipe") is not None) is stays

        release(tx, held, ANNA, "settled", NOON)
        assert tx.forgetting.forget_unseen_since(later, 100) == 2
        assert tx.candidates.forget("recipe", later, later, 100) == 2


def test_deliveries_of_a_case_on_hold_stay_as_long_as_its_messages(world: World) -> None:
    case = world.case("thief.example")
    message = mint("case.opened", {}, NOON)
    with world.store.begin() as tx:
        hold(tx, case, ANNA, "matter 17", NOON)
        enqueue(tx, message, ["legal"])
        tx.case_history.note(CaseEvent(case.id, NOON, "opened", message_id=message.id))
        (task,) = tx.tasks.list(TaskKind.DELIVER)
        tx.tasks.done(task.id, NOON)
    with world.store.begin() as tx:
        assert tx.tasks.forget_done(NOON + YEAR, 100) == 0
        assert tx.messages.forget_unowed(NOON + YEAR, 100) == 0
        release(tx, case, ANNA, "settled", NOON)
        assert tx.tasks.forget_done(NOON + YEAR, 100) == 1
        assert tx.messages.forget_unowed(NOON + YEAR, 100) == 1


def test_no_pruning_touches_the_audit_log_or_what_cases_are_made_of(world: World) -> None:
    case = world.case("thief.example")
    with world.store.begin() as tx:
        hold(tx, case, ANNA, "matter 17", NOON)
        tx.case_history.note(CaseEvent(case.id, NOON, "opened"))
    with world.store.read() as tx:
        before = (tx.audit.head(), tx.case_history.of(case.id), tx.findings.list(case.id), tx.evidence.of_case(case.id))
    prune(world.store, RetentionSettings(deliveries=DAY, scans=DAY, responses=DAY, candidates=DAY), "r", NOON + YEAR)
    with world.store.read() as tx:
        after = (tx.audit.head(), tx.case_history.of(case.id), tx.findings.list(case.id), tx.evidence.of_case(case.id))
    assert after == before


def test_holds_are_given_once_with_a_reason(world: World) -> None:
    case = world.case("thief.example")
    with world.store.begin() as tx:
        with pytest.raises(UsageError, match="say why"):
            hold(tx, case, ANNA, "  ", NOON)
        with pytest.raises(UsageError, match="not on hold"):
            release(tx, case, ANNA, "", NOON)
        hold(tx, case, ANNA, "matter 17", NOON)
        with pytest.raises(UsageError, match="already"):
            hold(tx, case, ANNA, "matter 18", NOON)


def test_a_hold_goes_with_a_case_that_is_merged(world: World) -> None:
    kept, gone = world.case("thief.example"), world.case("thief.test")
    with world.store.begin() as tx:
        hold(tx, gone, ANNA, "matter 17", NOON)
        tx.cases.absorb(kept, gone.id)
        found = tx.holds.list()
    assert [(one.case_id, one.note) for one in found] == [(kept.id, "matter 17")]


@pytest.mark.parametrize(
    ("state", "age", "goes"),
    [
        (CaseState.CLOSED, timedelta(days=400), True),
        (CaseState.RESOLVED, timedelta(days=400), True),
        (CaseState.CLOSED, timedelta(days=300), False),
        (CaseState.DISMISSED, timedelta(days=400), False),
        (CaseState.OPEN, timedelta(days=4000), False),
    ],
)
def test_evidence_ages_by_the_state_of_its_case(world: World, state: CaseState, age: timedelta, goes: bool) -> None:
    case = world.case("thief.example", state)
    assert delete_aged(world.store, world.vault, KeptFor(closed=YEAR), NOON + age) == int(goes)
    with world.store.read() as tx:
        traces = tx.deletions.of_case(case.id)
    assert [trace.reason for trace in traces] == [DeletionReason.AGE] * goes
    assert not any(goes and world.vault.holds(file.sha256) for trace in traces for file in trace.files)


def test_disk_usage_counts_by_case_and_kind(world: World) -> None:
    case, _ = world.case("thief.example"), world.case("other.example")
    with world.store.begin() as tx:
        hold(tx, case, ANNA, "matter 17", NOON)
    with world.store.read() as tx:
        found = usage(tx, world.vault)
    (mine,) = (one for one in found.cases if one.case_id == case.id)
    assert mine.is_held
    assert mine.files == 3
    assert mine.captured_bytes == 20
    assert mine.scanned_bytes == len(b"picture of thief.example") + len(b"page of thief.example")
    assert dict(found.kinds)["page.wacz"] == 40
    assert found.on_disk == world.vault.used_bytes()
