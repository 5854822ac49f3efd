"""One case and one message for each work and operator; joining and splitting works tells nobody."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from guardian.cases import Edit, RecordedUse, decide, join_works, record, split_work
from guardian.errors import UsageError
from guardian.model import Action, Asset, Audience, Case, CaseState, Finding, Severity, TaskKind, Work
from guardian.store import Store

Use = Callable[..., RecordedUse]
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(days=2)


def see(store: Store, *uses: RecordedUse) -> list[Finding]:
    with store.begin() as tx:
        return [record(tx, use, Audience(("legal",))) for use in uses]


def messages(store: Store) -> int:
    with store.read() as tx:
        return len(tx.tasks.list(TaskKind.DELIVER))


def cases_of(store: Store) -> list[Case]:
    with store.read() as tx:
        return tx.cases.list()


def join(store: Store, assets: Sequence[Asset], by: str | None = "ada") -> Work:
    with store.begin() as tx:
        kept, gone = (tx.works.of_asset(asset.id) for asset in assets)
        assert kept is not None
        assert gone is not None
        return join_works(tx, kept, gone, by=by, at=LATER)


def split(store: Store, asset: Asset) -> Work:
    with store.begin() as tx:
        work = tx.works.of_asset(asset.id)
        assert work is not None
        return split_work(tx, work, [asset.id], by="ada", note="another picture", at=LATER)


def probable(use: RecordedUse, asset: Asset, probability: float) -> RecordedUse:
    return replace(use, asset=asset, comparison=replace(use.comparison, probability=probability))


def test_every_asset_begins_as_a_work_of_its_own(store: Store, assets: list[Asset]) -> None:
    with store.read() as tx:
        assert [work.assets for work in tx.works.all()] == [(asset,) for asset in assets]


def test_two_versions_of_a_work_are_one_case_one_finding_and_one_message(
    store: Store, use: Use, assets: list[Asset]
) -> None:
    join(store, assets)
    first, again = see(store, use(asset=assets[0]), probable(use(minutes=5), assets[1], 0.999))
    assert again.id == first.id
    # The finding names the version that matches best now, since the comparison is with that one.
    assert again.asset_id == assets[1].id
    (case,) = cases_of(store)
    assert (case.asset_id, case.finding_count, messages(store)) == (assets[0].id, 1, 1)


def test_another_version_at_a_known_address_does_not_reopen_a_resolved_case(
    store: Store, use: Use, assets: list[Asset]
) -> None:
    join(store, assets)
    (finding,) = see(store, use(asset=assets[0]))
    with store.begin() as tx:
        decide(tx, finding.case_id or "", CaseState.RESOLVED, Edit("ada", NOON))
    see(store, use(asset=assets[1], minutes=60))
    (case,) = cases_of(store)
    assert (case.state, messages(store)) == (CaseState.RESOLVED, 1)


def test_joining_merges_cases_by_operator_and_tells_nobody(store: Store, use: Use, assets: list[Asset]) -> None:
    older, younger, elsewhere = see(
        store,
        use(asset=assets[0]),
        probable(use(minutes=1, severity=Severity.HIGH), assets[1], 0.999),
        use("https://other.example/p", asset=assets[1]),
    )
    told = messages(store)

    work = join(store, assets, by=None)

    assert messages(store) == told
    assert {asset.id for asset in work.assets} == {asset.id for asset in assets}
    with store.read() as tx:
        merged = tx.cases.get(younger.case_id or "")
        (both,) = tx.findings.list(older.case_id)
        assert tx.findings.get(younger.id) == both
        assert tx.works.get(assets[1].work_id) == work
        history = tx.case_history.of(older.case_id or "")
        assert tx.cases.starting_with(younger.case_id or "") == [merged]
    assert merged is not None
    assert (merged.id, merged.severity, merged.message_count) == (older.case_id, Severity.HIGH, 2)
    # The asset that matches best names the case; one place is one finding.
    assert (merged.asset_id, both.asset_id, both.id, merged.finding_count) == (assets[1].id, assets[1].id, older.id, 1)
    assert [event.kind for event in history] == ["opened", "opened", "merged"]
    assert {case.id for case in cases_of(store)} == {older.case_id, elsewhere.case_id}


def test_the_older_case_is_kept_whichever_work_it_is_of(store: Store, use: Use, assets: list[Asset]) -> None:
    with store.begin() as tx:
        third = tx.assets.reserve("d" * 64, title="D", collection="web", path="/d.jpg", size=(8, 6), at=NOON)
        tx.assets.protect([third.number])
    older, _, _ = see(store, *(use(asset=asset, minutes=n) for n, asset in enumerate((third, assets[1], assets[0]))))
    for other in (assets[1], third):
        join(store, (assets[0], other))
    (case,) = cases_of(store)
    assert (case.id, case.work_id, case.finding_count) == (older.case_id, assets[0].work_id, 1)


@pytest.mark.parametrize(
    ("one", "other", "of_both"),
    [
        (CaseState.OPEN, CaseState.DISMISSED, CaseState.OPEN),
        (CaseState.DISMISSED, CaseState.DISMISSED, CaseState.DISMISSED),
        (CaseState.RESOLVED, CaseState.DISMISSED, CaseState.RESOLVED),
        (CaseState.RESOLVED, CaseState.OPEN, CaseState.OPEN),
        (CaseState.DISMISSED, CaseState.CONFIRMED, CaseState.CONFIRMED),
    ],
)
def test_decisions_of_both_cases_are_kept_and_the_one_that_asks_for_more_holds(
    store: Store, use: Use, assets: list[Asset], one: CaseState, other: CaseState, of_both: CaseState
) -> None:
    found = see(store, use(asset=assets[0]), use(asset=assets[1]))
    with store.begin() as tx:
        for finding, state, by in zip(found, (one, other), ("ada", "bob"), strict=True):
            if state is not CaseState.OPEN:
                decide(tx, finding.case_id or "", state, Edit(by, NOON, f"{by} says so"))

    join(store, assets)

    (case,) = cases_of(store)
    with store.read() as tx:
        history = tx.case_history.of(case.id)
    assert case.state is of_both
    decided = [(event.kind, event.note) for event in history if event.by in ("ada", "bob") and event.kind != "merged"]
    assert len(decided) == sum(state is not CaseState.OPEN for state in (one, other))


def test_a_known_use_is_not_told_again_after_joining(store: Store, use: Use, assets: list[Asset]) -> None:
    see(store, use(asset=assets[0], severity=Severity.HIGH), use(asset=assets[1]))
    join(store, assets)
    told = messages(store)
    see(store, use(asset=assets[1], severity=Severity.HIGH, minutes=99), use(asset=assets[0], minutes=100))
    assert messages(store) == told


def test_an_id_of_a_work_leads_on_through_several_joins(store: Store, assets: list[Asset]) -> None:
    with store.begin() as tx:
        third = tx.assets.reserve("d" * 64, title="D", collection="web", path="/d.jpg", size=(8, 6), at=NOON)
        tx.assets.protect([third.number])
    join(store, assets)
    work = join(store, (third, assets[0]))
    with store.read() as tx:
        assert {tx.works.get(id_) for id_ in (assets[0].work_id, assets[1].work_id, third.work_id)} == {work}


def test_splitting_divides_cases_by_the_asset_that_matched_and_tells_nobody(
    store: Store, use: Use, assets: list[Asset]
) -> None:
    join(store, assets)
    mine, theirs, alone = see(
        store,
        use(asset=assets[0]),
        use("https://thief.example/2", asset=assets[1]),
        use("https://other.example/p", asset=assets[1]),
    )
    with store.begin() as tx:
        decide(tx, mine.case_id or "", CaseState.CONFIRMED, Edit("bob", NOON, "sue"))
    told = messages(store)

    new = split(store, assets[1])

    assert [asset.id for asset in new.assets] == [assets[1].id]
    with store.read() as tx:
        kept, whole = tx.cases.get(mine.case_id or ""), tx.cases.get(alone.case_id or "")
        moved = tx.findings.get(theirs.id)
        divided = tx.cases.get(moved.case_id or "") if moved else None
        history = tx.case_history.of(mine.case_id or "")
    assert kept is not None
    assert whole is not None
    assert divided is not None
    assert (kept.asset_id, kept.finding_count) == (assets[0].id, 1)
    assert (divided.work_id, divided.state, divided.reviewed_by) == (new.id, CaseState.CONFIRMED, "bob")
    # A case all of whose findings go, goes itself: its id and history stay.
    assert (whole.work_id, whole.asset_id) == (new.id, assets[1].id)
    assert history[-1].kind == "split"

    see(store, use(asset=assets[0], minutes=9), use("https://thief.example/2", asset=assets[1], minutes=9))
    assert messages(store) == told


def test_what_a_split_work_was_told_of_is_not_told_of_its_other_part(
    store: Store, use: Use, assets: list[Asset]
) -> None:
    join(store, assets)
    (mine,) = see(store, use(asset=assets[0]))
    with store.begin() as tx:
        decide(tx, mine.case_id or "", CaseState.CONFIRMED, Edit("bob", NOON, "sue"))
    split(store, assets[1])

    # The matcher finds both in the picture. Before, only the best of a work was recorded.
    days = 4 * 24 * 60
    also, elsewhere = see(
        store, use(asset=assets[1], minutes=days), use("https://other.example/p", asset=assets[1], minutes=days)
    )
    cases = {case.id: case for case in cases_of(store)}
    assert (cases[also.case_id or ""].state, cases[also.case_id or ""].reviewed_by) == (CaseState.CONFIRMED, "bob")
    assert also.case_id != mine.case_id
    with store.read() as tx:
        (event,) = (line for line in tx.case_history.of(also.case_id or "") if line.kind != "spread")
    assert (event.kind, event.note) == ("split", f"was part of {mine.case_id}: the two are different works")
    # Another operator's use is news.
    assert cases[elsewhere.case_id or ""].state is CaseState.OPEN
    assert messages(store) == 2


def test_a_split_is_remembered_until_a_person_joins_again(store: Store, assets: list[Asset]) -> None:
    join(store, assets)
    split(store, assets[1])
    with store.begin() as tx:
        (parted,) = tx.works.parted_from(assets[0].id)
        # Taking the asset out and adding it again changes nothing of that, nor of its work.
        work = tx.works.of_asset(assets[1].id)
        tx.assets.withdraw(assets[1].id, LATER)
        same = assets[1]
        again = tx.assets.reserve(same.sha256, title="Again", collection="web", path="/x", size=(8, 6), at=LATER)
        assert work is not None
        assert again.work_id == work.id
    assert (parted.by, parted.note, {parted.asset_id, parted.other_id}) == (
        "ada",
        "another picture",
        {asset.id for asset in assets},
    )
    join(store, assets)
    with store.read() as tx:
        assert tx.works.parted_from(assets[0].id) == []


def test_a_split_that_leaves_nothing_is_refused(store: Store, assets: list[Asset]) -> None:
    with pytest.raises(UsageError, match="not all of them"):
        split(store, assets[0])


def test_licensed_uses_without_a_case_are_merged_and_split_too(store: Store, use: Use, assets: list[Asset]) -> None:
    def licensed(asset: Asset, page: str, minutes: int = 0) -> RecordedUse:
        made = use(page, asset=asset, action=Action.IGNORE, minutes=minutes)
        return replace(made, decision=replace(made.decision, record=True))

    page = "https://customer.example/1"
    one, same, other = see(
        store,
        licensed(assets[0], page),
        licensed(assets[1], page, minutes=1),
        licensed(assets[1], "https://customer.example/2"),
    )
    join(store, assets)
    with store.read() as tx:
        assert {finding.id for finding in tx.findings.list()} == {one.id, other.id}
        assert tx.findings.get(same.id) == tx.findings.get(one.id)
    split(store, assets[1])
    with store.read() as tx:
        at = tx.findings.at(assets[1].id, "https://customer.example/2", "https://cdn.example/copy.jpg")
    assert at is not None
    assert at.id == other.id


def test_withdrawing_an_asset_leaves_the_case_of_its_work_alone(store: Store, use: Use, assets: list[Asset]) -> None:
    join(store, assets)
    see(store, use(asset=assets[0]))
    with store.begin() as tx:
        tx.assets.withdraw(assets[0].id, LATER)
    see(store, use("https://thief.example/2", asset=assets[1], minutes=7))
    (case,) = cases_of(store)
    assert (case.asset_id, case.finding_count, messages(store)) == (assets[0].id, 2, 1)
