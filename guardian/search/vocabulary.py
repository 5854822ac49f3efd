"""Reads labels.yaml: the owner's own terms, with the ways in which people say them, and what is a kind of what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from guardian.errors import ConfigError
from guardian.strict_yaml import Positions, load_with_positions
from guardian.views.word_tokens import terms


@dataclass(frozen=True, slots=True)
class VocabularyTerm:
    """A term, all phrasings of it (itself first), and the terms of which it is a kind, nearest first."""

    name: str
    phrasings: tuple[str, ...]
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The terms by name, in the order of the file."""

    terms: Mapping[str, VocabularyTerm]

    def with_above(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return terms with all that they are kinds of, each once, by name."""
        found: set[str] = set()
        for name in names:
            found |= {name, *self.terms[name].above}
        return tuple(sorted(found))


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    term: str = Field(min_length=1, max_length=100)
    phrasings: tuple[str, ...] = ()
    under: str | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    labels: tuple[_Entry, ...] = ()


def read_vocabulary(path: Path) -> Vocabulary:
    """Return the vocabulary of a file. Raises ConfigError with file, line and column of the first mistake."""
    content, positions = load_with_positions(path, _File, words_are_text=True)
    parents: dict[str, str | None] = {}
    for index, entry in enumerate(content.labels):
        if entry.term in parents:
            raise positions.error(f"the term {entry.term!r} stands twice", ("labels", index, "term"))
        for place, phrasing in enumerate(entry.phrasings):
            if not terms(phrasing):
                raise positions.error(f"there is no word in {phrasing!r}", ("labels", index, "phrasings", place))
        parents[entry.term] = entry.under

    for index, entry in enumerate(content.labels):
        _refuse_wrong_parent(entry, index, parents, positions)
    return Vocabulary(
        {
            entry.term: VocabularyTerm(
                entry.term, tuple(dict.fromkeys((entry.term, *entry.phrasings))), _above(entry.term, parents)
            )
            for entry in content.labels
        }
    )


def _refuse_wrong_parent(entry: _Entry, index: int, parents: Mapping[str, str | None], positions: Positions) -> None:
    if entry.under is None:
        return
    wrong: ConfigError | None = None
    if entry.under not in parents:
        known = ", ".join(sorted(parents)[:10])
        wrong = positions.error(f"there is no term {entry.under!r}; there are: {known}", ("labels", index, "under"))
    elif entry.term in _above(entry.term, parents):
        wrong = positions.error(f"{entry.term!r} is a kind of itself, by way of others", ("labels", index, "under"))
    if wrong is not None:
        raise wrong


def _above(name: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the terms above one, nearest first; a circle ends where it closes."""
    found: list[str] = []
    above = parents.get(name)
    while above is not None and above not in found:
        found.append(above)
        above = parents.get(above)
    return tuple(found)
