"""Concurrent work that leaves nothing running: whatever ends it, what was begun is cancelled and waited for."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def run_all(work: Iterable[Awaitable[R]]) -> list[R]:
    """Do all of it concurrently and return the results in order.

    The first error ends the rest: it is cancelled and waited for, and then the error is raised. `asyncio.gather`
    would leave the rest running.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await cancel_all(tasks)


async def run_bounded(items: Iterable[T], work: Callable[[T], Awaitable[R]], at_once: int) -> list[R]:
    """Do `work` for every item, for at most `at_once` at a time; otherwise as `run_all`."""
    slots = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with slots:
            return await work(item)

    return await run_all(one(item) for item in items)


async def in_order(items: AsyncIterator[T], work: Callable[[T], Awaitable[R]], at_once: int) -> AsyncIterator[R]:
    """Do `work` for at most `at_once` items at a time; yield the results in the order of the items.

    Closes `items` at the end, however it comes.
    """
    pending: deque[asyncio.Future[R]] = deque()
    async with closed_after(items):
        try:
            async for item in items:
                pending.append(asyncio.ensure_future(work(item)))
                if len(pending) >= at_once:
                    yield await pending.popleft()
            while pending:
                yield await pending.popleft()
        finally:
            await cancel_all(pending)


@asynccontextmanager
async def closed_after(items: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an async generator when the block ends; without that it goes on until it happens to be collected."""
    try:
        yield items
    finally:
        aclose = getattr(items, "aclose", None)
        if aclose is not None:
            await aclose()


async def cancel_all(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel what is not done and wait for its end. Results and errors of it are nobody's concern any more."""
    ended = list(tasks)
    for task in ended:
        task.cancel()
    # Those that were done are asked as well: asyncio logs each error that nobody has looked at.
    await asyncio.gather(*ended, return_exceptions=True)
