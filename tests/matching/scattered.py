"""Made-up keypoints at random places, and what a transform makes of them."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from guardian.matching.features.keypoints import Keypoints
from guardian.matching.geometry import Matrix

WIDTH, HEIGHT = 640, 480


def scattered(count: int, seed: int) -> Keypoints:
    """Asset keypoints at random places with random descriptors."""
    generator = np.random.default_rng(seed)
    return Keypoints(
        x=generator.uniform(0, WIDTH, count).astype(np.float32),
        y=generator.uniform(0, HEIGHT, count).astype(np.float32),
        size=generator.choice([31, 37, 45, 54, 64], count).astype(np.float32),
        angle=generator.uniform(0, 360, count).astype(np.float32),
        descriptors=generator.integers(0, 256, (count, 32), dtype=np.uint8),
    )


def similarity(scale: float, degrees: float, x: float, y: float) -> Matrix:
    cosine, sine = scale * np.cos(np.deg2rad(degrees)), scale * np.sin(np.deg2rad(degrees))
    return np.array([cosine, -sine, x, sine, cosine, y])


def moved(points: Keypoints, matrix: Matrix, jitter: float = 0.0, seed: int = 0) -> Keypoints:
    """The same points as a candidate under a transform shows them."""
    generator = np.random.default_rng(seed)
    a, b, c, d, e, f = matrix
    scale, turn = np.sqrt(a * e - b * d), np.degrees(np.arctan2(d - b, a + e))
    shaken = generator.normal(0, jitter, (2, len(points)))
    return Keypoints(
        x=(a * points.x + b * points.y + c + shaken[0]).astype(np.float32),
        y=(d * points.x + e * points.y + f + shaken[1]).astype(np.float32),
        size=(points.size * scale).astype(np.float32),
        angle=((points.angle + turn) % 360).astype(np.float32),
        descriptors=points.descriptors,
    )


def joined(*parts: Keypoints) -> Keypoints:
    return Keypoints(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "y", "size", "angle")),
        descriptors=np.concatenate([part.descriptors for part in parts]),
    )


def corners(matrix: Matrix) -> NDArray[np.float64]:
    points = np.array([[0, 0, 1], [WIDTH, 0, 1], [WIDTH, HEIGHT, 1], [0, HEIGHT, 1]], dtype=np.float64)
    return np.asarray(points @ matrix.reshape(2, 3).T)


def apart(one: Matrix, other: Matrix) -> float:
    """The farthest that any corner of the asset is put elsewhere, in candidate pixels."""
    return float(np.abs(corners(one) - corners(other)).max())


similarities = st.builds(
    similarity, st.floats(0.2, 4), st.floats(-180, 180), st.floats(-2000, 2000), st.floats(-2000, 2000)
)
