"""What copies cost among very many remembered pictures: made pictures around real ones, searched for real.

A made picture has the keypoints of a photograph in other places, with a fifth of the bits of each descriptor flipped
(so they cluster as real ones do, and match nothing), its preview, and a random hash.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from bench.scale import EDITS, jpeg
from demo.photographs import DISTRACTORS, PROTECTED, opened
from guardian.evaluation import attacks
from guardian.matching.candidate import candidate_of
from guardian.matching.features.image import decode
from guardian.matching.features.small import small_fingerprint
from guardian.matching.index import segments
from guardian.matching.index.layout import table_arrays
from guardian.matching.index.segments import Generation
from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings
from guardian.memory import layout
from guardian.memory.copies import copies_of, memory_profile
from guardian.memory.joining import find_joined
from guardian.memory.reading import MemoryReader
from guardian.memory.writer import MOST_PICTURES

PICTURES = 100_000
RECIPE = "made"
"""Under which fingerprints lie that nothing else makes."""

_FOUND = 0.5
_JOINED = 64


@dataclass(frozen=True)
class Remembered:
    """A memory of so many made pictures. Times are CPU milliseconds of one core, medians; `found` is a share, 0-1.

    `features_ms`: decoding and describing the picture asked with, of `stranger_ms` and `copy_ms`, which are all.
    `joining_ms`: to see that a picture that is added is nearly the same as none.
    """

    pictures: int
    kilobytes_a_picture: float
    features_ms: float
    stranger_ms: float
    copy_ms: float
    found: float
    joining_ms: float
    resident_mib: float


def measure(folder: Path, count: int, seen: Callable[[], None]) -> Remembered:
    """Make a memory of `count` pictures; ask it about strangers, and about edited copies of its few real pictures."""
    cv2.setNumThreads(1)
    make(folder, count, seen)
    kilobytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e3
    reader = MemoryReader(folder, RECIPE)
    reader.refresh()
    matcher = Matcher(MatchingSettings(), None)
    matcher.load_kernels()

    random = np.random.default_rng(7)
    hosts = [np.asarray(opened(photograph)) for photograph in DISTRACTORS]
    strangers = [jpeg(attacks.shrunk(host, 550)) for host in hosts]
    copies = [
        (number + 1, jpeg(attacks.apply(edit, np.asarray(opened(photograph)), random, [*hosts, *hosts])))
        for number, photograph in enumerate(PROTECTED)
        for edit in EDITS
    ]

    def ask(content: bytes) -> list[int]:
        answer = copies_of(reader, matcher, content)
        return [copy.number for copy in answer.copies if copy.probability >= _FOUND]

    def describe(content: bytes) -> object:
        return candidate_of(matcher.decoded(content), memory_profile(matcher.profile))

    # What is mapped is read once before anything counts.
    ask(strangers[0])
    found = []

    def look_for(copy: tuple[int, bytes]) -> None:
        found.append(copy[0] in ask(copy[1]))

    return Remembered(
        pictures=count,
        kilobytes_a_picture=kilobytes / count,
        features_ms=_median_ms(describe, strangers),
        stranger_ms=_median_ms(ask, strangers),
        copy_ms=_median_ms(look_for, copies),
        found=float(np.mean(found)),
        joining_ms=_joining_ms(reader, strangers),
        resident_mib=psutil.Process().memory_info().rss / 2**20,
    )


def make(folder: Path, count: int, seen: Callable[[], None]) -> None:
    """Write a memory of `count` pictures, of which the first ones are real: those of the demo, numbered from 1."""
    real = _arrays_of_real()
    names = []
    for start in range(0, count, MOST_PICTURES):
        size = min(MOST_PICTURES, count - start)
        arrays = _made(real, start, size, np.random.default_rng(start))
        names.append(segments.write_segment(folder / RECIPE, arrays, {"pictures": size}))
        seen()
    segments.write_generation(folder / RECIPE, Generation(1, RECIPE, tuple(names)))


def _arrays_of_real() -> dict[str, NDArray[Any]]:
    entries = []
    for number, photograph in enumerate(PROTECTED):
        picture = decode(jpeg(np.asarray(opened(photograph)), quality=95), MatchingSettings())
        entries.append((number + 1, f"seen_{number + 1:016x}", small_fingerprint(picture)))
    return layout.arrays_of(entries, RECIPE)


def _made(real: layout.Arrays, start: int, count: int, random: np.random.Generator) -> dict[str, NDArray[Any]]:
    models = np.arange(start, start + count) % len(real["numbers"])
    points = _rows(real["starts"], models)
    descriptors = real["descriptors"][points]
    # Of each bit 3 in 16 are flipped.
    flipped = _noise(random, descriptors.shape)
    flipped &= _noise(random, descriptors.shape)
    more = _noise(random, descriptors.shape)
    more |= _noise(random, descriptors.shape)
    descriptors ^= flipped & more
    places = real["points"][points]
    places[:, :2] = random.integers(0, 1 << 16, (len(points), 2), dtype=np.uint16)
    hashes = _noise(random, (count, 32))
    if start == 0:
        kept, kept_points = len(real["numbers"]), len(real["points"])
        hashes[:kept] = real["hashes"]
        descriptors[:kept_points], places[:kept_points] = real["descriptors"], real["points"]

    numbers = np.arange(start + 1, start + count + 1)
    arrays: dict[str, NDArray[Any]] = {
        "numbers": numbers,
        "ids": np.array([f"seen_{number:016x}".encode("ascii") for number in numbers], dtype="S32"),
        "sizes": real["sizes"][models],
        "hashes": hashes,
        "phashes": _noise(random, (count, 8)),
        "starts": _starts(real["starts"], models).astype(np.uint32),
        "points": places,
        "descriptors": descriptors,
        "previews": _previews(real, models),
        "preview_starts": _starts(real["preview_starts"], models).astype(np.uint64),
    }
    return {**arrays, **dict(table_arrays([descriptors]))}


def _rows(starts: NDArray[Any], models: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of some pictures, one picture's after the other: int64 [all of them]."""
    bounds = starts.astype(np.int64)
    return np.concatenate([np.arange(bounds[model], bounds[model + 1]) for model in models])


def _previews(real: layout.Arrays, models: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the previews of some pictures, one after the other: with an index for each byte it would be a dozen GB."""
    bounds = real["preview_starts"].astype(np.int64)
    return np.concatenate([real["previews"][bounds[model] : bounds[model + 1]] for model in models])


def _starts(starts: NDArray[Any], models: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.diff(starts.astype(np.int64))[models])])


def _noise(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.frombuffer(random.bytes(int(np.prod(shape))), np.uint8).reshape(shape).copy()


def _joining_ms(reader: MemoryReader, contents: Sequence[bytes]) -> float:
    described = [small_fingerprint(decode(content, MatchingSettings())) for content in contents]
    entries = [(place, "new", described[place % len(described)]) for place in range(_JOINED)]
    return _median_ms(lambda _: find_joined(reader.segments, entries), range(3)) / _JOINED


def _median_ms(work: Callable[[Any], object], over: Sequence[Any]) -> float:
    taken = []
    for one in over:
        before = time.process_time()
        work(one)
        taken.append(1000 * (time.process_time() - before))
    return float(np.median(taken))
