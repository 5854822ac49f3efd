"""Tells destinations about a source in trouble: once for each episode, by the same durable queue as alerts."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from guardian.coverage.coverage import Coverage, Trouble
from guardian.model import Message, Scan
from guardian.outbox import enqueue_once, mint
from guardian.store import Transaction

_LONGEST_ERROR = 1_000


def tell_of_trouble(tx: Transaction, found: Sequence[Coverage], destinations: Sequence[str], now: datetime) -> int:
    """Owe one message to each destination for each episode of trouble; return how many destinations hear of it anew."""
    told = 0
    for coverage in found:
        if coverage.trouble is None:
            continue
        episode = episode_of(coverage.source, coverage.trouble)
        told += enqueue_once(tx, compose(coverage, now), destinations, episode)
    return told


def episode_of(source: str, trouble: Trouble) -> str:
    """Return what tells one episode of trouble from all others.

    Migration 0003 relies on this form to know which episodes an earlier version has told of.
    """
    return hashlib.sha256(f"{source}:{trouble.kind}:{trouble.since_scan}".encode()).hexdigest()[:24]


def compose(coverage: Coverage, now: datetime) -> Message:
    """Return a new message, of type source.failing, source.silent or source.shrinking. Well under 20 kB."""
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
    return mint(f"source.{trouble.kind.value}", data, now)


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
