"""Runs tests in an opened app whose worker processes are kept for the next test: each takes a second to start.

Tests in which workers crash, hang or are counted open an app of their own.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from typing import Any

from guardian.app import App, opened_app
from guardian.config import Config
from guardian.matching.worker_pool import WorkerPool
from guardian.matching.workers import Workers
from tests.databases import place_database


class _KeptPool(WorkerPool):
    """Workers that outlive the apps that use them. They end with this process."""

    async def aclose(self) -> None:
        """Keep the workers for the next app."""


class _Kept:
    """An event loop with its workers: those of one loop cannot be used in another."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        # A worker has one index open: each of several apps has workers of its own.
        self.pools = defaultdict[int, _KeptPool](_KeptPool)


def run_in_app(config: Config, job: Callable[[App], Awaitable[Any]]) -> Any:
    """Return what a job returns that is given an app of this configuration."""
    return run_in_apps([config], job)


def run_in_apps(configs: Sequence[Config], job: Callable[..., Awaitable[Any]]) -> Any:
    """Return what a job returns that is given one app of each configuration, all open together."""
    kept = _kept(os.getpid())

    async def go() -> Any:
        async with AsyncExitStack() as opened:
            apps = []
            for number, config in enumerate(configs):
                if config.store.url is None:
                    place_database(config.data_dir)
                workers = Workers(config.matching, config.embedding, config.data_dir / "index", kept.pools[number])
                apps.append(await opened.enter_async_context(opened_app(config, workers)))
            return await job(*apps)

    return kept.runner.run(go())


@lru_cache(maxsize=1)
def _kept(process: int) -> _Kept:
    """Return what is kept in this process; one that a test forked must not touch what is its parent's."""
    return _Kept()
