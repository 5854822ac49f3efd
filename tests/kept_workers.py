"""Runs tests in an opened app whose worker processes are kept for the next test: each takes a second to start.

A worker that a test ends is replaced. Tests that count workers open an app of their own.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import lru_cache
from typing import Any, TypeVar

from guardian.app import App, opened_app
from guardian.config import Config
from guardian.matching.worker_pool import WorkerPool
from guardian.matching.workers import Workers
from tests.databases import place_database

T = TypeVar("T")


class KeptPool(WorkerPool):
    """Workers that outlive the apps that use them. They end with this process."""

    async def aclose(self) -> None:
        """Keep the workers for the next app."""


class Kept:
    """An event loop with its workers: those of one loop cannot be used in another."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        # A worker has one index open: each of several apps has workers of its own.
        self.pools = defaultdict[int, KeptPool](KeptPool)

    @property
    def pool(self) -> KeptPool:
        """The workers of those who need no others beside them."""
        return self.pools[0]

    def run(self, job: Coroutine[Any, Any, T]) -> T:
        """Return what a job returns that uses these workers."""
        return self.runner.run(job)


def run_in_app(config: Config, job: Callable[[App], Awaitable[Any]]) -> Any:
    """Return what a job returns that is given an app of this configuration."""
    return run_in_apps([config], job)


def run_in_apps(configs: Sequence[Config], job: Callable[..., Awaitable[Any]]) -> Any:
    """Return what a job returns that is given one app of each configuration, all open together."""
    own = kept()

    async def go() -> Any:
        async with AsyncExitStack() as opened:
            apps = []
            for number, config in enumerate(configs):
                if config.store.url is None:
                    place_database(config.data_dir)
                workers = Workers(config.matching, config.embedding, config.data_dir / "index", own.pools[number])
                apps.append(await opened.enter_async_context(opened_app(config, workers)))
            return await job(*apps)

    return own.run(go())


def kept() -> Kept:
    """Return what is kept in this process; one that a test forked must not touch what is its parent's."""
    return _kept(os.getpid())


@lru_cache(maxsize=1)
def _kept(process: int) -> Kept:
    return Kept()
