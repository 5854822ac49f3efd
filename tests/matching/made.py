"""Made-up fingerprints for tests of storage, where it does not matter what a picture shows."""

from functools import lru_cache

import cv2
import numpy as np

from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.features.keypoints import Keypoints
from guardian.matching.index.layout import Entry

RECIPE = "v2-none"


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
