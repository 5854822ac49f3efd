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

from demo.photographs import DISTRACTORS, PROTECTED, opened
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
    """An index of `assets`. Times are CPU milliseconds; `found` is the share of edited copies named at _FOUND."""

    profile: str
    assets: int
    build_ms_an_asset: float
    kilobytes_an_asset: float
    distractor_ms: float
    copy_ms: float
    found: float
    resident_mib: float


@dataclass(frozen=True)
class Sized:
    """What a distractor of so many megapixels costs against 600 assets, in CPU milliseconds."""

    profile: str
    megapixels: float
    cpu_ms: float


def measure(
    profile: str, sizes: Sequence[int], seen: Callable[[], None], edits: Sequence[str] = EDITS
) -> Iterator[Grown]:
    """Grow an index to each size and ask it about distractors and edited copies of its few real assets."""
    cv2.setNumThreads(1)
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
            yield _grown(profile, size, Path(folder), edits)
        seen()


def measure_sizes(profile: str) -> Iterator[Sized]:
    """The same distractor at all MEGAPIXELS."""
    cv2.setNumThreads(1)
    web = np.asarray(opened(DISTRACTORS[1]))
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as folder:
        matcher = _matcher(profile, 600, Path(folder))
        for size in MEGAPIXELS:
            height = round((size * 1e6 / 1.5) ** 0.5)
            content = jpeg(attacks.resized(web, height * 1.5, height))
            yield Sized(profile, size, _cpu_ms(lambda content=content: matcher.match(content), 7))  # type: ignore[misc]


def _grown(profile: str, size: int, folder: Path, edits: Sequence[str]) -> Grown:
    started = time.process_time()
    matcher = _matcher(profile, size, folder)
    built = time.process_time() - started
    kilobytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e3
    random = np.random.default_rng(7)
    hosts = [np.asarray(opened(photograph)) for photograph in DISTRACTORS]
    distractors = [jpeg(attacks.shrunk(host, 550)) for host in hosts]
    copies = [
        (str(number), jpeg(attacks.apply(edit, np.asarray(opened(photograph)), random, [*hosts, *hosts])))
        for number, photograph in enumerate(PROTECTED)
        for edit in edits
    ]
    matcher.match(distractors[0])
    distractor_ms = _cpu_ms(lambda: [matcher.match(content) for content in distractors], 3) / len(distractors)
    started, found = time.process_time(), 0
    for name, content in copies:
        matches = matcher.match(content).matches
        found += any(match.asset_id == name and match.comparison.probability >= _FOUND for match in matches)
    return Grown(
        profile=profile,
        assets=size,
        build_ms_an_asset=1000 * built / size,
        kilobytes_an_asset=kilobytes / size,
        distractor_ms=distractor_ms,
        copy_ms=1000 * (time.process_time() - started) / len(copies),
        found=found / len(copies),
        resident_mib=psutil.Process().memory_info().rss / 2**20,
    )


def _matcher(profile: str, size: int, folder: Path) -> Matcher:
    """A matcher whose index holds the demo's photographs (ids 0, 1, ...) and synthetic assets up to `size`."""
    matcher = Matcher(MatchingSettings.model_validate({"profile": profile}), None, folder)
    real = [matcher.fingerprint(jpeg(np.asarray(opened(photograph)), quality=95)) for photograph in PROTECTED]
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
