"""What an index of many assets costs: built from synthetic assets around real photographs, then searched for real.

A synthetic asset has the keypoints of a photograph in other places, its descriptors with a fifth of their bits flipped
(so they keep clustering as real ones do, and match nothing), and a random hash: no catalogue of 20,000 photographs
can be shipped with a benchmark.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import psutil

from demo.photographs import DISTRACTORS, PROTECTED, Photograph, opened
from guardian.evaluation import attacks
from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.index.layout import Entry
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings

SIZES = (600, 5_000, 20_000)
MEGAPIXELS = (0.2, 1.0, 12.0)
EDITS = ("crop40", "hflip", "screenshot", "onto_bg", "collage3x3", "mirror_crop30")
_BATCH = 5_000
_FOUND = 0.9


@dataclass(frozen=True)
class Grown:
    """An index of `assets`. Times are CPU milliseconds; `found` is the share of edited copies named at _FOUND.

    `adding_ms`: to decode and fingerprint a photograph and to search for a quick copy of it. `searchable_ms`: from
    publishing one more asset to an open index that holds it, as a clock on the wall counts. `anonymous_mib`: resident
    memory beside mapped files, which the page cache may drop.
    """

    profile: str
    assets: int
    build_ms_an_asset: float
    kilobytes_an_asset: float
    distractor: "Spent"
    copy: "Spent"
    found: float
    adding_ms: float
    searchable_ms: float
    resident_mib: float
    anonymous_mib: float


@dataclass(frozen=True)
class Spent:
    """What pictures of one kind cost, in CPU milliseconds."""

    mean_ms: float
    median_ms: float

    @classmethod
    def of(cls, times: Sequence[float]) -> "Spent":
        """Summarise the CPU milliseconds of each picture."""
        return cls(float(np.mean(times)), float(np.median(times)))


@dataclass(frozen=True)
class Sized:
    """What a distractor of so many megapixels costs against 600 assets, in CPU milliseconds."""

    profile: str
    megapixels: float
    cpu_ms: float


def measure(
    profile: str,
    sizes: Sequence[int],
    seen: Callable[[], None],
    edits: Sequence[str] = EDITS,
    photographs: Sequence[Photograph] = PROTECTED,
) -> Iterator[Grown]:
    """Grow an index to each size and ask it about distractors and edited copies of `photographs`, its real assets."""
    cv2.setNumThreads(1)
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
            yield _grown(profile, size, Path(folder), edits, photographs)
        seen()


def measure_sizes(profile: str) -> Iterator[Sized]:
    """The same distractor at all MEGAPIXELS."""
    cv2.setNumThreads(1)
    web = np.asarray(opened(DISTRACTORS[1]))
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
        matcher = _matcher(profile, 600, Path(folder), PROTECTED)
        for size in MEGAPIXELS:
            height = round((size * 1e6 / 1.5) ** 0.5)
            content = jpeg(attacks.resized(web, height * 1.5, height))
            yield Sized(profile, size, _cpu_ms(lambda content=content: matcher.match(content), 7))  # type: ignore[misc]


def _grown(profile: str, size: int, folder: Path, edits: Sequence[str], photographs: Sequence[Photograph]) -> Grown:
    started = time.process_time()
    matcher = _matcher(profile, size, folder, photographs)
    built = time.process_time() - started
    kilobytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e3
    random = np.random.default_rng(7)
    hosts = [np.asarray(opened(photograph)) for photograph in DISTRACTORS]
    distractors = [jpeg(attacks.shrunk(host, 550)) for host in hosts]
    copies = [
        (str(number), jpeg(attacks.apply(edit, np.asarray(opened(photograph)), random, [*hosts, *hosts])))
        for number, photograph in enumerate(photographs)
        for edit in edits
    ]
    matcher.match(distractors[0])
    strangers = [_cpu_ms(lambda content=content: matcher.match(content), 3) for content in distractors]  # type: ignore[misc]
    times, found = [], 0
    for name, content in copies:
        started = time.process_time()
        matches = matcher.match(content).matches
        times.append(1000 * (time.process_time() - started))
        found += any(match.asset_id == name and match.comparison.probability >= _FOUND for match in matches)
    memory = psutil.Process().memory_info()
    return Grown(
        profile=profile,
        assets=size,
        build_ms_an_asset=1000 * built / size,
        kilobytes_an_asset=kilobytes / size,
        distractor=Spent.of(strangers),
        copy=Spent.of(times),
        found=found / len(copies),
        adding_ms=_adding_ms(matcher, photographs),
        searchable_ms=_searchable_ms(matcher, size, folder),
        resident_mib=memory.rss / 2**20,
        anonymous_mib=(memory.rss - memory.shared) / 2**20,
    )


def _adding_ms(matcher: Matcher, photographs: Sequence[Photograph]) -> float:
    """Return what a photograph costs to be protected and searched for: the mean over these."""
    contents = [jpeg(np.asarray(opened(photograph)), quality=95) for photograph in photographs]
    started = time.process_time()
    for content in contents:
        matcher.match(matcher.fingerprint_with_copy(content)[1], quick=True)
    return 1000 * (time.process_time() - started) / len(contents)


def _searchable_ms(matcher: Matcher, size: int, folder: Path) -> float:
    """Return how long it takes until one more asset answers."""
    photograph = matcher.fingerprint(jpeg(np.asarray(opened(DISTRACTORS[0])), quality=95))
    started = time.perf_counter()
    IndexWriter(folder / matcher.recipe, matcher.recipe).publish([(size + 1, "one more", photograph)])
    matcher.refresh()
    return 1000 * (time.perf_counter() - started)


def _matcher(profile: str, size: int, folder: Path, photographs: Sequence[Photograph]) -> Matcher:
    """A matcher whose index holds these photographs (ids 0, 1, ...) and synthetic assets up to `size`."""
    matcher = Matcher(MatchingSettings.model_validate({"profile": profile}), None, folder)
    real = [matcher.fingerprint(jpeg(np.asarray(opened(photograph)), quality=95)) for photograph in photographs]
    writer = IndexWriter(folder / matcher.recipe, matcher.recipe)
    with writer.rebuild() as add:
        for start in range(0, size, _BATCH):
            add(list(_entries(real, range(start, min(size, start + _BATCH)))))
    while writer.merge():
        pass
    matcher.warm()
    return matcher


def _entries(real: Sequence[Fingerprint], numbers: range) -> Iterator[Entry]:
    for number in numbers:
        model = real[number % len(real)]
        made = model if number < len(real) else _synthetic(model, np.random.default_rng(number))
        yield number + 1, str(number), made


def _synthetic(model: Fingerprint, random: np.random.Generator) -> Fingerprint:
    count = len(model.points)
    flips = np.packbits(random.random((count, 256)) < 0.2, axis=1)
    points = replace(
        model.points,
        x=random.uniform(0, model.width, count).astype(np.float32),
        y=random.uniform(0, model.height, count).astype(np.float32),
        descriptors=model.points.descriptors ^ flips,
    )
    return replace(model, hash=random.integers(0, 256, 32, dtype=np.uint8), points=points)


def jpeg(pixels: attacks.Picture, quality: int = 88) -> bytes:
    """Return pixels as a JPEG file."""
    made = cv2.imencode(".jpg", pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return made.tobytes()


def _cpu_ms(work: Callable[[], object], runs: int) -> float:
    """The least of several runs: what the work itself costs."""
    times = []
    for _ in range(runs):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return 1000 * min(times)
