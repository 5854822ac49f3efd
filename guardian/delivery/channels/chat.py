"""Sends messages as readable text by e-mail, Slack, Teams, Discord, Matrix... through Apprise (extra `chat`).

What is sent, and when, is the outbox's business as for every channel. Apprise says only whether a message was accepted.
"""

import asyncio
import json
import logging
from typing import Any

from guardian.delivery.channels.channel import Pictures, no_pictures
from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import DeliveryFailed, UsageError
from guardian.model import Message
from guardian.views.message_texts import message_body, message_title

_MISSING = "destinations of the kind chat need Apprise: pip install 'guardian[chat]'"
_QUOTED_CHARACTERS = 200


class ChatChannel:
    """Sends messages to the addresses of one destination, which Apprise understands."""

    def __init__(
        self,
        destination: DestinationSettings,
        settings: DeliverySettings,
        secrets: Secrets,
        pictures: Pictures = no_pictures,
    ) -> None:
        self._destination, self._settings, self._secrets, self._pictures = destination, settings, secrets, pictures

    def require_secrets(self) -> None:
        """Raise UsageError when an address is missing, or none that Apprise understands."""
        self._sender()

    async def send(self, message: Message) -> None:
        """Send a message; return when every address has accepted it. Raises DeliveryFailed."""
        try:
            sender = self._sender()
        except UsageError as error:
            # Not permanent: the message waits until somebody mends the address.
            raise DeliveryFailed(str(error)) from error

        import apprise
        from apprise.attachment.memory import AttachMemory

        attached: Any = AttachMemory
        pictures = [
            attached(content=picture.content, name=picture.name, mimetype="image/jpeg")
            for picture in await self._pictures(message)
        ]
        capture: Any = apprise.LogCapture
        data = json.loads(message.body)["data"]
        title, body = message_title(message.type, data), message_body(message.type, data, self._settings.desk_url)
        with capture(level=logging.WARNING, fmt="%(message)s") as said:
            try:
                # Apprise bounds its connections itself; this bounds all of them together, within the lease.
                accepted = await asyncio.wait_for(
                    sender.async_notify(
                        title=title, body=body, body_format=apprise.NotifyFormat.TEXT, attach=pictures or None
                    ),
                    self._settings.timeout.total_seconds(),
                )
            except TimeoutError as error:
                raise DeliveryFailed(f"{self._destination.name} did not accept it in time") from error
            words = " ".join(said.getvalue().split())[:_QUOTED_CHARACTERS]
        if not accepted:
            raise DeliveryFailed(f"{self._destination.name} did not accept it: {words or 'Apprise says no more'}")

    def _sender(self) -> Any:
        """Return an Apprise object with the destination's addresses. Raises UsageError, which does not show them."""
        try:
            import apprise
        except ImportError as error:
            raise UsageError(_MISSING) from error

        sender = apprise.Apprise()
        for where, address in self._secrets.lines_of(self._destination):
            if not sender.add(address):
                raise UsageError(
                    f"destination {self._destination.name}: {where} holds no address that Apprise understands, such as "
                    "mailtos://user:password@mail.example?to=legal@firm.example or slack://..."
                )
        return sender
