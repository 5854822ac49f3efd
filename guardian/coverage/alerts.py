"""Sends messages about sources in trouble: one for each episode, through the same durable queue as alerts."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from guardian.model import Coverage, Message, Trouble
from guardian.outbox import enqueue_once, mint
from guardian.store import Transaction
from guardian.views.messages import message_trouble


def tell_of_trouble(tx: Transaction, found: Sequence[Coverage], destinations: Sequence[str], now: datetime) -> int:
    """Enqueue one message to each destination for each episode of trouble; return how many are newly enqueued."""
    told = 0
    for coverage in found:
        if coverage.trouble is None:
            continue

        episode = episode_of(coverage.source, coverage.trouble)
        told += enqueue_once(tx, compose(coverage, now), destinations, episode)

    return told


def episode_of(source: str, trouble: Trouble) -> str:
    """Return a key (24 hex digits) of one episode of trouble: same source, same kind, same last good scan.

    Migration 0003 relies on this form to know of which episodes an earlier version has sent messages.
    """
    return hashlib.sha256(f"{source}:{trouble.kind}:{trouble.since_scan}".encode()).hexdigest()[:24]


def compose(coverage: Coverage, now: datetime) -> Message:
    """Return a new message of type source.failing, source.silent or source.shrinking, well under 20 kB.

    Raises ValueError when the source is not in trouble.
    """
    trouble = coverage.trouble
    if trouble is None:
        raise ValueError("there is no trouble to tell of")
    return mint(f"source.{trouble.kind.value}", message_trouble(coverage, trouble), now)
