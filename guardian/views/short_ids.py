"""Ids as people type them: without their prefix, or only how they begin."""

from collections.abc import Sequence
from typing import TypeVar

from guardian.errors import UsageError

T = TypeVar("T")

_NAMED = 5
"""How many ids are named when a beginning is not enough."""


def with_prefix(start: str, prefix: str) -> str:
    """Return the beginning of an id with its prefix ("asset_"), which people may leave out."""
    return start if start.startswith(prefix) else f"{prefix}{start}"


def only_one(found: Sequence[T], ids: Sequence[str], start: str, noun: str, hint: str) -> T:
    """Return the only thing of those that were found to begin with `start`; `ids` are theirs.

    Raises UsageError when `start` is blank or there is none, with the hint where its id is shown, or when there are
    several, with the first ids.
    """
    if not start.strip():
        raise UsageError(f"the id of the {noun} is empty: is there a variable without a value? {hint}")
    if not found:
        raise UsageError(f"there is no {noun} {start}; {hint}")
    if len(found) > 1:
        more = ", ..." if len(ids) > _NAMED else ""
        raise UsageError(f"{len(found)} {noun}s start with {start}: {', '.join(ids[:_NAMED])}{more}")
    return found[0]
