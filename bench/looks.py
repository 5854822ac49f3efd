"""What a search by look costs among very many pictures: made ones in the distribution of real ones, asked for real.

A made picture is the mixture of two real ones: of their appearances, and of their vectors by each aspect, which are
mixed and rounded rather than computed from the appearance. That would take minutes for a million.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.photographs import DISTRACTORS, PROTECTED, opened
from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.appearance_bytes import APPEARANCE_VERSION
from guardian.matching.index import segments
from guardian.matching.index.segments import Generation
from guardian.matching.settings import MatchingSettings
from guardian.search.aspects import VECTORS, Aspect, exact_vectors_of, rounded, unit
from guardian.search.candidates import head_of
from guardian.search.nearest import nearest, signs_of
from guardian.search.question import By, Kind, Question
from guardian.search.ranking import rank

TOP = 20
_SEGMENTS = 8
_QUESTIONS = 10
_OF_A_PHOTOGRAPH = 24
_RECIPE = f"appearance-{APPEARANCE_VERSION}"


@dataclass(frozen=True)
class Looked:
    """What a question costs among so many made pictures: CPU milliseconds of one core, medians.

    `asked_ms` are those of a whole question by each way, of which decoding and describing the picture asked with takes
    `describing_ms`. `recall` is the share, 0-1, of the ten nearest by vectors that are not rounded, among the ten of
    the search.
    """

    pictures: int
    asked_ms: dict[By, float]
    describing_ms: float
    recall: float
    megabytes: float


def measure(pictures: Sequence[NDArray[np.uint8]], count: int, folder: Path) -> Looked:
    """Make `count` pictures out of those given, uint8 [h, w, 3], in a data folder, and ask for some of these."""
    cv2.setNumThreads(1)
    appearances = np.stack([appearance_of(one).values for one in pictures])
    vectors = {aspect: exact_vectors_of(appearances, aspect) for aspect in Aspect}
    made = _Mixtures(np.random.default_rng(0), len(pictures), count)
    _write(folder / "appearance", appearances, vectors, made)

    chosen = [pictures[place] for place in np.linspace(0, len(pictures) - 1, _QUESTIONS).astype(int)]
    contents = [cv2.imencode(".png", one[:, :, ::-1])[1].tobytes() for one in chosen]
    asked = {by: _asked_ms(folder, contents, by) for by in (By.LOOK, By.COLOUR, By.AUTO)}
    return Looked(
        pictures=count,
        asked_ms=asked,
        describing_ms=_asked_ms(folder / "empty", contents, By.LOOK),
        recall=_recall(vectors[Aspect.LOOK], made),
        megabytes=count * sum(one.shape[1] for one in vectors.values()) / 1e6,
    )


def cut_from_photographs() -> list[NDArray[np.uint8]]:
    """Return parts of the demo's photographs, for who has no labelled pictures."""
    random, parts = np.random.default_rng(3), []
    for photograph in (*PROTECTED, *DISTRACTORS):
        rgb = np.asarray(opened(photograph))
        for share in random.uniform(0.3, 0.9, _OF_A_PHOTOGRAPH):
            height, width = (max(32, int(side * share)) for side in rgb.shape[:2])
            top, left = (
                int(random.integers(0, max(1, rest))) for rest in (rgb.shape[0] - height, rgb.shape[1] - width)
            )
            parts.append(np.ascontiguousarray(rgb[top : top + height, left : left + width]))
    return parts


class _Mixtures:
    """Which two of so many real pictures each made one is of, int64 [n], and the share of the first, float32 [n]."""

    def __init__(self, random: np.random.Generator, real: int, count: int) -> None:
        self.ones, self.others = random.integers(0, real, (2, count))
        self.shares = random.random(count, dtype=np.float32)

    def vectors(self, real: NDArray[np.float32], rows: slice) -> NDArray[np.float32]:
        """Return some of the made vectors, float32 [m, d], of the real ones."""
        share = self.shares[rows, None]
        return unit(real[self.ones[rows]] * share + real[self.others[rows]] * (1 - share))

    def appearances(self, real: NDArray[np.uint8], rows: slice) -> NDArray[np.uint8]:
        """Return some of the made appearances, uint8 [m, bytes], of the real ones."""
        share = np.round(self.shares[rows, None] * 255).astype(np.uint16)
        mixed = real[self.ones[rows]] * share + real[self.others[rows]] * (255 - share)
        return np.asarray(mixed // 255, dtype=np.uint8)


def _write(
    folder: Path, appearances: NDArray[np.uint8], vectors: dict[Aspect, NDArray[np.float32]], made: _Mixtures
) -> None:
    names = []
    for part in _parts(len(made.shares), _SEGMENTS):
        arrays = {
            "numbers": np.arange(part.start + 1, part.stop + 1),
            "appearances": np.concatenate([made.appearances(appearances, some) for some in _within(part)]),
        }
        for aspect, real in vectors.items():
            arrays[aspect.value] = np.concatenate([rounded(made.vectors(real, some)) for some in _within(part)])
        notes = {"pictures": part.stop - part.start, "vectors": VECTORS}
        names.append(segments.write_segment(folder, arrays, notes))
    segments.write_generation(folder, Generation(1, _RECIPE, tuple(names)))


def _parts(count: int, parts: int) -> list[slice]:
    bounds = np.linspace(0, count, parts + 1).astype(int).tolist()
    return [slice(begin, end) for begin, end in pairwise(bounds) if end > begin]


def _within(part: slice) -> list[slice]:
    """Return the part in pieces of which few lie in memory at once."""
    step = 4096
    return [slice(begin, min(begin + step, part.stop)) for begin in range(part.start, part.stop, step)]


def _asked_ms(data_dir: Path, contents: Sequence[bytes], by: By) -> float:
    settings, took = MatchingSettings(), []
    # What is mapped is read once before anything counts.
    for content in (contents[0], *contents):
        question = Question(data_dir, "none", {Kind.ASSET: None}, content=content, by=by, top=TOP)
        begin = time.process_time()
        rank(settings, question)
        took.append(1000 * (time.process_time() - begin))
    return float(np.median(took[1:]))


def _recall(real: NDArray[np.float32], made: _Mixtures) -> float:
    """Return how many of the ten nearest made vectors the scan over rounded ones finds, where its head is exact."""
    count = len(made.shares)
    asked = np.linspace(0, count - 1, _QUESTIONS).astype(int)
    queries = np.concatenate([made.vectors(real, slice(place, place + 1)) for place in asked])
    scores, kept = np.empty((len(queries), count), np.float32), np.empty((count, real.shape[1]), np.int8)
    for some in _within(slice(0, count)):
        vectors = made.vectors(real, some)
        scores[:, some], kept[some] = queries @ vectors.T, rounded(vectors)

    found, signs, head = [], signs_of(kept), head_of(By.LOOK, TOP)
    for number, mine in enumerate(scores):
        exact = np.argpartition(-mine, 10)[:10]
        query = rounded(queries[number : number + 1])
        brought, _ = nearest(kept, np.ones(count, bool), query, head, signs)
        best = brought[np.argsort(-mine[brought], kind="stable")[:10]]
        found.append(len(np.intersect1d(exact, best)) / 10)
    return float(np.mean(found))
