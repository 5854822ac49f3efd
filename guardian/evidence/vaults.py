"""Opens the vaults of a data folder. Which folder keeps what is said here alone; docs/operations.md tells people."""

import sys
from pathlib import Path

from guardian.evidence.settings import EvidenceSettings
from guardian.evidence.vault import Vault


def evidence_in(data_dir: Path, settings: EvidenceSettings) -> Vault:
    """Return the vault of the exact bytes behind findings, which alone has a limit."""
    return Vault(data_dir / "evidence", settings.max_bytes)


def originals_in(data_dir: Path) -> Vault:
    """Return the vault of the owner's own pictures."""
    return Vault(data_dir / "originals", sys.maxsize)


def proofs_in(data_dir: Path) -> Vault:
    """Return the vault of the proofs of licences."""
    return Vault(data_dir / "proofs", sys.maxsize)


def notice_copies_in(data_dir: Path) -> Vault:
    """Return the vault of copies of notices as they were sent."""
    return Vault(data_dir / "notices", sys.maxsize)


def search_pictures_in(data_dir: Path) -> Vault:
    """Return the vault of the pictures that named searches ask with."""
    return Vault(data_dir / "searches", sys.maxsize)
