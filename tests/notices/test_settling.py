"""What a recheck has shown, and how its case follows."""

import pytest

from guardian.cases.recording import note_gone
from guardian.model import CaseState, TaskKind
from guardian.model.notices import PlaceLook, PlaceState, Recheck, RecheckOutcome
from guardian.notices.settling import settle_recheck
from tests.notices.conftest import NOON, Bench


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(RecheckOutcome.THERE, CaseState.OPEN), (RecheckOutcome.UNCLEAR, CaseState.GONE)],
)
def test_a_case_that_a_scan_called_gone_is_open_again_while_its_file_is_up(
    bench: Bench, outcome: RecheckOutcome, state: CaseState
) -> None:
    case_id = bench.used("https://thief.example/1")
    up = PlaceState.THERE if outcome is RecheckOutcome.THERE else PlaceState.UNCLEAR
    with bench.store.begin() as tx:
        (finding,) = tx.findings.list(case_id)
        tx.findings.lose([finding.id], NOON)
        (gone,) = note_gone(tx, [finding.id], NOON)
        assert gone.state is CaseState.GONE
        look = PlaceLook(finding.page_url, finding.image_url, up, "the same file", finding.id)
        settle_recheck(tx, Recheck("recheck_1", case_id, None, None, NOON, outcome, (look,), asked_by="jo"), [], [])
        case = tx.cases.get(case_id)
        owed = [task.key.split()[1] for task in tx.tasks.list(TaskKind.CAPTURE)]
        kinds = [line.kind for line in tx.case_history.of(case_id)]
    assert case is not None
    assert case.state is state
    assert ("returned" in owed, "returned" in kinds) == (state is CaseState.OPEN,) * 2


def test_looks_that_could_not_tell_are_one_line_until_another_outcome(bench: Bench) -> None:
    case_id = bench.used("https://thief.example/1")
    earlier: list[Recheck] = []
    with bench.store.begin() as tx:
        for number, outcome in enumerate([RecheckOutcome.UNCLEAR, RecheckOutcome.UNCLEAR, RecheckOutcome.UNCLEAR]):
            look = PlaceLook("https://thief.example/1", None, PlaceState.UNCLEAR, "timed out")
            recheck = Recheck(f"recheck_{number}", case_id, None, None, NOON, outcome, (look,), asked_by="jo")
            settle_recheck(tx, recheck, [], earlier)
            earlier.append(recheck)
        kinds = [line.kind for line in tx.case_history.of(case_id)]
    assert kinds.count("rechecked") == 1
