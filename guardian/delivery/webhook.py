"""Signs one message as standardwebhooks.com describes, posts it, and says what the answer means."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from standardwebhooks.webhooks import Webhook

from guardian.delivery.retries import parse_retry_after
from guardian.delivery.secrets import Secrets
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import DeliveryFailed, FetchFailed, UsageError
from guardian.fetch.trusted import TrustedClient, TrustedResponse
from guardian.model import Task

QUOTED_CHARACTERS = 200
_NAMED_KEY = re.compile(r"(msg_[A-Za-z0-9]{1,64}):")


class Delivery:
    """Posts messages to the configured destinations. Knows nothing of queues: see `outbox`."""

    def __init__(
        self,
        destinations: Sequence[DestinationSettings],
        settings: DeliverySettings,
        operator: TrustedClient,
        secrets: Secrets,
        clock: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self._destinations = {destination.name: destination for destination in destinations}
        self._client, self._secrets, self._clock = operator, secrets, clock
        self._resting_until: dict[str, datetime] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The configured destinations, in the order of the configuration."""
        return tuple(self._destinations)

    def require_secrets(self) -> None:
        """Raise UsageError now, at the start, when a destination's secret is missing or malformed."""
        for destination in self._destinations.values():
            self._secrets.of(destination)

    def is_resting(self, name: str) -> bool:
        """Whether a destination asked to be left alone for a while (Retry-After) and that time is not over."""
        until = self._resting_until.get(name)
        return until is not None and self._clock() < until

    async def deliver(self, task: Task) -> None:
        """Post the task's bytes to its destination; return when they were accepted. Raises DeliveryFailed."""
        destination = self._destinations.get(task.destination or "")
        if destination is None:
            raise DeliveryFailed(f"the configuration has no destination {task.destination}", permanent=True)
        await self._post(destination, message_id(task), task.body)

    async def send_test(self, name: str) -> str:
        """Post a signed test event now and return its message id. Raises UsageError or DeliveryFailed."""
        destination = self._destinations.get(name)
        if destination is None:
            known = ", ".join(self._destinations) or "none"
            raise UsageError(f"the configuration has no destination {name} (there are: {known})")
        self._secrets.of(destination)
        now = self._clock()
        event = {
            "type": "destination.test",
            "timestamp": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "data": {"destination": name, "message": "This is a test from guardian. No copy was found."},
        }
        body = json.dumps(event).encode()
        test_id = _identity(f"test:{name}", body)
        await self._post(destination, test_id, body)
        return test_id

    async def _post(self, destination: DestinationSettings, name: str, body: bytes) -> None:
        try:
            keys = self._secrets.of(destination)
        except UsageError as error:
            # Not permanent: the message waits until somebody provides the secret.
            raise DeliveryFailed(str(error)) from error
        headers = signed_headers(keys, name, self._clock(), body)
        try:
            answer = await self._client.post(destination.url, headers, body, self.settings.timeout)
        except FetchFailed as error:
            where = shown_url(destination.url)
            raise DeliveryFailed(f"{where}: {error.reason}: {error.detail}") from error
        failure = failure_of(answer, destination.url, self._clock())
        if failure is not None:
            if failure.retry_after is not None:
                # The wish concerns the receiver and not only this message. Forgetting it at a restart does no harm.
                rest = min(failure.retry_after, self.settings.longest_delay)
                self._resting_until[destination.name] = self._clock() + rest
            raise failure


def message_id(task: Task) -> str:
    """The webhook-id of a message: the same at every attempt and after every restart, of no other message.

    A key `msg_NAME:DESTINATION` gives `msg_NAME_` and a digest of the bytes, the same for every destination.
    The digest takes part because names may come again with other bytes, from a restored backup or a
    database begun anew; receivers would drop those as repeats.
    """
    named = _NAMED_KEY.match(task.key)
    if named is None:
        return _identity(task.key, task.body)
    return f"{named[1]}_{hashlib.sha256(task.body).hexdigest()[:12]}"


def signed_headers(keys: Sequence[bytes], name: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The headers of a Standard Webhooks message: one signature for each key, space between them."""
    text = body.decode("utf-8")
    signatures = [Webhook(key).sign(name, at.astimezone(UTC), text) for key in keys]
    return {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def failure_of(answer: TrustedResponse, url: str, now: datetime) -> DeliveryFailed | None:
    """What an answer means: None for 2xx, else why the message counts as not accepted."""
    status, where = answer.status, shown_url(url)
    if 200 <= status < 300:
        return None
    if status == 410:
        detail = f"{where} answered 410 Gone: it wants no more messages"
        return DeliveryFailed(detail, permanent=True, disable=True)
    if 300 <= status < 400:
        target = shown_url(answer.header("location") or "an unnamed place")
        return DeliveryFailed(f"{where} answered {status}, pointing to {target}; redirects are not followed")
    said = _quoted(answer.body_start)
    retry_after = parse_retry_after(answer.header("retry-after"), now)
    return DeliveryFailed(f"{where} answered {status}{said}", retry_after=retry_after)


def shown_url(url: str) -> str:
    """An address fit for logs: without user, password, query and fragment, which often hold secrets."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an unreadable address"
    return f"{parts.scheme}://{host}{parts.path}" if host else parts.path


def _identity(key: str, body: bytes) -> str:
    return "msg_" + hashlib.sha256(key.encode() + b"\n" + body).hexdigest()[:32]


def _quoted(body_start: bytes) -> str:
    text = body_start.decode("utf-8", errors="replace")
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    words = " ".join(printable.split())[:QUOTED_CHARACTERS]
    return f": {words}" if words else ""
