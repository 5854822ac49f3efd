"""Owes captures: a durable task for each use that is to be captured as proof. The room `evidence` takes them."""

import json
from datetime import datetime

from guardian.model import CaptureOrder, CaptureReason, Task, TaskKind
from guardian.store import Transaction


def owe_capture(tx: Transaction, order: CaptureOrder, occasion: str, at: datetime) -> Task | None:
    """Owe a capture; return its task, None when one is owed for this occasion of the case already.

    `occasion` tells apart what happens to one case: it is captured once for each.
    """
    body = {
        "case": order.case_id,
        "finding": order.finding_id,
        "reason": order.reason.value,
        "asked_by": order.asked_by,
    }
    return tx.tasks.add(
        TaskKind.CAPTURE,
        f"{order.case_id} {order.reason} {occasion}",
        json.dumps(body).encode(),
        due_at=at,
        at=at,
        # One capture of a case at a time, whichever processes there are.
        destination=order.case_id,
    )


def order_of(task: Task) -> CaptureOrder:
    """Return what a task of the kind `capture` asks for."""
    body = json.loads(task.body or b"{}")
    return CaptureOrder(body["case"], CaptureReason(body["reason"]), body["finding"], body["asked_by"])
