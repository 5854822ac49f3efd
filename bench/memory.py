"""Whether memory stays flat: very many small, varied pictures through the same workers a daemon uses."""

import asyncio
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from guardian.errors import Unmatchable
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers

IN_FLIGHT = 4
SAMPLES = 20


@dataclass(frozen=True)
class Sample:
    """Resident memory of the process and its workers after so many pictures."""

    images: int
    resident_mib: float


def pictures(count: int) -> Iterator[bytes]:
    """Small pictures, no two alike: noise at several scales, drawn shapes, four formats, sizes from 48 to 400."""
    random = np.random.default_rng(1)
    for number in range(count):
        width, height = random.integers(48, 400, 2)
        coarse = random.integers(0, 255, (int(random.integers(2, 24)), int(random.integers(2, 24)), 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((int(width), int(height)), Image.Resampling(int(number % 4)))
        kind = ("JPEG", "PNG", "WEBP", "GIF")[number % 4]
        if kind == "GIF":
            # The palette that Pillow would choose by itself costs more than all else of making a picture.
            picture = picture.quantize(256, Image.Quantize.FASTOCTREE)
        out = io.BytesIO()
        picture.save(out, kind)
        content = out.getvalue()
        # One in fifty is broken, as on the web.
        yield content[: len(content) // 2] if number % 50 == 49 else content


def resident_mib() -> float:
    """Mebibytes of this process and all its children; shared pages are counted in each."""
    me = psutil.Process()
    total = 0
    for process in (me, *me.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


async def measure(index_folder: Path, count: int, seen: Callable[[], None]) -> list[Sample]:
    """Match `count` pictures and note the memory twenty times on the way."""
    workers = Workers(MatchingSettings(), EmbeddingSettings(), index_folder)
    samples: list[Sample] = []
    places = asyncio.Semaphore(IN_FLIGHT)
    done = 0

    async def one(content: bytes) -> None:
        nonlocal done
        try:
            await workers.match(content)
        except Unmatchable:
            pass
        finally:
            places.release()
        done += 1
        seen()
        if done % max(1, count // SAMPLES) == 0:
            samples.append(Sample(done, resident_mib()))

    try:
        async with asyncio.TaskGroup() as group:
            for content in pictures(count):
                await places.acquire()
                group.create_task(one(content))
    finally:
        await workers.aclose()
    return samples
