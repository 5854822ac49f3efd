"""How many requests each token or person may make: so many a minute, some more at once after a pause."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from guardian.model import Actor

REQUESTS_A_MINUTE = 600
AT_ONCE = 120

_MOST_KNOWN = 10_000


@dataclass(slots=True)
class _Bucket:
    """The requests that may still be made at a moment (token bucket)."""

    left: float
    at: float


class RequestLimits:
    """The limits of one process. `clock`: seconds that never go back."""

    def __init__(
        self,
        a_minute: float = REQUESTS_A_MINUTE,
        at_once: float = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate, self._at_once, self._clock = a_minute / 60, at_once, clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, actor: Actor) -> float | None:
        """Count a request; None lets it pass, else it must wait for so many seconds."""
        now = self._clock()
        if len(self._buckets) >= _MOST_KNOWN:
            self._forget_full(now)
        bucket = self._buckets.setdefault((actor.kind.value, actor.name), _Bucket(self._at_once, now))
        bucket.left = min(self._at_once, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / self._rate
        bucket.left -= 1
        return None

    def _forget_full(self, now: float) -> None:
        """Forget who has made no request for so long that everything is allowed again."""
        full_after = self._at_once / self._rate
        self._buckets = {key: one for key, one in self._buckets.items() if now - one.at < full_after}
