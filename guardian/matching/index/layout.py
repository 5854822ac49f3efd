"""What the arrays of an index segment are, and making them of fingerprints."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.index import votes

Entry = tuple[int, str, Fingerprint]
"""Asset number, asset id, fingerprint."""

MOST_PLACE = 65535
"""Positions are kept as uint16 shares of the picture's sides: to a sixteenth of a pixel at 4,000."""

ANGLE_STEPS = 256
"""Angles are kept as uint8: to 1.4 degrees, finer than ORB measures them."""


def arrays_of(entries: Sequence[Entry]) -> dict[str, NDArray[Any]]:
    """Return the arrays of one segment that holds n frames of assets with m keypoints together.

    A row for each frame (an asset that is no animation has one): `numbers` int64 [n], `ids` S32 [n] (the same for all
    frames of an asset), `sizes` int32 [n, 2] (width, height), `hashes` uint8 [n, 32], `vectors` float16 [n, d] (only
    when every asset has one), `frames` uint32 [n] (0 where a file has only one; only when some have more). `starts` and
    `preview_starts` [n + 1] say where a frame's rows begin in the arrays of keypoints and in `previews`.

    A row for each keypoint: `owners` uint32 [m] (the frame's row), `places` uint16 [m, 2], `spans` float16 [m],
    `angles` uint8 [m], `descriptors` uint8 [m, 32].

    `previews` uint8 [bytes]: grey JPEG files, one after the other. `offsets` and `rows`: see votes.VoteTables.
    """
    rows = [(number, identity, frame) for number, identity, fingerprint in entries for frame in fingerprint.frames]
    fingerprints = [fingerprint for _, _, fingerprint in rows]
    points = [fingerprint.points for fingerprint in fingerprints]
    counts = [len(one) for one in points]
    sizes = np.array([(fingerprint.width, fingerprint.height) for fingerprint in fingerprints], dtype=np.int32)
    owners = np.repeat(np.arange(len(rows), dtype=np.uint32), counts)

    x, y = np.concatenate([one.x for one in points]), np.concatenate([one.y for one in points])
    places = np.stack([x, y], axis=1) / sizes[owners] * MOST_PLACE
    angles = np.concatenate([one.angle for one in points]) * (ANGLE_STEPS / 360)
    preview_sizes = [len(fingerprint.preview) for fingerprint in fingerprints]

    arrays = {
        "numbers": np.array([number for number, _, _ in rows], dtype=np.int64),
        "ids": np.array([identity.encode("ascii") for _, identity, _ in rows], dtype="S32"),
        "sizes": sizes,
        "hashes": np.stack([fingerprint.hash for fingerprint in fingerprints]),
        "starts": np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        "owners": owners,
        "places": np.round(places).clip(0, MOST_PLACE).astype(np.uint16),
        # float16 ends at 65,504, and its largest values are infinite.
        "spans": np.concatenate([one.size for one in points]).clip(0, 60000).astype(np.float16),
        "angles": (np.round(angles) % ANGLE_STEPS).astype(np.uint8),
        "descriptors": np.concatenate([one.descriptors for one in points]).reshape(-1, 32),
        "previews": np.frombuffer(b"".join(fingerprint.preview for fingerprint in fingerprints), dtype=np.uint8),
        "preview_starts": np.concatenate([[0], np.cumsum(preview_sizes)]).astype(np.uint64),
    }

    embeddings = [fingerprint.embedding for fingerprint in fingerprints if fingerprint.embedding is not None]
    if len(embeddings) == len(rows):
        arrays["vectors"] = np.stack(embeddings).astype(np.float16)

    frames = [fingerprint.frame or 0 for fingerprint in fingerprints]
    if any(frames):
        arrays["frames"] = np.array(frames, dtype=np.uint32)

    tables = votes.build_tables(arrays["descriptors"])
    return {**arrays, "offsets": tables.offsets, "rows": tables.rows}
