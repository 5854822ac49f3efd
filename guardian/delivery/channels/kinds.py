"""The kinds of channels, by the name that a configuration uses."""

from collections.abc import Callable
from datetime import datetime

from guardian.delivery.channels.channel import Channel
from guardian.delivery.channels.chat import ChatChannel
from guardian.delivery.channels.webhook import WebhookChannel
from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.fetch.trusted import TrustedClient

_Maker = Callable[
    [DestinationSettings, DeliverySettings, TrustedClient, Secrets, Callable[[], datetime]],
    Channel,
]

_MAKERS: dict[str, _Maker] = {"webhook": WebhookChannel, "chat": ChatChannel}
"""A new kind: its module beside this one, its settings in `delivery.settings`, a line here."""


def make_channel(
    destination: DestinationSettings,
    settings: DeliverySettings,
    client: TrustedClient,
    secrets: Secrets,
    clock: Callable[[], datetime],
) -> Channel:
    """Return a channel to the destination, of the kind that its settings name."""
    return _MAKERS[destination.kind](destination, settings, client, secrets, clock)
