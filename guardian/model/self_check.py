"""Declares what came of searching for an asset right after it was added, and why an asset would not be found."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Weakness(StrEnum):
    """Why copies of an asset may not be found. `words` complete "weak:"; the asset's own file always matches."""

    words: str

    def __new__(cls, word: str, words: str) -> Self:
        """Make a member that equals its word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.words = words
        return member

    TOO_PLAIN = ("too_plain", "too plain: only the same file is found")
    TOO_SMALL = ("too_small", "too small: half its size cannot be compared")
    FEW_DETAILS = ("few_details", "few details: copies are found by luck")
    SHARED = ("shared", "other assets show the same: copies speak for none")
    UNCERTAIN = ("uncertain", "patterns or noise: copies look like strangers")


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What came of searching for easy copies of an asset: at half its size, and recompressed.

    `recipe` names how was searched. `probability` (0-1) is that of the copy that was found with the least certainty,
    None when one could not be compared. `weakness` is None when all were found; `detail` says what was measured.
    """

    recipe: str
    probability: float | None = None
    weakness: Weakness | None = None
    detail: str = ""
