"""A message to destinations."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message, minted once (guardian/outbox.py) and the same for every destination and at every attempt.

    `id` is what receivers get as webhook-id. `type` is one of those in message.schema.json. `body` are the final
    bytes: JSON whose `timestamp` is `created_at`.
    """

    id: str
    type: str
    created_at: datetime
    body: bytes = field(repr=False)
