"""Settles how far a crawl has come. Any process may: a Checkpoint is plain data."""

from guardian.model import Checkpoint
from guardian.store import Transaction


def settle(tx: Transaction, checkpoint: Checkpoint) -> None:
    """Note that everything that was yielded before this checkpoint has been answered.

    Call it in the transaction that also writes the counts of the scan, so that a page counts once over all crashes.
    """
    for row_id, outcome in checkpoint.visited:
        tx.frontier.done(row_id, outcome)
    if checkpoint.is_finished:
        tx.frontier.clear(checkpoint.source)
