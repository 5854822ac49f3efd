"""Everything that is computed once from an asset's picture and kept in the index."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching import hashing, keypoints
from guardian.matching.image import Picture
from guardian.matching.keypoints import Keypoints
from guardian.matching.profiles import Profile

_PREVIEW_QUALITY = 72


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One picture, ready to be published. Pickles.

    `hash` is uint8 [32]; `points` are in pixels of the full upright picture (`width` x `height`);
    `preview` a grey JPEG of at most the profile's side; `embedding` float32 [d] or None without weights.
    """

    recipe: str
    width: int
    height: int
    hash: NDArray[np.uint8]
    points: Keypoints
    preview: bytes
    embedding: NDArray[np.float32] | None = None


def fingerprint(picture: Picture, recipe: str, profile: Profile, embedding: NDArray[np.float32] | None) -> Fingerprint:
    """Compute the fingerprint of a decoded picture."""
    grey = picture.grey
    factor = min(1.0, profile.preview_side / max(grey.shape))
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    preview = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _PREVIEW_QUALITY])[1]
    found = keypoints.detect(grey, profile.asset_scales)
    return Fingerprint(
        recipe=recipe,
        width=picture.width,
        height=picture.height,
        hash=hashing.hash_upright(grey),
        points=keypoints.zoomed(found, picture.width / grey.shape[1], picture.height / grey.shape[0]),
        preview=preview.tobytes(),
        embedding=embedding,
    )
