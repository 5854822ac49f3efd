"""Measures the labelled examples of one seed with the shipped matcher, and keeps what was measured in a file."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import UsageError
from guardian.evaluation.examples import make_examples
from guardian.evaluation.picture_file import PictureFile
from guardian.evaluation.pictures import Picture
from guardian.evaluation.pile import Examples
from guardian.matching.features.fingerprint import fingerprint
from guardian.matching.features.image import Picture as Decoded
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import FULL
from guardian.matching.recipe import FITTED, index_recipe
from guardian.matching.settings import MatchingSettings
from guardian.matching.verify.confidence import FEATURES


@dataclass(frozen=True, slots=True)
class Pair:
    """One compared pair. `group` is the number of the query's main picture."""

    features: NDArray[np.float64]
    is_copy: bool
    edit: str
    group: int
    query: int

    @property
    def held_out_with(self) -> str:
        """What a fold holds out as a whole: all designs of a kind, of all seeds, or a picture and its edits.

        Trees that saw other calendars know how calendars are drawn here, so they say little about a kind that is new.
        """
        _, is_design, kind = self.edit.partition("design_")
        return f"design {kind}" if is_design else f"picture {self.group}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one seed teaches. `edits` names what was done to each query; of some of them no pair was measured."""

    seed: int
    edits: tuple[str, ...]
    pairs: tuple[Pair, ...]


def measured_seed(pictures: Sequence[Picture], seed: int) -> Measured:
    """Make the examples of a seed and measure them; their pictures lie in a temporary folder meanwhile."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        examples = make_examples(pictures, seed, PictureFile(Path(folder)).keep)
        pairs = tuple(measure_examples(examples))
        return Measured(seed, tuple(query.edit for query in examples.queries), pairs)


def measure_examples(examples: Examples) -> Iterator[Pair]:
    """Publish the references into a throw-away index and compare every query with it."""
    with tempfile.TemporaryDirectory() as folder:
        matcher = matcher_of([reference.picture for reference in examples.references], Path(folder))
        for number, query in enumerate(examples.queries):
            compared = [(int(pair.asset.id), pair.features) for pair in matcher.compared(as_decoded(query.picture))]
            yield from labelled(examples, number, compared)


def labelled(examples: Examples, number: int, compared: Sequence[tuple[int, NDArray[np.float64]]]) -> Iterator[Pair]:
    """Yield what one query teaches: each compared reference (its place, features) is a copy, is not, or is left out.

    Of an original that is protected several times only the reference with most of its own is learnt from. The others'
    evidence was taken as shared, and a copy that has nothing of its own would teach that shared pages are copies.
    """
    query = examples.queries[number]
    own = list(FEATURES).index("own_natural")
    most: dict[frozenset[int], float] = {}
    for place, features in compared:
        shows = examples.references[place].shows
        most[shows] = max(most.get(shows, 0.0), features[own])

    for place, features in compared:
        shows = examples.references[place].shows
        is_copy = bool(shows & query.copies)
        if is_copy and features[own] < most[shows]:
            continue
        if is_copy or not shows & query.may_show:
            yield Pair(features, is_copy, query.edit, query.main, number)


def matcher_of(pictures: Sequence[Picture], folder: Path) -> Matcher:
    """Make a matcher over a throw-away index; asset ids are the places in `pictures`."""
    recipe = index_recipe(MatchingSettings(), None)
    entries = [
        (number, str(number - 1), fingerprint(as_decoded(picture), recipe, FULL, None))
        for number, picture in enumerate(pictures, start=1)
    ]
    IndexWriter(folder / recipe, recipe).publish(entries)
    matcher = Matcher(MatchingSettings(), None, folder)
    matcher.refresh()
    return matcher


def as_decoded(rgb: Picture) -> Decoded:
    """Return pixels as the matcher takes them."""
    return Decoded(np.ascontiguousarray(rgb), rgb.shape[1], rgb.shape[0], "example")


def save(measured: Measured, path: Path) -> None:
    """Write what was measured as columns (.npz), for later fits and for studies of one's own."""
    pairs = measured.pairs
    columns = {
        "facts": np.stack([pair.features for pair in pairs]) if pairs else np.zeros((0, len(FEATURES))),
        "names": np.array(list(FEATURES)),
        "seed": np.array(measured.seed),
        "edits": np.array(measured.edits),
        "is_copy": np.array([pair.is_copy for pair in pairs], bool),
        "group": np.array([pair.group for pair in pairs], np.int64),
        "query": np.array([pair.query for pair in pairs], np.int64),
    }
    # Whoever kills this finds no half of a file.
    aside = path.with_suffix(".part.npz")
    np.savez_compressed(aside, **columns)  # type: ignore[arg-type]
    aside.replace(path)


def load(path: Path) -> Measured:
    """Read what `save` wrote. Raises UsageError for pairs of which other features were measured."""
    with np.load(path) as saved:
        if saved["names"].tolist() != list(FEATURES):
            raise UsageError(f"{path} holds other features than are measured today; remove it, to measure anew")
        edits = tuple(str(edit) for edit in saved["edits"])
        columns = zip(saved["facts"], saved["is_copy"], saved["group"], saved["query"], strict=True)
        pairs = tuple(
            Pair(row, bool(copy), edits[query], int(group), int(query)) for row, copy, group, query in columns
        )
        return Measured(int(saved["seed"]), edits, pairs)


def digest_of_code() -> str:
    """Digest all that makes and measures examples, so that a file says by which code it was fitted."""
    digest = hashlib.sha256()
    # The matcher's folder: FITTED lies one below it.
    for folder in (Path(__file__).parent, FITTED.parent.parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
