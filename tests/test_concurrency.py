"""Nothing is left running, whatever ends the work."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from guardian.concurrency import closed_after, in_order, run_all, run_bounded


class Worker:
    """Does work that waits until it is let go, and notes what began and what was cancelled."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.cancelled: list[int] = []
        self.go = asyncio.Event()

    async def work(self, number: int) -> int:
        self.begun.append(number)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(number)
            raise
        return number


async def numbers(upto: int, closed: list[str]) -> AsyncIterator[int]:
    try:
        for number in range(upto):
            yield number
    finally:
        closed.append("closed")


def test_results_come_in_order() -> None:
    async def job() -> None:
        worker = Worker()
        worker.go.set()
        assert await run_all(worker.work(number) for number in (3, 1, 2)) == [3, 1, 2]
        assert await run_bounded((3, 1, 2), worker.work, 2) == [3, 1, 2]
        closed: list[str] = []
        assert [one async for one in in_order(numbers(5, closed), worker.work, 2)] == [0, 1, 2, 3, 4]
        assert closed == ["closed"]

    asyncio.run(job())


def test_no_more_runs_at_once_than_was_asked_for() -> None:
    async def job() -> None:
        worker = Worker()
        running = asyncio.create_task(run_bounded(range(9), worker.work, 2))
        while len(worker.begun) < 2:
            await asyncio.sleep(0)
        for _ in range(9):
            await asyncio.sleep(0)
        assert worker.begun == [0, 1]
        worker.go.set()
        assert await running == list(range(9))

    asyncio.run(job())


def test_an_error_ends_what_runs_beside_it() -> None:
    async def job() -> None:
        worker = Worker()

        async def fail() -> int:
            while len(worker.begun) < 2:
                await asyncio.sleep(0)
            raise ValueError("broken")

        with pytest.raises(ValueError, match="broken"):
            await run_all([worker.work(1), fail(), worker.work(2)])
        assert sorted(worker.cancelled) == [1, 2]

    asyncio.run(job())


def test_whoever_stops_reading_leaves_nothing_running() -> None:
    async def job() -> None:
        worker, closed = Worker(), list[str]()

        async def work(number: int) -> int:
            return number if number == 0 else await worker.work(number)

        async with aclosing(in_order(numbers(9, closed), work, 3)) as results:  # type: ignore[type-var]
            assert await anext(results) == 0
            while len(worker.begun) < 2:
                await asyncio.sleep(0)
        assert (sorted(worker.cancelled), closed) == ([1, 2], ["closed"])

    asyncio.run(job())


def test_of_two_errors_at_once_one_is_raised_and_the_other_is_not_logged_as_forgotten() -> None:
    async def job() -> None:
        forgotten: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: forgotten.append(context))
        second_failed = asyncio.Event()

        async def fail(number: int) -> int:
            if number == 0:
                await second_failed.wait()
            second_failed.set()
            raise ValueError(f"broken {number}")

        async def fail_both() -> None:
            with pytest.raises(ValueError, match="broken 0"):
                [one async for one in in_order(numbers(2, []), fail, 2)]

        await fail_both()
        # asyncio complains when the task is collected, and the step in which it ended still holds it.
        await asyncio.sleep(0)
        gc.collect()
        assert forgotten == []

    asyncio.run(job())


def test_what_is_no_generator_needs_no_closing() -> None:
    class Endless:
        def __aiter__(self) -> "Endless":
            return self

        async def __anext__(self) -> int:
            return 1

    async def job() -> None:
        async with closed_after(Endless()) as items:
            assert await anext(items) == 1

    asyncio.run(job())


def test_results_come_in_the_order_of_the_items_and_few_at_a_time() -> None:
    running = most = 0

    async def go() -> list[int]:
        later = [asyncio.Event() for _ in range(6)]

        async def work(number: int) -> int:
            nonlocal running, most
            running += 1
            most = max(most, running)
            # Each waits for the one after it, as far as that runs at the same time.
            if number % 3 != 2:
                await later[number + 1].wait()
            later[number].set()
            running -= 1
            return number

        return [result async for result in in_order(numbers(6, []), work, 3)]

    assert asyncio.run(go()) == list(range(6))
    assert most == 3
