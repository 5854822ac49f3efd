"""Made-up fingerprints for tests of storage, where it does not matter what a picture shows."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.features.keypoints import Keypoints
from guardian.matching.index import reader, segments
from guardian.matching.index.layout import Entry
from guardian.matching.index.reader import Index
from guardian.matching.index.writer import IndexWriter

RECIPE = "v3-none"


@lru_cache(maxsize=32)
def _preview(seed: int) -> bytes:
    grey = np.random.default_rng(seed).integers(0, 256, (30, 40), dtype=np.uint8)
    return cv2.imencode(".jpg", grey)[1].tobytes()


def made_fingerprint(seed: int, points: int = 60, dimensions: int = 0) -> Fingerprint:
    """Random, of a picture of 400 x 300; with a unit vector where `dimensions` are given."""
    generator = np.random.default_rng(seed)
    vector = generator.normal(size=dimensions).astype(np.float32)
    return Fingerprint(
        recipe=RECIPE,
        width=400,
        height=300,
        hash=generator.integers(0, 256, 32, dtype=np.uint8),
        points=Keypoints(
            x=generator.uniform(0, 400, points).astype(np.float32),
            y=generator.uniform(0, 300, points).astype(np.float32),
            size=generator.uniform(20, 90, points).astype(np.float32),
            angle=generator.uniform(0, 360, points).astype(np.float32),
            descriptors=generator.integers(0, 256, (points, 32), dtype=np.uint8),
        ),
        preview=_preview(seed % 32),
        embedding=vector / np.linalg.norm(vector) if dimensions else None,
    )


def made_entries(*numbers: int, dimensions: int = 0) -> list[Entry]:
    """One for each asset number, its seed the number."""
    return [(number, f"asset-{number:024d}", made_fingerprint(number, dimensions=dimensions)) for number in numbers]


def publish_made(folder: Path, *numbers: int, dimensions: int = 0) -> None:
    """Add assets of these numbers to an index, and join its segments where they have become many."""
    writer = IndexWriter(folder, RECIPE)
    writer.publish(made_entries(*numbers, dimensions=dimensions))
    while writer.merge():
        pass


def answering(opened: Index) -> list[int]:
    """The numbers of the assets that answer in an opened index."""
    return sorted(int(number) for segment in opened.segments for number in segment.numbers[segment.alive])


def published(opened: Index) -> dict[int, tuple[str, Fingerprint]]:
    """Id and fingerprint by number, as an opened index gives them back."""
    return {number: (asset, made) for one in opened.segments for number, asset, made in one.entries(RECIPE)}


def same(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two are equal but for the rounding of places, sizes, angles and vectors that the index keeps."""
    mine, theirs = one.points, other.points
    vectors = one.embedding is None and other.embedding is None
    if one.embedding is not None and other.embedding is not None:
        vectors = bool(np.allclose(one.embedding, other.embedding, atol=1e-3))
    return vectors and bool(
        (one.recipe, one.width, one.height, one.preview) == (other.recipe, other.width, other.height, other.preview)
        and np.array_equal(one.hash, other.hash)
        and np.array_equal(mine.descriptors, theirs.descriptors)
        and np.allclose(mine.x, theirs.x, atol=0.01)
        and np.allclose(mine.y, theirs.y, atol=0.01)
        and np.allclose(mine.size, theirs.size, rtol=0.017)
        and (np.abs((mine.angle - theirs.angle + 180) % 360 - 180) <= 0.71).all()
    )


def numbers_in(folder: Path) -> frozenset[int]:
    """What answers, every byte checked."""
    return frozenset(reader.contents(folder, RECIPE, every_byte=True).numbers)


def segments_in(folder: Path) -> frozenset[str]:
    """The names of the segments that count."""
    generation = segments.read_generation(folder)
    return frozenset(generation.segments if generation else ())


def is_on_disk(folder: Path, number: int) -> bool:
    """Whether a file below a folder holds the preview or a descriptor of a made-up asset.

    Made-up previews repeat after 32 numbers.
    """
    made = made_fingerprint(number)
    sought = [made.preview, *(row.tobytes() for row in made.points.descriptors)]
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return any(piece in content for content in contents for piece in sought)
