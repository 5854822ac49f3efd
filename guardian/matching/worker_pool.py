"""A pool of worker processes: starts them when needed, keeps those that are idle, ends them all."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from datetime import timedelta

from guardian.errors import WorkersUnavailable
from guardian.matching.worker_process import WorkerDied, WorkerProcess

_IDLE_TIME = timedelta(minutes=5)
"""A worker that had nothing to do for so long is ended when another one finishes a job."""


class WorkerPool:
    """Starts worker processes and keeps those that are idle. They end with the event loop that started them."""

    def __init__(self) -> None:
        self._running: set[WorkerProcess] = set()
        # The one that worked last is at the end, and is taken first: its memory is warm.
        self._idle: list[tuple[WorkerProcess, float]] = []
        self._until_shutdown: AsyncGenerator[None, None] | None = None

    async def take(self) -> WorkerProcess:
        """Return a worker that has nothing to do: an idle one, else a new one. Give it back whatever happens.

        Raises WorkersUnavailable when the system allows no further process.
        """
        while self._idle:
            worker, _ = self._idle.pop()
            if worker.is_running:
                return worker
            # It was killed while it had nothing to do, which concerns no job.
            self._running.discard(worker)

        if self._until_shutdown is None:
            self._until_shutdown = self._end_with_loop()
            await anext(self._until_shutdown)
        try:
            worker = await WorkerProcess.start()
        except OSError as error:
            raise WorkersUnavailable(f"no worker process can be started: {error.strerror or error}") from error
        self._running.add(worker)
        return worker

    def give_back(self, worker: WorkerProcess) -> None:
        """Keep a worker for the next job, unless it has ended; end those that had nothing to do for long."""
        if not worker.is_running:
            self._running.discard(worker)
            return

        now = asyncio.get_running_loop().time()
        self._idle.append((worker, now))
        while now - self._idle[0][1] > _IDLE_TIME.total_seconds():
            idle, _ = self._idle.pop(0)
            self._running.discard(idle)
            idle.kill()

    async def preload(self, job: Callable[[], None]) -> None:
        """Start a worker and let it do a job of preparation. A worker that dies on it is left to the first real job.

        Raises WorkersUnavailable when the system allows no further process.
        """
        worker = await self.take()
        try:
            # Whatever ends it, the first job finds out, and tells.
            with suppress(WorkerDied):
                await worker.run(job)
        finally:
            self.give_back(worker)

    async def aclose(self) -> None:
        """End all workers, and wait until they have ended."""
        ending, self._running, self._idle = self._running, set(), []
        for worker in ending:
            worker.kill()
        for worker in ending:
            await worker.wait()

    async def _end_with_loop(self) -> AsyncGenerator[None, None]:
        """End all workers when the event loop shuts its asynchronous generators down, before it closes."""
        try:
            yield
        finally:
            await self.aclose()
