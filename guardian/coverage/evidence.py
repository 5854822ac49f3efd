"""Reads how much of the space for evidence is used, so that people are warned before it is full."""

import structlog

from guardian.evidence import Vault
from guardian.model import EvidenceRoom
from guardian.store import Transaction

log = structlog.get_logger(__name__)


def evidence_room(tx: Transaction, vault: Vault) -> EvidenceRoom | None:
    """Return how much evidence this data folder holds; None when its folder cannot be read by this user."""
    try:
        used = vault.used_bytes()
    except OSError as error:
        log.warning("evidence_not_counted", reason=str(error))
        return None
    return EvidenceRoom(used, vault.max_bytes, tx.versions.counts())
