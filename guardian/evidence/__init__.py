"""Evidence: the exact bytes behind findings, kept under their digest, durable, within a limit of size."""

from guardian.errors import VaultFull
from guardian.evidence.http_records import keep_response, records_of
from guardian.evidence.pruning import remove_needless, with_room
from guardian.evidence.vault import Vault

__all__ = ["Vault", "VaultFull", "keep_response", "records_of", "remove_needless", "with_room"]
