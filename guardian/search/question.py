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


@dataclass(frozen=True, slots=True)
class Question:
    """One search. `content` are the encoded bytes of the picture asked with, None without one.

    `memory_recipe` names the small fingerprints of the memory. `among`: numbers, int64 [n], of the pictures of each
    kind that may be returned; a kind that is missing is not searched, None stands for all of them. `like` and `unlike`
    are examples that move the question. `left_out` is never returned: the picture that was asked with. `copies` are
    what the matcher found before, `words` how well the words around pictures answer the text asked with (larger is
    better); None without a text. `described`: how alike the pictures that a descriptor finds nearest are by it, as
    cosines; None without one. `name_colours`: whether the answer shall say which colour most of each picture has.
    """

    data_dir: Path
    memory_recipe: str
    among: dict[Kind, NDArray[np.int64] | None]
    content: bytes | None = None
    region: Region | None = None
    by: By = By.AUTO
    colours: tuple[WantedColour, ...] = ()
    like: tuple[PictureKey, ...] = ()
    unlike: tuple[PictureKey, ...] = ()
    left_out: frozenset[PictureKey] = frozenset()
    copies: "dict[PictureKey, CopyFact]" = field(default_factory=dict)
    words: dict[PictureKey, float] | None = None
    described: dict[PictureKey, float] | None = None
    top: int = 20
    name_colours: bool = False

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
    """One picture of the answer. `score`: larger is better, comparable within one answer only.

    `alike`: the cosine of each aspect that was compared. `described`: the cosine by a descriptor; None where that was
    not asked, or does not hold it for near. `copy` is None where the matcher sees none.
    `has_words`: whether its words, or what they mean, answer the text asked with. `colour`: the name of
    the one that most of it has, None where it was not looked at.
    `colour_shares`: which share of it (0-1) each colour asked for has, in their order; empty where none was asked for.
    `preview`: a small JPEG of a picture that was seen; None for an asset.
    """

    key: PictureKey
    score: float
    alike: dict[Aspect, float] = field(default_factory=dict)
    copy: CopyFact | None = None
    described: float | None = None
    colour_shares: tuple[float, ...] = ()
    has_words: bool = False
    colour: str | None = None
    preview: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer of one search, best first; `searched` says how many pictures of each kind were looked at.

    `not_searched`: what should have been searched and could not be, in words.
    """

    found: tuple[Found, ...]
    searched: dict[Kind, int]
    not_searched: tuple[str, ...] = ()
