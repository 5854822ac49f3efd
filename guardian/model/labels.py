"""What a picture shows, in the terms of the owner's own vocabulary."""

from dataclasses import dataclass
from enum import StrEnum


class LabelSource(StrEnum):
    """How a label came to a picture."""

    WORDS = "words"
    MEANING = "meaning"
    NEIGHBOURS = "neighbours"


@dataclass(frozen=True, slots=True)
class PictureLabel:
    """A term that a picture carries. `share` (0-1) says how sure that is, by its source.

    Of words it is 1; of the meaning the probability beside "none of these"; of neighbours the share that carry it.
    """

    term: str
    source: LabelSource
    share: float = 1.0
