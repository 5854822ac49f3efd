"""Originals by number, and which of them show parts of one another: what every label rests on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from guardian.evaluation.pictures import Picture, shrunk


@dataclass(frozen=True, slots=True)
class Reference:
    """A protected picture. `shows` are the originals (by number) of which it shows pixels; a half is `half_of` one."""

    picture: Picture
    shows: frozenset[int]


@dataclass(frozen=True, slots=True)
class Query:
    """A candidate. `copies` are the originals whose pixels it shows on purpose; `edit` names what was done.

    A reference that shows none of `copies` is none of its sources; one that shows pixels of a host or a
    neighbour is left out of the count, since calling that a copy is no fault (`may_show`). `main` is the
    original that the candidate is mostly made of.
    """

    picture: Picture
    edit: str
    main: int
    copies: frozenset[int]
    may_show: frozenset[int]


@dataclass(frozen=True, slots=True)
class Examples:
    """What one seed makes of a pile of pictures."""

    references: tuple[Reference, ...]
    queries: tuple[Query, ...]


@dataclass(slots=True)
class Pile:
    """Pictures at the sizes of the web, half of them protected (`owned`), the others not (`foreign`).

    Originals that are composed of several pictures get numbers of their own; `within` says for a picture which these
    are.
    """

    sized: dict[int, Picture]
    owned: list[int]
    foreign: list[int]
    generator: np.random.Generator
    within: dict[int, set[int]] = field(default_factory=dict)
    latest: int = 0

    def composed(self, parts: Iterable[int]) -> int:
        """Return the number of a new original that shows these pictures."""
        self.latest += 1
        for part in parts:
            self.within.setdefault(part, set()).add(self.latest)
        return self.latest

    def some_foreign(self, count: int) -> list[int]:
        """Draw pictures that are not protected."""
        return [int(number) for number in self.generator.choice(self.foreign, count, replace=False)]

    def shown(self, numbers: Iterable[int]) -> list[Picture]:
        """Return the pictures of these numbers."""
        return [self.sized[number] for number in numbers]

    def any_part_of(self, numbers: Iterable[int]) -> frozenset[int]:
        """Return the pictures and their halves: what shows the whole shows the half too."""
        numbers = list(numbers)
        return frozenset([*numbers, *map(half_of, numbers)])

    def settled(self, query: Query) -> Query:
        """Add the originals that are composed of what the query may show, now that all of them are made."""
        composed = {original for part in query.may_show for original in self.within.get(part, ())}
        # A stranger that is composed of them itself must still not be found by the others of its kind.
        return replace(query, may_show=query.may_show | (composed - {query.main}))


def piled(pictures: Sequence[Picture], seed: int) -> Pile:
    """Bring pictures to sizes of the web and protect half of them."""
    generator = np.random.default_rng(seed)
    order = [int(number) for number in generator.permutation(len(pictures))]
    sized = {}
    for number in order:
        longer = max(pictures[number].shape[:2])
        sized[number] = shrunk(pictures[number], min(longer, int(generator.integers(400, 1000))))
    half = len(order) // 2
    return Pile(sized, order[:half], order[half:], generator, latest=len(pictures) - 1)


def half_of(number: int) -> int:
    """Return the name of the protected half of a picture, apart from that of the whole."""
    return -1 - number
