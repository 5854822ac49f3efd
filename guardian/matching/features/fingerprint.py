"""Everything that is computed once from an asset's picture and kept in the index."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features import hashing, keypoints
from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.image import Picture
from guardian.matching.features.keypoints import Keypoints
from guardian.matching.features.phash import phash
from guardian.matching.features.resizing import reduced
from guardian.matching.profiles import Profile, elongation
from guardian.model import NotCompared

_PREVIEW_QUALITY = 72


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One picture, ready to be published. Pickles.

    `hash` is uint8 [32]; `points` are in pixels of the full upright picture (`width` x `height`);
    `preview` a grey JPEG of at most the profile's side; `embedding` float32 [d] or None without weights.
    `frame`: which frame or page of the asset's file this is, counted from 1; None where it has only one.
    `perceptual_hash` is the published one (see phash.py). `others` are the fingerprints of the file's other frames that
    differ, `not_compared` what of the file has no fingerprint; `appearance` uint8 [APPEARANCE_BYTES] is what the search
    compares. The index does not keep these four: it holds each frame by itself.
    """

    recipe: str
    width: int
    height: int
    hash: NDArray[np.uint8]
    points: Keypoints
    preview: bytes
    embedding: NDArray[np.float32] | None = None
    frame: int | None = None
    perceptual_hash: str | None = None
    others: tuple["Fingerprint", ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    appearance: NDArray[np.uint8] | None = None

    @property
    def frames(self) -> "tuple[Fingerprint, ...]":
        """This fingerprint and those of the file's other frames."""
        return (self, *self.others)


def fingerprint(picture: Picture, recipe: str, profile: Profile, embedding: NDArray[np.float32] | None) -> Fingerprint:
    """Compute the fingerprint of a decoded picture; `embedding` is its descriptor's vector, None without weights."""
    grey = picture.grey

    # The preview is what alignment compares with; nothing looks closer than its side.
    side = profile.preview_side * elongation(picture.width, picture.height)
    small = reduced(grey, side)
    preview = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _PREVIEW_QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1])[1]

    found = keypoints.detect(grey, profile.asset_scales)
    return Fingerprint(
        recipe=recipe,
        width=picture.width,
        height=picture.height,
        hash=hashing.hash_tiles(picture.tile[None])[0],
        points=keypoints.zoomed(found, picture.width / grey.shape[1], picture.height / grey.shape[0]),
        preview=preview.tobytes(),
        embedding=embedding,
        frame=picture.frame,
        perceptual_hash=phash(grey),
        appearance=appearance_of(picture.rgb).values,
    )
