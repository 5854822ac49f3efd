"""What is called not mine: which cases close with it, what stays, and how it is undone."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from guardian.cases import Edit, RecordedUse, call_not_mine, decide, join_works, record, undo
from guardian.cases.lookalikes import are_hashes_near, closed_with, pictures_of, possibly_same
from guardian.errors import UsageError
from guardian.model import LOOKALIKE_RULE, Action, Asset, Audience, Case, CaseState, Decision, DismissReason, TaskKind
from guardian.store import Store
from tests.cases.conftest import no_rules

Use = Callable[..., RecordedUse]
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
EDIT = Edit("mara", NOON, "a stock photograph")
THIS, SMALLER, OTHER = "1" * 64, "2" * 64, "3" * 64


def case_of(store: Store, *uses: RecordedUse) -> Case:
    with store.begin() as tx:
        findings = [record(tx, use, Audience(("legal",))) for use in uses]
        case = tx.cases.get(findings[0].case_id or "")
    assert case is not None
    return case


@pytest.fixture
def cases(store: Store, use: Use) -> dict[str, Case]:
    """Cases of one work: the one decided about, one with a smaller version of its picture, others."""

    def at(host: str, sha256: str, hashed: str, number: int = 1) -> RecordedUse:
        return use(f"https://{host}.example/{number}", candidate_sha256=sha256, perceptual_hash=hashed)

    return {
        "this": case_of(store, at("this", THIS, "ffff0000ffff0000")),
        "smaller": case_of(store, at("smaller", SMALLER, "ffff0000ffff0003")),
        "mixed": case_of(store, at("mixed", THIS, "ffff0000ffff0000"), at("mixed", OTHER, "00ff00ff00ff00ff", 2)),
        "other": case_of(store, at("other", OTHER, "00ff00ff00ff00ff")),
        "closed": case_of(store, at("closed", THIS, "ffff0000ffff0000")),
    }


def states(store: Store) -> dict[str, tuple[str, str | None]]:
    with store.read() as tx:
        return {case.operator.split(".")[0]: (case.state.value, case.reason) for case in tx.cases.list()}


def test_only_cases_that_wait_and_show_nothing_else_close_with_it(store: Store, cases: dict[str, Case]) -> None:
    with store.begin() as tx:
        decide(tx, cases["closed"].id, CaseState.CLOSED, EDIT)
        near = possibly_same(tx, cases["this"], pictures_of(tx, cases["this"].id))
        assert set(near) == {THIS, SMALLER}
        would = closed_with(tx, cases["this"], {THIS, SMALLER})
        done = call_not_mine(tx, cases["this"].id, {SMALLER}, EDIT)
    assert [case.id for case in done.closed] == [case.id for case in would] == [cases["smaller"].id]
    assert states(store) == {
        "this": ("dismissed", DismissReason.NOT_MINE),
        "smaller": ("dismissed", DismissReason.LOOK_ALIKE),
        "mixed": ("open", None),
        "other": ("open", None),
        "closed": ("closed", None),
    }
    with store.read() as tx:
        (alike,) = tx.lookalikes.list()
        assert (alike.sha256, alike.perceptual_hash, alike.by) == (THIS, "ffff0000ffff0000", "mara")
        for digest, known in ((THIS, True), (SMALLER, True), (OTHER, False)):
            assert (cases["this"].work_id in tx.lookalikes.with_digest(digest)) is known


def test_undo_takes_all_of_it_back_but_what_was_decided_since(store: Store, use: Use, cases: dict[str, Case]) -> None:
    more = case_of(store, use("https://more.example/", candidate_sha256=THIS))
    with store.begin() as tx:
        closed = call_not_mine(tx, cases["this"].id, {SMALLER}, EDIT).closed
        assert {case.id for case in closed} == {cases[name].id for name in ("smaller", "closed")} | {more.id}
        decide(tx, more.id, CaseState.DISMISSED, EDIT, reason=DismissReason.PERMITTED)
        undo(tx, cases["this"].id, EDIT, no_rules)
        assert tx.lookalikes.list() == []
        assert tx.lookalikes.with_digest(THIS) == {}
    now = states(store)
    assert now.pop("more") == ("dismissed", DismissReason.PERMITTED)
    assert set(now.values()) == {("open", None)}


def test_evidence_by_which_it_is_recognised_stays(store: Store, cases: dict[str, Case]) -> None:
    with store.begin() as tx:
        (picture,) = pictures_of(tx, cases["this"].id)
        assert picture.image_sha256 is not None
        call_not_mine(tx, cases["this"].id, set(), EDIT)
        for version in tx.versions.of(picture.id):
            assert picture.image_sha256 in tx.versions.needed([version.image_sha256 or ""])


def test_a_use_that_turns_out_to_be_one_dismisses_a_case_that_has_nothing_else(store: Store, use: Use) -> None:
    case = case_of(store, use())
    with store.begin() as tx:
        record(tx, use(decision=Decision(Action.IGNORE, LOOKALIKE_RULE, record=True), minutes=5), Audience(("legal",)))
    assert states(store) == {"thief": ("dismissed", DismissReason.LOOK_ALIKE)}
    with store.read() as tx:
        assert [line.kind for line in tx.case_history.of(case.id)] == ["opened", "dismissed"]
        assert len(tx.tasks.list(TaskKind.DELIVER)) == 1


def test_it_is_known_of_a_work_also_after_that_was_joined(store: Store, use: Use, assets: list[Asset]) -> None:
    case = case_of(store, use(candidate_sha256=THIS))
    with store.begin() as tx:
        call_not_mine(tx, case.id, set(), EDIT)
        gone, kept = (tx.works.of_asset(asset.id) for asset in assets)
        assert gone is not None
        assert kept is not None
        work = join_works(tx, kept, gone, by="ada", at=NOON)
        assert tx.lookalikes.with_digest(THIS).keys() == {work.id}
        assert [one.sha256 for one in tx.lookalikes.of_work(assets[1].id)] == [THIS]


def test_a_case_of_many_pictures_is_no_single_mistake(store: Store, use: Use) -> None:
    case = case_of(store, *(use(f"https://a.example/{n}", candidate_sha256=f"{n:064x}") for n in range(51)))
    with pytest.raises(UsageError, match="51 different pictures"), store.begin() as tx:
        call_not_mine(tx, case.id, set(), EDIT)


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [("0" * 16, "0" * 13 + "fff", True), ("0" * 16, "0" * 12 + "1fff", False), (None, None, False)],
)
def test_hashes(one: str | None, other: str | None, near: bool) -> None:
    assert are_hashes_near(one, other) is near
