"""Sends one message to one configured destination, whatever its kind."""

from collections.abc import Callable, Sequence
from datetime import datetime

from guardian.delivery.channels.channel import Pictures, no_pictures
from guardian.delivery.channels.kinds import make_channel
from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import DeliveryFailed, UsageError
from guardian.fetch.trusted import TrustedClient
from guardian.model import Message
from guardian.outbox import mint


class Delivery:
    """The channels to the configured destinations. Knows nothing of queues: see `sending`."""

    def __init__(
        self,
        destinations: Sequence[DestinationSettings],
        settings: DeliverySettings,
        client: TrustedClient,
        secrets: Secrets,
        clock: Callable[[], datetime],
        pictures: Pictures = no_pictures,
    ) -> None:
        self.settings, self._clock = settings, clock
        self._channels = {
            destination.name: make_channel(destination, settings, client, secrets, clock, pictures)
            for destination in destinations
        }
        self._settings_of = {destination.name: destination for destination in destinations}
        self._resting_until: dict[str, datetime] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the destinations, in the order of the configuration."""
        return tuple(self._channels)

    def require_secrets(self) -> None:
        """Raise UsageError when a destination's secret is missing or malformed; called at the start."""
        for channel in self._channels.values():
            channel.require_secrets()

    def is_resting(self, name: str) -> bool:
        """Return whether a destination has quiet hours now, or asked for a pause (Retry-After) that is not over."""
        now, settings = self._clock(), self._settings_of.get(name)
        if settings is not None and settings.quiet_until(now) is not None:
            return True
        until = self._resting_until.get(name)
        # A pause that ends later than any could that begins now was asked for before the clock was put back.
        return until is not None and now < until <= now + self.settings.longest_delay

    async def deliver(self, message: Message, name: str) -> None:
        """Send a message to the destination of this name; return when it was accepted. Raises DeliveryFailed."""
        channel = self._channels.get(name)
        if channel is None:
            raise DeliveryFailed(f"the configuration has no destination {name}", permanent=True)
        try:
            await channel.send(message)
        except DeliveryFailed as failure:
            if failure.retry_after is not None:
                # The pause concerns the receiver and not only this message. Forgetting it at a restart does no harm.
                rest = min(failure.retry_after, self.settings.longest_delay)
                self._resting_until[name] = self._clock() + rest

            raise

    async def send_test(self, name: str) -> str:
        """Send a test event now and return its message id. Raises UsageError or DeliveryFailed."""
        channel = self._channels.get(name)
        if channel is None:
            known = ", ".join(self._channels) or "none"
            raise UsageError(f"the configuration has no destination {name} (there are: {known})")

        channel.require_secrets()
        data = {"destination": name, "message": "This is a test from guardian. No copy was found."}
        message = mint("destination.test", data, self._clock())
        await self.deliver(message, name)
        return message.id
