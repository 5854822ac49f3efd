"""Joins and splits works: what their cases and findings become. Nobody is told of either."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from guardian.cases.recording import rank
from guardian.errors import UsageError
from guardian.model import (
    ACTIONS_BY_STRENGTH,
    SEVERITIES_BY_STRENGTH,
    Case,
    CaseEvent,
    CaseState,
    CommercialSign,
    Finding,
    Work,
)
from guardian.store import Transaction
from guardian.views.counting import counted

_BY_ATTENTION = (
    CaseState.DISMISSED,
    CaseState.LICENSED,
    CaseState.GONE,
    CaseState.CLOSED,
    CaseState.RESOLVED,
    CaseState.OPEN,
    CaseState.CONFIRMED,
    CaseState.NOTICE_SENT,
)
"""States from the one that asks for least to the one that asks for most."""

log = structlog.get_logger(__name__)


def join_works(tx: Transaction, kept: Work, gone: Work, *, by: str | None, at: datetime) -> Work:
    """Make the assets of one work part of another; return the work of both. `by` is None for the matcher.

    Two cases of one operator become one: it has the id of the one that was opened first, the findings and histories
    of both, the stronger action and severity, and of the two states the one that asks for more attention (notice
    sent, confirmed, open, resolved, closed, gone, licensed, dismissed): a person may have dismissed the one because of
    the other. The id of the other case, and of the work, lead on. Findings at one place are merged.
    """
    if by is not None:
        tx.works.reunite([asset.id for asset in (*kept.assets, *gone.assets)])
    # The assets first: whoever records a use of one of them meanwhile waits, and then finds the work of both.
    tx.works.move([asset.id for asset in gone.assets], kept.id)
    tx.works.lead_on(gone.id, kept.id)

    of_operator = {case.operator: case for case in tx.cases.of_work(kept.id)}
    for case in tx.cases.of_work(gone.id):
        same = of_operator.get(case.operator)
        if same is None:
            tx.cases.move(case.id, kept.id, case.asset_id)
        else:
            _merge(tx, same, case, by=by, at=at)
    tx.findings.join_work(gone.id, kept.id)
    tx.lookalikes.join_work(gone.id, kept.id)

    log.info("works_joined", work=kept.id, joined=gone.id, by=by or "matcher")
    return _work(tx, kept.id)


def split_work(
    tx: Transaction, work: Work, asset_ids: Sequence[str], *, by: str, note: str | None, at: datetime
) -> Work:
    """Take assets out of their work, to be a new one together; return it. No automatism joins the two again.

    Findings go with the asset that they matched. A case all of whose findings go, goes with them; one of which some
    stay is divided: what goes is a new case in the same state, about which as much was told as about the other.

    Raises UsageError unless `asset_ids` are some of the work's assets, and not all.
    """
    going = set(asset_ids)
    staying = [asset.id for asset in work.assets if asset.id not in going]
    if not going or not going < {asset.id for asset in work.assets}:
        raise UsageError("a split takes some of a work's assets, not all of them")

    new_id = tx.works.move(going)
    tx.works.part(going, staying, at=at, by=by, note=note)
    for case in tx.cases.of_work(work.id):
        _split(tx, case, going, new_id, by=by, at=at)
    # What is left are findings without a case.
    for finding in tx.findings.of_work(work.id):
        if finding.asset_id in going:
            tx.findings.move(finding.id, new_id, finding.case_id)

    log.info("work_split", work=work.id, new=new_id, by=by)
    return _work(tx, new_id)


def _merge(tx: Transaction, of_kept: Case, of_gone: Case, *, by: str | None, at: datetime) -> None:
    """Merge two cases of one operator into the one that was opened first, of whichever work that is."""
    kept, gone = sorted((of_kept, of_gone), key=lambda case: (case.opened_at, case.id))
    found = [*tx.findings.list(kept.id), *tx.findings.list(gone.id)]

    note = f"{gone.id} ({gone.state.value}) is part of this case now: both are about one work"
    tx.case_history.note(CaseEvent(kept.id, at, "merged", by=by, note=note))
    as_one = replace(_as_decided(kept, gone), work_id=of_kept.work_id, asset_id=_best(found, kept.asset_id))
    merged = tx.cases.absorb(as_one, gone.id)

    shares = [share for share in (kept.share_used, gone.share_used) if share is not None]
    signs = tuple(sign for sign in CommercialSign if sign in (*kept.commercial, *gone.commercial))
    sure = [sure for sure in (kept.confidence, gone.confidence) if sure is not None]
    share, confidence = max(shares, default=None), max(sure, default=None)
    tx.cases.rank(replace(merged, share_used=share, commercial=signs, confidence=confidence))
    rank(tx, merged.id)


def _as_decided(kept: Case, gone: Case) -> Case:
    """Return a case with what was decided and told of it and of another."""
    # The state that asks for most counts; of two equal ones the decision that was made last.
    ranked = sorted((kept, gone), key=lambda case: (_BY_ATTENTION.index(case.state), case.updated_at))
    decided = ranked[-1]
    # Nobody has to act on a licensed case: then the other one does not raise its action or severity.
    asking = (decided,) if decided.state is CaseState.LICENSED else (kept, gone)
    return replace(
        kept,
        state=decided.state,
        reason=decided.reason,
        reviewed_by=decided.reviewed_by,
        review_note=decided.review_note,
        assignee=decided.assignee or kept.assignee or gone.assignee,
        labels=tuple(dict.fromkeys([*kept.labels, *gone.labels])),
        due_on=min(filter(None, (kept.due_on, gone.due_on)), default=None),
        untold=decided.untold,
        licence_id=decided.licence_id,
        licensed_since=decided.licensed_since,
        action=max((case.action for case in asking), key=ACTIONS_BY_STRENGTH.index),
        severity=max((case.severity for case in asking), key=SEVERITIES_BY_STRENGTH.index),
        updated_at=max(kept.updated_at, gone.updated_at),
        alerted_at=max(filter(None, (kept.alerted_at, gone.alerted_at)), default=None),
        message_count=kept.message_count + gone.message_count,
    )


def _split(tx: Transaction, case: Case, going: set[str], new_work: str, *, by: str, at: datetime) -> None:
    """Give a case to the work that its findings are of, or divide it between the two."""
    found = tx.findings.list(case.id)
    leaving = [finding for finding in found if finding.asset_id in going]
    staying = [finding for finding in found if finding.asset_id not in going]
    names_one_that_goes = case.asset_id in going

    goes_whole = names_one_that_goes if not found else not staying
    if goes_whole:
        tx.cases.move(case.id, new_work, case.asset_id if names_one_that_goes else _best(leaving, case.asset_id))
        for finding in leaving:
            tx.findings.move(finding.id, new_work, case.id)
        return

    if names_one_that_goes:
        tx.cases.move(case.id, case.work_id, _best(staying, case.asset_id))
    if not leaving:
        return

    asset_id = _best(leaving, case.asset_id)
    new, _ = tx.cases.insert(asset_id, case.operator, case.action, case.severity, case.opened_at)
    # As much was told of it as of the case that it was part of, so nothing is told again.
    tx.cases.update(replace(case, id=new.id, updated_at=at))
    for finding in leaving:
        tx.findings.move(finding.id, new_work, new.id)
    tx.evidence.move([finding.id for finding in leaving], new.id)
    tx.holds.spread(case.id, new.id)
    # What was known of the use of the whole is what is known of both parts, until they are seen again.
    tx.cases.rank(replace(case, id=new.id))
    rank(tx, new.id)
    rank(tx, case.id)
    for of, note in (
        (case.id, f"{counted(len(leaving), 'finding')} moved to {new.id}"),
        (new.id, f"was part of {case.id}"),
    ):
        tx.case_history.note(CaseEvent(of, at, "split", by=by, note=f"{note}: the two are different works"))


def _best(findings: Sequence[Finding], otherwise: str) -> str:
    """Return the asset of the finding that matches best, `otherwise` without findings."""
    best = max(findings, key=lambda finding: finding.comparison.probability, default=None)
    return otherwise if best is None else best.asset_id


def _work(tx: Transaction, id_: str) -> Work:
    work = tx.works.get(id_)
    if work is None:
        raise LookupError(f"a work that was just written is gone: {id_}")
    return work
