"""Keeps the exact bytes behind findings: content-addressed, durable, within a cap."""

from guardian.errors import VaultFull
from guardian.evidence.http_records import keep_response, records_of
from guardian.evidence.vault import Vault

__all__ = ["Vault", "VaultFull", "keep_response", "records_of"]
