"""Writes down what a recheck has shown, and lets its case follow: gone, moved, or back."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from guardian.cases.capture_orders import captures_owed, owe_capture
from guardian.cases.recording import note_gone
from guardian.model import SETTLED_STATES, CaptureOrder, CaptureReason, Case, CaseEvent, CaseState
from guardian.model.notices import Recheck, RecheckOutcome
from guardian.store import Transaction
from guardian.views.notices import look_text, recheck_text

MOVED_LINE, BACK_LINE = "relocated", "returned"
"""The kinds of the lines that open a case again."""

_OPENED_AGAIN = {RecheckOutcome.MOVED: MOVED_LINE, RecheckOutcome.BACK: BACK_LINE}
_IS_UP = (RecheckOutcome.THERE, RecheckOutcome.PARTLY)
"""What a recheck may find of a case that is gone by a scan: the pages do not show the picture, its file is there."""

_ENDED_BY_NEWS = (CaseState.NOTICE_SENT, CaseState.GONE, *SETTLED_STATES)
_MOST_LINKED = 20

log = structlog.get_logger(__name__)


def settle_recheck(tx: Transaction, recheck: Recheck, gone: Sequence[str], earlier: Sequence[Recheck]) -> None:
    """Write a recheck; mark the findings that are gone; let the case follow, with captures as proof.

    `gone` are the ids of findings that are gone. `earlier`: the rechecks before, oldest first. A case all of whose
    uses are gone becomes `gone`; one whose picture moved or is back, or is up although a scan called the case gone, is
    open again, and its history names the captures from before. The same outcome again is no news and leaves no line.
    """
    tx.notices.add_recheck(recheck)
    # The case before its findings, as whoever records a use locks them.
    case = tx.cases.lock(recheck.case_id)
    tx.findings.lose(gone, recheck.at)
    if case is None:
        return
    outcome = recheck.outcome
    is_news = outcome is not _last_told(outcome, earlier)

    if outcome in _OPENED_AGAIN or (outcome in _IS_UP and case.state is CaseState.GONE):
        _open_again(tx, case, recheck, is_news=is_news)
    elif is_news:
        text = recheck_text(recheck)
        tx.case_history.note(CaseEvent(case.id, recheck.at, "rechecked", note=text, detail=recheck.id), disturbs=False)
    if outcome is RecheckOutcome.GONE and is_news:
        order = CaptureOrder(case.id, CaptureReason.ABSENCE, gone[0] if gone else None)
        owe_capture(tx, order, recheck.id, recheck.at)
    if outcome is not RecheckOutcome.MOVED:
        note_gone(tx, gone, recheck.at)
    log.info("case_rechecked", case=case.id, recheck=recheck.id, outcome=outcome.value)


def _last_told(outcome: RecheckOutcome, earlier: Sequence[Recheck]) -> RecheckOutcome | None:
    """Return the earlier outcome that this one is compared with; None when there is none.

    Looks between that could not tell take nothing back: what is gone before and after them is no news.
    """
    is_unclear = outcome is RecheckOutcome.UNCLEAR
    told = [one.outcome for one in earlier if is_unclear or one.outcome is not RecheckOutcome.UNCLEAR]
    return told[-1] if told else None


def _open_again(tx: Transaction, case: Case, recheck: Recheck, *, is_news: bool) -> None:
    """Open a case again whose picture moved, is back or was never wholly gone, and have it captured as it is now."""
    is_ended = case.state in _ENDED_BY_NEWS
    if not is_news and not is_ended:
        return
    kind = _OPENED_AGAIN.get(recheck.outcome, BACK_LINE)
    tx.case_history.note(CaseEvent(case.id, recheck.at, kind, note=_with_captures(tx, recheck), detail=recheck.id))
    # What the look found on a page was recorded as by a scan, which may have owed this very capture already.
    if CaptureReason.RETURNED not in captures_owed(tx, case.id):
        owe_capture(tx, CaptureOrder(case.id, CaptureReason.RETURNED, _found(recheck)), recheck.id, recheck.at)
    if is_ended:
        tx.cases.update(replace(case, state=CaseState.OPEN, updated_at=recheck.at))


def _found(recheck: Recheck) -> str | None:
    """Return the finding at which the picture was found, where one is known."""
    looks = recheck.elsewhere if recheck.outcome is RecheckOutcome.MOVED else recheck.places
    return next((look.finding_id for look in looks if look.finding_id is not None and look.state == "there"), None)


def _with_captures(tx: Transaction, recheck: Recheck) -> str:
    looks = recheck.elsewhere if recheck.outcome is RecheckOutcome.MOVED else recheck.places
    seen = "; ".join(look_text(look) for look in looks if look.state == "there")
    captures = [one.id for one in tx.evidence.of_case(recheck.case_id)][-_MOST_LINKED:]
    linked = f"; captured before: {', '.join(captures)}" if captures else ""
    return f"{recheck_text(recheck)}: {seen[:2000]}{linked}"
