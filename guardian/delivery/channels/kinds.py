"""The kinds of channels, by the name that a configuration uses."""

from collections.abc import Callable
from datetime import datetime

from guardian.delivery.channels.channel import Channel, Pictures, no_pictures
from guardian.delivery.channels.chat import ChatChannel
from guardian.delivery.channels.webhook import WebhookChannel
from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.fetch.trusted import TrustedClient


def make_channel(
    destination: DestinationSettings,
    settings: DeliverySettings,
    client: TrustedClient,
    secrets: Secrets,
    clock: Callable[[], datetime],
    pictures: Pictures = no_pictures,
) -> Channel:
    """Return a channel to the destination, of the kind that its settings name.

    A new kind: its module beside this one, its settings in `delivery.settings`, a case here.
    """
    match destination.kind:
        case "webhook":
            return WebhookChannel(destination, settings, client, secrets, clock)
        case "chat":
            return ChatChannel(destination, settings, secrets, pictures)


def require_secrets(destination: DestinationSettings, settings: DeliverySettings, secrets: Secrets) -> None:
    """Raise UsageError when a secret of a destination is missing, or none of its kind; nothing is sent."""
    match destination.kind:
        case "webhook":
            secrets.of(destination)
        case "chat":
            ChatChannel(destination, settings, secrets).require_secrets()
