"""Keeps what was sent, byte by byte, beside the notice that says so.

A copy is on disk before the notice says that it was sent, so a process that ends between the two leaves a file that no
notice names. That file proves nothing; whoever keeps the next copy removes it.
"""

import time
from datetime import timedelta

import structlog

from guardian.disk_errors import disk_error_text
from guardian.errors import UsageError
from guardian.evidence import Vault
from guardian.model.notices import Notice, NoticeStep
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


def sent_copy(notice: Notice, copies: Vault) -> tuple[str, bytes]:
    """Return the digest and the bytes of what was sent. Raises UsageError when nothing was.

    Raises GuardianError when the copy is lost or damaged, or lies in the data folder of another machine.
    """
    sent = notice.last(NoticeStep.SENT)
    if sent is None or "copy_sha256" not in sent.detail:
        raise UsageError(f"{notice.id} was not sent, so there is no copy of what was")
    digest = sent.detail["copy_sha256"]
    return digest, copies.get(digest)


def _remove_left_behind(tx: Transaction, copies: Vault, new: str) -> None:
    """Remove copies that no notice names. What cannot be removed is logged, and stops nothing."""
    named = {*tx.notices.copies(), new}
    before = time.time() - _LEFT_BEHIND_AFTER.total_seconds()
    for path in copies.folder.glob("??/*"):
        try:
            if path.name in named or path.stat().st_mtime > before:
                continue
            copies.remove_at(path)
        except OSError as error:
            log.warning("unrecorded_copy_not_removed", path=str(path), reason=disk_error_text(error))
            continue
        log.info("unrecorded_copy_removed", path=str(path))
