"""Side by side, and yet in order."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from guardian.scan.ordering import SameBytes, in_order


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


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

        return [result async for result in in_order(numbers(6), work, 3)]

    assert asyncio.run(go()) == list(range(6))
    assert most == 3


def test_what_is_left_is_cancelled_when_nobody_listens_any_more() -> None:
    cancelled: list[int] = []

    async def go() -> None:
        async def work(number: int) -> int:
            if number == 0:
                return number
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(number)
                raise
            return number

        results = in_order(numbers(3), work, 3)
        assert await anext(results) == 0
        await results.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    asyncio.run(go())
    assert cancelled == [1, 2]


@pytest.mark.parametrize("arrival", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_the_first_on_the_page_is_the_first_whatever_arrives_first(arrival: list[int]) -> None:
    digests = ["a", "b", "a", "b"]

    async def go() -> dict[int, int]:
        same, firsts = SameBytes(4), dict[int, int]()

        async def one(number: int) -> None:
            async with same.turn(number) as turn:
                firsts[number] = await turn.first_with(digests[number])

        await asyncio.gather(*(one(number) for number in arrival))
        return firsts

    assert asyncio.run(go()) == {0: 0, 1: 1, 2: 0, 3: 1}


def test_an_image_that_could_not_be_had_holds_up_nobody_and_lets_nobody_overtake() -> None:
    async def go() -> list[int]:
        same, order = SameBytes(3), list[int]()
        first_comes = asyncio.Event()

        async def lost() -> None:
            with pytest.raises(ValueError, match="lost"):
                async with same.turn(1):
                    raise ValueError("lost")

        async def found(number: int) -> None:
            async with same.turn(number) as turn:
                if number == 0:
                    await first_comes.wait()
                await turn.first_with("a")
                order.append(number)

        waiting = [asyncio.ensure_future(one) for one in (lost(), found(2), found(0))]
        await asyncio.sleep(0)
        assert order == []
        first_comes.set()
        await asyncio.gather(*waiting)
        return order

    assert asyncio.run(go()) == [0, 2]
