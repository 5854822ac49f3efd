"""Tells destinations about a source in trouble: once for each episode, by the same durable queue as alerts."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from guardian.model import Coverage, TaskKind
from guardian.store import Transaction
from guardian.views.messages import message_trouble
from guardian.views.timestamps import message_timestamp


def tell_of_trouble(tx: Transaction, found: Sequence[Coverage], destinations: Sequence[str], now: datetime) -> int:
    """Queue one message for each destination and each new episode of trouble; returns how many are new."""
    told = 0
    for coverage in found:
        if coverage.trouble is None:
            continue
        name = f"{coverage.source}:{coverage.trouble.kind}:{coverage.trouble.since_scan}"
        message_id = "msg_" + hashlib.sha256(name.encode()).hexdigest()[:24]
        body = compose(coverage, now)
        for destination in destinations:
            key = f"{message_id}:{destination}"
            task = tx.tasks.add(TaskKind.DELIVER, key, body, due_at=now, at=now, destination=destination)
            told += task is not None
    return told


def compose(coverage: Coverage, now: datetime) -> bytes:
    """The body of one message: type source.failing, source.silent or source.shrinking. Well under 20 kB."""
    trouble = coverage.trouble
    if trouble is None:
        raise ValueError("there is no trouble to tell of")
    event = {
        "type": f"source.{trouble.kind.value}",
        "timestamp": message_timestamp(now),
        "data": message_trouble(coverage, trouble),
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
