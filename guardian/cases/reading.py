"""Reads a case with all that is shown of it, for the command line and for web pages alike."""

from guardian.errors import UsageError
from guardian.model import Case
from guardian.store import Transaction
from guardian.views.cases import CaseDetail


def case_starting_with(tx: Transaction, start: str) -> Case:
    """Return the only case whose id begins with `start`, which may lack "case_".

    Raises UsageError when there is no such case, or more than one.
    """
    found = tx.cases.starting_with(start if start.startswith("case_") else f"case_{start}")
    if not found:
        raise UsageError(f"there is no case {start}; `guardian case list` shows them")
    if len(found) > 1:
        raise UsageError(f"{len(found)} cases start with {start}: {', '.join(case.id for case in found[:5])}")
    return found[0]


def case_detail(tx: Transaction, case: Case) -> CaseDetail:
    """Return a case with its asset, its findings, every version of the bytes seen at each of them, and its history."""
    findings = tx.findings.list(case.id)

    return CaseDetail(
        case=case,
        asset=tx.assets.get(case.asset_id),
        findings=findings,
        history=tx.cases.history(case.id),
        versions=tx.versions.of_all([finding.id for finding in findings]),
    )
