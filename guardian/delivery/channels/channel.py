"""The interface of all channels."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from guardian.model import Message


@dataclass(frozen=True, slots=True)
class Picture:
    """A small JPEG that goes with a message, for people to look at."""

    name: str
    content: bytes = field(repr=False)


Pictures = Callable[[Message], Awaitable[Sequence[Picture]]]
"""Finds the pictures of a message."""


async def no_pictures(message: Message) -> Sequence[Picture]:
    """Return none, where there is nothing to take pictures from."""
    return ()


class Channel(Protocol):
    """The way to one destination. It knows nothing of queues, leases and attempts."""

    def require_secrets(self) -> None:
        """Raise UsageError when a secret that it needs is missing or malformed."""

    async def send(self, message: Message) -> None:
        """Send a message and return when it was accepted. Raises DeliveryFailed."""
