"""Writes the progress of a crawl to the frontier. A Checkpoint is plain data, so any process may do it."""

from guardian.model import Checkpoint
from guardian.store import Transaction


def settle(tx: Transaction, checkpoint: Checkpoint) -> None:
    """Mark the visits of this checkpoint as done; everything yielded before it must have been answered.

    Call it in the transaction that also writes the counts of the scan, so that a crash makes no page count twice.
    """
    for row_id, outcome in checkpoint.visited:
        tx.frontier.done(row_id, outcome)
    if checkpoint.is_finished:
        tx.frontier.clear(checkpoint.source)
