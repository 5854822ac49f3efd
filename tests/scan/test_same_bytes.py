"""The same bytes twice on a page are one picture, whichever arrives first."""

import asyncio

import pytest

from guardian.scan.same_bytes import SameBytes


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
