"""Keeps what was sent, byte by byte, beside the notice that says so.

A copy is on disk before the notice says that it was sent, so a process that ends between the two leaves a file that no
notice names. That file proves nothing; whoever keeps the next copy removes it.
"""

import time
from datetime import timedelta

import structlog

from guardian.evidence import Vault
from guardian.store import Transaction

_LEFT_BEHIND_AFTER = timedelta(hours=1)
"""How old a copy is that no notice names before it counts as left behind; another process may be writing its notice."""

log = structlog.get_logger(__name__)


def keep_copy(tx: Transaction, copies: Vault, content: bytes) -> str:
    """Keep what was sent, and return its SHA-256, which the caller writes down in the same transaction.

    Raises VaultFull when the disk is full, OSError when the folder cannot be written.
    """
    digest = copies.keep(content)
    _remove_left_behind(tx, copies, digest)
    return digest


def _remove_left_behind(tx: Transaction, copies: Vault, new: str) -> None:
    """Remove copies that no notice names."""
    named = tx.notices.copies() | {new}
    before = time.time() - _LEFT_BEHIND_AFTER.total_seconds()
    for path in copies.folder.glob("??/*"):
        if path.name in named or path.stat().st_mtime > before:
            continue
        copies.remove_at(path)
        log.info("unrecorded_copy_removed", path=str(path))
