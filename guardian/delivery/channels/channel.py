"""The interface of all channels."""

from typing import Protocol

from guardian.model import Message


class Channel(Protocol):
    """The way to one destination. It knows nothing of queues, leases and attempts."""

    def require_secrets(self) -> None:
        """Raise UsageError when a secret that it needs is missing or malformed."""

    async def send(self, message: Message) -> None:
        """Send a message and return when it was accepted. Raises DeliveryFailed."""
