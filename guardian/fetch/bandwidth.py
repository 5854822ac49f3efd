"""Limits the bytes a second that all answers together bring: who brought too many waits before reading on."""

import asyncio

_BURST_SECONDS = 1.0


class Bandwidth:
    """A token bucket that holds one second's worth of bytes. None is no limit."""

    def __init__(self, bytes_a_second: int | None) -> None:
        self._rate = bytes_a_second
        self._paid_until = 0.0

    async def take(self, count: int) -> float:
        """Account for bytes that came, and sleep until they are paid for. Returns the seconds waited."""
        if self._rate is None:
            return 0.0

        now = asyncio.get_running_loop().time()
        # Time unused counts for at most one burst, or a quiet hour would allow a flood.
        self._paid_until = max(self._paid_until, now - _BURST_SECONDS) + count / self._rate
        wait = self._paid_until - now
        if wait <= 0:
            return 0.0
        await asyncio.sleep(wait)
        return wait
