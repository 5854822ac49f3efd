"""Finds repeats among the images of a page in the page's order, in whatever order their bytes arrive."""

import asyncio
from types import TracebackType
from typing import Self


class SameBytes:
    """Tells which image of a page has some bytes first, in the page's order, in whatever order the bytes arrive."""

    def __init__(self, count: int) -> None:
        self._is_turn = [asyncio.Event() for _ in range(count + 1)]
        self._is_turn[0].set()
        self._first: dict[str, int] = {}

    def turn(self, number: int) -> "Turn":
        """Return the turn of one image, an async context manager. Each image must take its turn, or later ones wait."""
        return Turn(number, self._is_turn[number], self._is_turn[number + 1], self._first)


class Turn:
    """The turn of one image of a page. It ends with `first_with`, or with the context."""

    def __init__(self, number: int, begins: asyncio.Event, next_begins: asyncio.Event, first: dict[str, int]) -> None:
        self.number = number
        self._begins, self._next_begins, self._first = begins, next_begins, first

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An image without bytes waits for its turn as well, so that no later image comes before an earlier one.
        await self._begins.wait()
        self._next_begins.set()

    async def first_with(self, sha256: str) -> int:
        """Return the number of the first image with these bytes, once all images before this one are known."""
        await self._begins.wait()
        self._next_begins.set()
        return self._first.setdefault(sha256, self.number)
