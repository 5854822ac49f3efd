"""What is asked of the search, and what it answers: plain data that travels to a worker and back."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guardian.search.aspects import Aspect

Region = tuple[int, int, int, int]
"""Left, top, width, height in pixels of the upright picture."""


class Kind(StrEnum):
    """Where a found picture comes from."""

    ASSET = "asset"
    SEEN = "seen"


class By(StrEnum):
    """What results are ranked by."""

    AUTO = "auto"
    COPY = "copy"
    LOOK = "look"
    COLOUR = "colour"
    SHAPE = "shape"
    TEXTURE = "texture"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class WantedColour:
    """A colour in sRGB (0-255 each) that pictures shall show; `share` (0-1) of their area, None for "much of it".

    `name` is how the colour was written.
    """

    name: str
    rgb: tuple[int, int, int]
    share: float | None = None


PictureKey = tuple[Kind, int]
"""Where a picture comes from, and its number there."""

Among = dict[Kind, NDArray[np.int64] | None]
"""Numbers, int64 [n], of the pictures of each kind that may be returned.

A kind that is missing is not searched; None stands for all of a kind.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """One search: what is asked for, and what was found before pictures are ranked by their looks."""

    data_dir: Path

    memory_recipe: str
    """The recipe of the memory's small fingerprints."""

    among: Among

    content: bytes | None = None
    """The encoded picture asked with; None without one."""

    region: Region | None = None
    """The part of that picture that is meant; None for all of it."""

    by: By = By.AUTO

    colours: tuple[WantedColour, ...] = ()

    like: tuple[PictureKey, ...] = ()
    """Pictures that the answers shall be nearer to."""

    unlike: tuple[PictureKey, ...] = ()
    """Pictures that the answers shall be further from."""

    left_out: frozenset[PictureKey] = frozenset()
    """Pictures that are never returned, such as the one asked with."""

    copies: "dict[PictureKey, CopyFact]" = field(default_factory=dict)
    """What the matcher holds for copies of the picture asked with."""

    words: dict[PictureKey, float] | None = None
    """How well the words around pictures answer the text asked with, larger is better; None without a text."""

    described: dict[PictureKey, float] | None = None
    """The cosines of the pictures that a descriptor finds nearest; None without one."""

    top: int = 20
    """Pictures to return at most."""

    name_colours: bool = False
    """Whether the answer shall say which colour most of each picture has."""

    @property
    def has_picture(self) -> bool:
        """Whether something is asked for that only the looks of pictures answer."""
        return self.content is not None or bool(self.colours or self.like)


@dataclass(frozen=True, slots=True)
class CopyFact:
    """What the matcher says of a picture that it holds for a copy, or a likely one, of the one asked with."""

    probability: float
    words: str


@dataclass(frozen=True, slots=True)
class Found:
    """One picture of the answer."""

    key: PictureKey

    score: float
    """Larger is better; comparable within one answer only."""

    alike: dict[Aspect, float] = field(default_factory=dict)
    """The cosine of each aspect that was compared."""

    copy: CopyFact | None = None
    """None where the matcher holds it for no copy."""

    described: float | None = None
    """The cosine by a descriptor; None where none was asked, or where it is not among the nearest by it."""

    colour_shares: tuple[float, ...] = ()
    """The share of the picture (0-1) that each colour asked for has, in their order; empty where none was asked for."""

    has_words: bool = False
    """Whether its words, or what they mean, answer the text asked with."""

    colour: str | None = None
    """The name of the colour that most of it has; None where that was not asked for."""

    preview: bytes | None = field(default=None, repr=False)
    """A small JPEG of a picture that was seen; None for an asset."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer of one search, best first; `searched` says how many pictures of each kind were looked at.

    `not_searched`: what should have been searched and could not be, in words.
    """

    found: tuple[Found, ...]
    searched: dict[Kind, int]
    not_searched: tuple[str, ...] = ()
