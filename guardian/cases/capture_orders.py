"""Owes captures: a durable task for each use that is to be captured as proof. The package `evidence` takes them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from guardian.model import (
    ACTIONS_BY_STRENGTH,
    PURSUED_STATES,
    SEVERITIES_BY_STRENGTH,
    Actor,
    CaptureOrder,
    CaptureReason,
    Case,
    EvidenceCapture,
    Finding,
    FindingDigest,
    Importance,
    Task,
    TaskKind,
)
from guardian.store import Transaction
from guardian.store.ids import new_id

_REPEATED_AFTER = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
"""How long to wait before a use is captured again, after this machine was too busy or out of memory for a part."""


def owe_captures(
    tx: Transaction, before: Case, known: Finding | None, finding: Finding, version: FindingDigest | None
) -> None:
    """Owe the capture that a sighting calls for, if it calls for one.

    That is the first of a case, one that opens the case again, one of a use that was gone and is back, and one that
    shows something else than before at the strongest use of the case, at most once a day. `before` is the case and
    `known` the finding as they were until this sighting, `version` the bytes that were seen.
    """
    at, case = finding.last_seen_at, tx.cases.get(before.id)
    if case is None or case.state not in PURSUED_STATES:
        return

    if before.finding_count == 0:
        owe_capture(tx, CaptureOrder(case.id, CaptureReason.OPENED), "first", at)
    elif known is not None and known.is_absent:
        order = CaptureOrder(case.id, CaptureReason.RETURNED, finding.id)
        owe_capture(tx, order, f"{finding.id} {known.first_missed_at}", at)
    elif before.state not in PURSUED_STATES:
        owe_capture(tx, CaptureOrder(case.id, CaptureReason.OPENED, finding.id), f"again {at}", at)
    elif _is_news(version, at) and strongest(tx.findings.list(case.id)).id == finding.id:
        # A page that never looks the same twice is not captured at each scan.
        order = CaptureOrder(case.id, CaptureReason.CHANGED, finding.id)
        owe_capture(tx, order, f"{finding.id} {at:%Y-%m-%d}", at)


def owe_capture(
    tx: Transaction, order: CaptureOrder, occasion: str, at: datetime, pause: timedelta = timedelta()
) -> Task | None:
    """Owe a capture, after a pause; return its task, None when one is owed for this occasion of the case already.

    `occasion` tells apart what happens to one case: it is captured once for each.
    """
    body = {
        "case": order.case_id,
        "finding": order.finding_id,
        "reason": order.reason.value,
        "asked_by": order.asked_by,
        "repeats": order.repeats,
    }
    return tx.tasks.add(
        TaskKind.CAPTURE,
        f"{order.case_id} {order.reason} {occasion}",
        json.dumps(body).encode(),
        due_at=at + pause,
        at=at,
        # One capture of a case at a time, whichever processes there are.
        destination=order.case_id,
    )


def owe_again(tx: Transaction, order: CaptureOrder, captured: EvidenceCapture, at: datetime) -> None:
    """Owe a capture once more of which this machine failed to take a part; after the third time it stays as it is.

    What was captured stays. A use that is gone by then has its earlier captures.
    """
    if order.repeats < len(_REPEATED_AFTER):
        again = replace(order, finding_id=captured.finding_id, repeats=order.repeats + 1)
        owe_capture(tx, again, f"repeated after {captured.id}", at, _REPEATED_AFTER[order.repeats])


def ask_for_capture(tx: Transaction, case_id: str, by: Actor, at: datetime) -> Task:
    """Owe the capture of a case that somebody asks for, and write who did; return its task.

    One that somebody has asked for and that is still owed is the answer to all who ask meanwhile; if it waits to be
    tried again, it is due at once.
    """
    # Two who ask at the same moment do so one after the other.
    tx.cases.lock(case_id)
    for owed in tx.tasks.owed(TaskKind.CAPTURE, case_id):
        if order_of(owed).reason is CaptureReason.ASKED:
            tx.tasks.hurry(owed.id, at)
            return owed

    order = CaptureOrder(case_id, CaptureReason.ASKED, asked_by=by.name)
    task = owe_capture(tx, order, new_id("ask"), at)
    if task is None:
        raise LookupError("a new occasion was captured before")
    tx.audit.add(by, "evidence.capture_asked", case_id, at)
    return task


def captures_owed(tx: Transaction, case_id: str) -> set[CaptureReason]:
    """Return why captures of a case are still to be taken."""
    return {order_of(task).reason for task in tx.tasks.owed(TaskKind.CAPTURE, case_id)}


def strongest(findings: Sequence[Finding]) -> Finding:
    """Return the strongest finding: one that is still there before those that are gone, the one last seen of equals.

    Raises ValueError when there is none.
    """
    return max(
        findings,
        key=lambda finding: (
            not finding.is_absent,
            ACTIONS_BY_STRENGTH.index(finding.decision.action),
            SEVERITIES_BY_STRENGTH.index(finding.decision.severity),
            finding.comparison.probability,
            finding.last_seen_at,
            finding.id,
        ),
    )


def _is_news(version: FindingDigest | None, at: datetime) -> bool:
    """Return whether a version of the bytes was seen for the first time, and shows something else than before."""
    return version is not None and version.importance is Importance.CHANGED and version.first_seen_at == at


def order_of(task: Task) -> CaptureOrder:
    """Return what a task of the kind `capture` asks for."""
    body = json.loads(task.body or b"{}")
    # Tasks of earlier versions were never repeated.
    repeats = body.get("repeats", 0)
    return CaptureOrder(body["case"], CaptureReason(body["reason"]), body["finding"], body["asked_by"], repeats)
