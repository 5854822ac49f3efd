"""Divides values for SQL statements, whose number of parameters databases bound."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

CHUNK = 500
"""Values in one statement: far below the bound of any SQLite, and enough for the number of statements not to count."""


def in_chunks(values: Iterable[T], most: int = CHUNK) -> Iterator[list[T]]:
    """Yield the values in their order, in lists of at most `most`, and never more than CHUNK."""
    listed = list(values)
    size = max(1, min(most, CHUNK))
    for start in range(0, len(listed), size):
        yield listed[start : start + size]
