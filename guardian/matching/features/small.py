"""The small fingerprint that the memory keeps of every picture that was compared: what finds it again, in few bytes.

Made of what matching has already decoded. At most MOST_BYTES each with its vote tables, the preview apart.
"""

import struct
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.matching.features import hashing, keypoints
from guardian.matching.features.appearance import PREVIEW_SIDE, appearance_of
from guardian.matching.features.appearance_bytes import Appearance, completed
from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.features.image import Picture
from guardian.matching.features.keypoints import Keypoints
from guardian.matching.features.phash import phash
from guardian.matching.features.resizing import reduced
from guardian.matching.profiles import Scale

MOST_BYTES = 8 * 1024
"""Of one fingerprint in a segment: hashes, keypoints, vote tables, appearance and vector. The preview is apart."""

_PREVIEW_QUALITY = 70
# One pass of six levels, 1.2 apart: from what survives a thumbnail to the points of a crop of a third.
_SCALES = (Scale(280, 96, levels=6, strong=0.5),)
_REDUCED_SIDE = 320
"""Pixels of the longer side, at least, of the reduced picture that everything is made of, if it has as many."""

_KEYPOINT_BYTES = 75
"""Of one keypoint in a segment: place, diameter, angle and descriptor 39, owner 4, four vote tables up to 32."""

_ROW_BYTES = 120
"""Of one picture in a segment: hashes, number, id, size and where its rows begin."""

_HEADER = struct.Struct("<4sIIIIII")
_MAGIC = b"gsf1"
# Positions are kept as shares of the picture's sides, angles in 256 steps: as the index of assets keeps them.
_MOST_PLACE, _ANGLE_STEPS = 65535, 256


@dataclass(frozen=True, slots=True)
class SmallFingerprint:
    """One remembered picture. `points` are in pixels of the full upright picture (`width` x `height`).

    `hash` is uint8 [32] (see hashing.py), `perceptual_hash` the published one (see phash.py) as uint8 [8]; `preview` a
    colour JPEG; `appearance` the packed appearance features, b"" without; `embedding` float16 [d], None without
    weights.
    """

    width: int
    height: int
    format: str
    hash: NDArray[np.uint8]
    perceptual_hash: NDArray[np.uint8]
    points: Keypoints
    preview: bytes
    appearance: bytes = b""
    embedding: NDArray[np.float16] | None = None

    def packed(self) -> bytes:
        """Return it as bytes, as it travels from a worker and waits for a segment."""
        count = len(self.points)
        size = np.array([self.width, self.height], np.float32)
        places = np.stack([self.points.x, self.points.y], axis=1) / size * _MOST_PLACE
        angles = np.round(self.points.angle * (_ANGLE_STEPS / 360)) % _ANGLE_STEPS
        vector = b"" if self.embedding is None else self.embedding.astype("<f2").tobytes()
        name = self.format.encode("ascii", "replace")[:8].ljust(8)
        return b"".join(
            (
                _HEADER.pack(
                    _MAGIC, self.width, self.height, count, len(self.preview), len(self.appearance), len(vector)
                ),
                name,
                self.hash.tobytes(),
                self.perceptual_hash.tobytes(),
                np.round(places).clip(0, _MOST_PLACE).astype("<u2").tobytes(),
                self.points.size.clip(0, 60000).astype("<f2").tobytes(),
                angles.astype(np.uint8).tobytes(),
                self.points.descriptors.tobytes(),
                self.preview,
                self.appearance,
                vector,
            )
        )

    def as_indexed(self, recipe: str) -> Fingerprint:
        """Return it as an index segment holds the fingerprint of an asset, so that one reader serves both."""
        vector = None if self.embedding is None else self.embedding.astype(np.float32)
        return Fingerprint(recipe, self.width, self.height, self.hash, self.points, self.preview, vector)


