"""Receives the operator's signals: SIGTERM and SIGINT stop the daemon, SIGHUP reloads its configuration."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class SignalRequests:
    """Requests that arrived by signal and were not answered yet.

    `stop` is set for good once the daemon is to end. `received` is set by every request; clear it before you answer.
    """

    def __init__(self) -> None:
        self.received = asyncio.Event()
        self.stop = asyncio.Event()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for SIGTERM, SIGINT and SIGHUP while the body runs. Needs a running event loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._request_stop)
        loop.add_signal_handler(signal.SIGHUP, self.received.set)

        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    async def finish_unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run `work` to its end and return True; cancel it and return False when a request to stop comes first.

        Raises what `work` raises.
        """
        working, stopping = asyncio.create_task(work), asyncio.create_task(self.stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if working.done():
            # Work that ended at the same moment counts as finished; awaiting it raises what it raised.
            await working
            return True

        log.info("stopping", unfinished="making the index whole again")
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        return False

    def _request_stop(self) -> None:
        self.stop.set()
        self.received.set()
