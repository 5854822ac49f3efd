"""Tells destinations about a source in trouble: once for each episode, by the same durable queue as alerts."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from guardian.model import Coverage, Scan, TaskKind
from guardian.store import Transaction

_LONGEST_ERROR = 1_000


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
    data = {
        "source": coverage.source,
        "detail": trouble.detail[:_LONGEST_ERROR],
        "last_scan": _scan(coverage.last),
        "last_complete_scan": _scan(coverage.last_complete),
        "images": coverage.images,
        "usual_images": coverage.usual_images,
        "not_seen": dict(list(coverage.not_seen.items())[:50]),
    }
    event = {"type": f"source.{trouble.kind.value}", "timestamp": _moment(now), "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _scan(scan: Scan | None) -> dict[str, Any] | None:
    if scan is None:
        return None
    return {
        "started_at": _moment(scan.started_at),
        "ended_at": _moment(scan.ended_at) if scan.ended_at else None,
        "outcome": scan.outcome,
        "error": scan.error[:_LONGEST_ERROR] if scan.error else None,
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