def unpacked(content: bytes) -> SmallFingerprint:
    """Return the fingerprint that `packed` wrote. Raises ValueError for anything else."""
    if len(content) < _HEADER.size or content[:4] != _MAGIC:
        raise ValueError("not a small fingerprint")
    _, width, height, count, of_preview, of_appearance, of_vector = _HEADER.unpack_from(content)
    parts, at = [], _HEADER.size
    for length in (8, 32, 8, 4 * count, 2 * count, count, 32 * count, of_preview, of_appearance, of_vector):
        parts.append(content[at : at + length])
        at += length
    if at != len(content):
        raise ValueError("a small fingerprint of another length than it says")

    name, upright, published, places, spans, angles, descriptors, preview, appearance, vector = parts
    placed = np.frombuffer(places, "<u2").reshape(-1, 2).astype(np.float32) / np.float32(_MOST_PLACE)
    points = Keypoints(
        x=placed[:, 0] * np.float32(width),
        y=placed[:, 1] * np.float32(height),
        size=np.frombuffer(spans, "<f2").astype(np.float32),
        angle=np.frombuffer(angles, np.uint8).astype(np.float32) * np.float32(360 / _ANGLE_STEPS),
        descriptors=np.frombuffer(descriptors, np.uint8).reshape(-1, 32),
    )
    return SmallFingerprint(
        width=width,
        height=height,
        format=name.decode("ascii").strip(),
        hash=np.frombuffer(upright, np.uint8),
        perceptual_hash=np.frombuffer(published, np.uint8),
        points=points,
        preview=preview,
        appearance=appearance,
        embedding=np.frombuffer(vector, "<f2").astype(np.float16) if vector else None,
    )


def small_fingerprint(
    picture: Picture,
    published_hash: str | None = None,
    embedding: NDArray[np.float32] | None = None,
) -> SmallFingerprint:
    """Compute the small fingerprint of a decoded picture.

    `published_hash` (pHash) and `embedding` (the descriptor's vector) are the picture's own where matching has computed
    them already.
    """
    # Everything else is made of one reduced picture: reducing large ones is most of the work.
    rgb = _reduced(picture.rgb)
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    vector = None if embedding is None else embedding.astype(np.float16)
    preview = reduced(rgb, PREVIEW_SIDE)
    appearance = appearance_of(preview).to_bytes()
    taken_bytes = len(appearance) + (0 if vector is None else vector.nbytes)
    points = _within_budget(keypoints.detect(grey, _SCALES), taken_bytes)
    return SmallFingerprint(
        width=picture.width,
        height=picture.height,
        format=picture.format,
        hash=hashing.hash_upright(grey),
        perceptual_hash=np.frombuffer(bytes.fromhex(published_hash or phash(picture.grey)), np.uint8),
        points=keypoints.zoomed(points, picture.width / grey.shape[1], picture.height / grey.shape[0]),
        preview=_jpeg(preview),
        appearance=appearance,
        embedding=vector,
    )


def with_appearance(known: SmallFingerprint, made: Appearance) -> SmallFingerprint:
    """Return a fingerprint with those parts of an appearance that it lacks; where these need room, fewer keypoints."""
    packed = completed(known.appearance, made).to_bytes()
    taken_bytes = len(packed) + (0 if known.embedding is None else known.embedding.nbytes)
    return replace(known, appearance=packed, points=_within_budget(known.points, taken_bytes))


def _within_budget(found: Keypoints, taken_bytes: int) -> Keypoints:
    """Return as many of the keypoints, evenly taken, as fit beside `taken_bytes` of other features."""
    room = (MOST_BYTES - _ROW_BYTES - taken_bytes) // _KEYPOINT_BYTES
    if len(found) <= room:
        return found
    return keypoints.taken(found, np.linspace(0, len(found) - 1, max(0, room)).astype(np.int32))


def _reduced(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture reduced by a whole number, so that its longer side has 320 to 640 pixels if it had as many.

    OpenCV averages whole numbers of pixels in a third of the time; for that, less than one of the picture's own reduced
    pixels is cut off at the right and at the bottom.
    """
    factor = max(rgb.shape[:2]) // _REDUCED_SIDE
    height, width = (max(1, side // max(1, factor)) for side in rgb.shape[:2])
    if factor <= 1 or height * factor > rgb.shape[0] or width * factor > rgb.shape[1]:
        return rgb
    whole = rgb[: height * factor, : width * factor]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _jpeg(rgb: NDArray[np.uint8]) -> bytes:
    """Return the preview encoded, in colour: it is for people too, and for features that are made again."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _PREVIEW_QUALITY])[1].tobytes()
