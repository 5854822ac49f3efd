"""Signs a message as standardwebhooks.com describes, posts it, and says what the answer means."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from guardian.delivery.channels.chat_services import chat_service_at, own_body_text
from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import DeliveryFailed, FetchFailed, UsageError
from guardian.fetch.retry_after import parse_retry_after
from guardian.fetch.trusted import TrustedClient, TrustedResponse
from guardian.model import Message
from guardian.urls.addresses import shown_url

QUOTED_CHARACTERS = 200
"""How much of a receiver's refusal is shown: enough for a sentence, little enough for one line of a log."""


_NOT_UNDERSTOOD = (400, 415, 422)
_TEAMS_FAILURE = b"Webhook message delivery failed"
"""Connectors of Microsoft Teams answer 200 whatever became of the message, and say this when nothing did."""


class WebhookChannel:
    """Sends messages to one destination by a signed POST. Its secrets are read anew for each message."""

    def __init__(
        self,
        destination: DestinationSettings,
        settings: DeliverySettings,
        client: TrustedClient,
        secrets: Secrets,
        clock: Callable[[], datetime],
    ) -> None:
        self._destination, self._timeout = destination, settings.timeout
        self._client, self._secrets, self._clock = client, secrets, clock

    def require_secrets(self) -> None:
        """Raise UsageError when a secret is missing or malformed."""
        self._secrets.of(self._destination)

    async def send(self, message: Message) -> None:
        """Post a message; return when the receiver answered 2xx. Raises DeliveryFailed."""
        try:
            keys = self._secrets.of(self._destination)
        except UsageError as error:
            # Not permanent: the message waits until somebody provides the secret.
            raise DeliveryFailed(str(error)) from error

        url = self._destination.url or ""
        # Each attempt is signed anew: receivers refuse old timestamps. Id and body stay the same.
        headers = signed_headers(keys, message.id, self._clock(), message.body)
        try:
            answer = await self._client.post(url, headers, message.body, self._timeout)
        except FetchFailed as error:
            raise DeliveryFailed(f"{shown_url(url)}: {error.reason}: {error.detail}") from error

        failure = failure_of(answer, url, self._clock())
        if failure is not None:
            raise failure


def signed_headers(keys: Sequence[bytes], id_: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """Return the headers of a Standard Webhooks message, signed with each of the keys (space between signatures)."""
    text = body.decode("utf-8")
    signatures = [Webhook(key).sign(id_, at.astimezone(UTC), text) for key in keys]

    return {
        "content-type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def failure_of(answer: TrustedResponse, url: str, now: datetime) -> DeliveryFailed | None:
    """Return why this answer does not accept the message; None for 2xx."""
    status, receiver = answer.status, shown_url(url)
    if 200 <= status < 300:
        if answer.body_start.startswith(_TEAMS_FAILURE):
            return DeliveryFailed(f"{receiver} answered {status}{_quoted(answer.body_start)}")
        return None
    if status == 410:
        # Gone for good, as Standard Webhooks has it; every other status may be a fault that passes.
        detail = f"{receiver} answered 410 Gone: it wants no more messages"
        return DeliveryFailed(detail, permanent=True, disable=True)
    if 300 <= status < 400:
        # A redirect could lead a signed message to anybody.
        target = shown_url(answer.header("location") or "an unnamed place")
        return DeliveryFailed(f"{receiver} answered {status}, pointing to {target}; redirects are not followed")

    quote = _quoted(answer.body_start)
    retry_after = parse_retry_after(answer.header("retry-after"), now)
    # A chat service names a missing field of its own, which tells nobody that guardian cannot talk to it at all.
    service = chat_service_at(url) if status in _NOT_UNDERSTOOD else None
    advice = f" ({own_body_text(service)})" if service else ""
    return DeliveryFailed(f"{receiver} answered {status}{quote}{advice}", retry_after=retry_after)


def _quoted(body_start: bytes) -> str:
    """Return the receiver's words as the end of a log line: printable characters only, at most QUOTED_CHARACTERS."""
    text = body_start.decode("utf-8", errors="replace")
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    words = " ".join(printable.split())[:QUOTED_CHARACTERS]
    return f": {words}" if words else ""
