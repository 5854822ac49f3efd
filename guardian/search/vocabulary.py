"""Reads labels.yaml: the owner's own terms, with the ways in which people say them, and what is a kind of what."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
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

    @property
    def digest(self) -> str:
        """A checksum of all terms, their phrasings and what is a kind of what, in hex."""
        listed = [(term.name, term.phrasings, term.above) for term in self.terms.values()]
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()

    def with_above(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return terms with all that they are kinds of, each once, by name."""
        found: set[str] = set()
        for name in names:
            found |= {name, *self.terms[name].above}
        return tuple(sorted(found))


class PhraseFinder:
    """Finds the phrasings of a vocabulary in words as databases keep them (see views/word_tokens.py)."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._by_first_word: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for term in vocabulary.terms.values():
            for phrasing in term.phrasings:
                parts = tuple(f" {' '.join(part.words)} " for part in terms(f'"{phrasing}"'))
                if parts:
                    first_word = parts[0].split()[0]
                    self._by_first_word.setdefault(first_word, []).append((term.name, parts))

    def terms_in(self, fields: Iterable[str]) -> set[str]:
        """Return the terms of which a phrasing stands, exactly so, in some fields; none goes from one into another."""
        texts = [f" {field} " for field in fields if field]
        words = {word for text in texts for word in text.split()}
        found: set[str] = set()
        for word in words & self._by_first_word.keys():
            for term, parts in self._by_first_word[word]:
                if term not in found and all(any(part in text for text in texts) for part in parts):
                    found.add(term)
        return found


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


@lru_cache(maxsize=4)
def read_unchanged(path: Path, changed_ns: int, size: int) -> Vocabulary:
    """Return what `read_vocabulary` does, read once for each time and size of the file. Raises ConfigError."""
    return read_vocabulary(path)


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
