"""All answers together stay below the cap."""

import asyncio

from guardian.fetch.bandwidth import Bandwidth


def waited(bandwidth: Bandwidth, *counts: int) -> list[float]:
    async def go() -> list[float]:
        return list(await asyncio.gather(*(bandwidth.take(count) for count in counts)))

    return asyncio.run(go())


def test_without_a_limit_nobody_waits() -> None:
    assert waited(Bandwidth(None), 10**12, 10**12) == [0, 0]


def test_a_seconds_worth_is_free_and_the_rest_is_paid_in_turn() -> None:
    first, second, third = waited(Bandwidth(1_000_000), 1_000_000, 100_000, 100_000)
    assert first == 0
    assert 0.05 < second < 0.11
    assert 0.15 < third < 0.21
