"""Tells what the copies of a work were made of, by their pixels: image phylogeny.

After Dias, Rocha and Goldenstein, "Image Phylogeny by Minimal Spanning Trees" (IEEE TIFS, 2012): versions are laid on
each other by what was measured, and each is taken to be made of the earlier one that it differs least from. Pixels are
compared in worker processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from guardian.errors import Unmatchable
from guardian.matching.matcher import Matcher
from guardian.model import Box, Spread, SpreadVersion, Transform

_SIDE = 96
"""Pixels of the frame in which versions are compared: previews have hardly more."""

_EDGE = 0.02
"""Two cuts lie at the same place within this share of the side; transforms are found to a few percent."""

_CLOSER = 0.8
"""A version is closer to another copy than to the work itself when it differs at most this much of that from it."""

_LEAST_PIXELS = 64
_NOISE, _CHANGED = 4.0, 10.0
"""Grey levels of 255: differences of compression, and of something that was changed."""

_SAME_CUT = 0.93


@dataclass(frozen=True, slots=True)
class Derivation:
    """What a version was made of: the place of another in the sequence, None for the work itself; in words how."""

    parent: int | None
    how: str


def with_derivations(spread: Spread, derivations: Sequence[Derivation]) -> Spread:
    """Return the spread with what `derive` says of each of its versions."""
    versions = tuple(
        replace(
            one,
            parent=None if found.parent is None else spread.versions[found.parent].sha256,
            how=found.how,
        )
        for one, found in zip(spread.versions, derivations, strict=True)
    )
    return replace(spread, versions=versions)


def derive(matcher: Matcher, content: bytes, versions: Sequence[SpreadVersion]) -> tuple[Derivation, ...]:
    """Return what each version of an asset was made of; a job for `Workers.run_with_matcher`.

    `content`: the asset's file. A version was made of an earlier one whose part of the work holds its own, if it
    differs less from that than from the work, or is cut at an edge where that was cut. Raises Unmatchable.
    """
    try:
        picture = matcher.decoded(content)
    except Unmatchable:
        return tuple(Derivation(None, one.comparison.description) for one in versions)

    frame = _Frame(picture.width, picture.height)
    own = _AlignedVersion(frame.shrunk(picture.grey), np.ones((frame.height, frame.width), bool))
    laid = [_laid(frame, one) for one in versions]
    found = []
    for place, version in enumerate(versions):
        earlier = [at for at in range(place) if _holds(_box(versions[at]), _box(version))]
        parent = _parent(versions, laid, own, place, earlier)
        base = own if parent is None else laid[parent]
        found.append(
            Derivation(parent, _how(version, versions[parent] if parent is not None else None, laid[place], base))
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _AlignedVersion:
    """A version as it shows in the asset's frame: grey levels and where it shows anything, both [height, width]."""

    grey: NDArray[np.float32]
    shown: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Frame:
    """The asset's frame, reduced. `full_width` and `full_height` are the asset's own pixels."""

    full_width: int
    full_height: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return max(8, round(self.full_width * _SIDE / max(self.full_width, self.full_height)))

    @property
    def height(self) -> int:
        """Pixels down."""
        return max(8, round(self.full_height * _SIDE / max(self.full_width, self.full_height)))

    def shrunk(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the asset itself in this frame."""
        return cv2.resize(grey, (self.width, self.height), interpolation=cv2.INTER_AREA).astype(np.float32)


def _laid(frame: _Frame, version: SpreadVersion) -> _AlignedVersion | None:
    """Lay a version's preview on the asset's frame by the transform that was measured; None without either."""
    transform = version.comparison.transform
    preview = cv2.imdecode(np.frombuffer(version.preview, np.uint8), cv2.IMREAD_GRAYSCALE) if version.preview else None
    if preview is None or transform is None or not version.width:
        return None

    # From the frame to asset pixels, to the version's pixels, to those of its preview.
    to_asset = np.diag([frame.full_width / frame.width, frame.full_height / frame.height, 1.0])
    to_version = np.vstack([np.reshape(transform.matrix, (2, 3)), [0.0, 0.0, 1.0]])
    height, width = preview.shape
    to_preview = np.diag([width / version.width, height / version.height, 1.0])
    matrix = (to_preview @ to_version @ to_asset)[:2]
    flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (frame.width, frame.height)
    grey = cv2.warpAffine(preview, matrix, size, flags=flags).astype(np.float32)
    shown = cv2.warpAffine(np.full_like(preview, 255), matrix, size, flags=flags) > 250
    if transform.inverted:
        grey = 255 - grey
    return _AlignedVersion(grey, shown & _within(frame, transform))


def _within(frame: _Frame, transform: Transform) -> NDArray[np.bool_]:
    """Return where the frame lies within the part of the asset that agrees: bool [height, width]."""
    left, top, right, bottom = transform.asset_box
    x, y = (np.arange(frame.width) + 0.5) / frame.width, (np.arange(frame.height) + 0.5) / frame.height
    return np.asarray(((y >= top) & (y <= bottom))[:, None] & ((x >= left) & (x <= right))[None, :])


def _difference(one: _AlignedVersion | None, other: _AlignedVersion | None) -> float | None:
    """Return the mean difference in grey levels where both show something, brightness and contrast made alike.

    None where they show too little in common to tell.
    """
    if one is None or other is None:
        return None
    both = one.shown & other.shown
    if both.sum() < _LEAST_PIXELS:
        return None
    mine, theirs = one.grey[both], other.grey[both]
    scale = float(mine.std() / max(theirs.std(), 1.0))
    return float(np.abs(mine - mine.mean() - (theirs - theirs.mean()) * min(max(scale, 0.5), 2.0)).mean())


def _parent(
    versions: Sequence[SpreadVersion],
    laid: Sequence[_AlignedVersion | None],
    own: _AlignedVersion,
    place: int,
    earlier: Sequence[int],
) -> int | None:
    """Return which earlier version one was made of; None for the work itself."""
    from_work = _difference(laid[place], own)
    best: tuple[float, int] | None = None
    for at in earlier:
        difference = _difference(laid[place], laid[at])
        shared = _shared_cuts(_box(versions[at]), _box(versions[place]))
        if difference is None or from_work is None:
            # Without pixels only a cut that both share tells.
            is_closer, difference = shared > 0, _NOISE
        else:
            is_closer = difference <= _CLOSER * from_work and from_work > _NOISE
            is_closer = is_closer or (shared > 0 and difference <= from_work + _NOISE)
        if is_closer and (best is None or difference < best[0]):
            best = (difference, at)
    return best[1] if best is not None else None


def _box(version: SpreadVersion) -> Box:
    transform = version.comparison.transform
    return transform.asset_box if transform is not None else (0.0, 0.0, 1.0, 1.0)


def _holds(outer: Box, inner: Box) -> bool:
    """Return whether one part of the asset holds another, but for what transforms may be wrong by."""
    left, top, right, bottom = outer
    return (
        inner[0] >= left - _EDGE
        and inner[1] >= top - _EDGE
        and inner[2] <= right + _EDGE
        and inner[3] <= bottom + _EDGE
    )


def _shared_cuts(one: Box, other: Box) -> int:
    """Count the sides on which both are cut at the same place, inside the asset."""
    ends = (0.0, 0.0, 1.0, 1.0)
    pairs = zip(one, other, ends, strict=True)
    return sum(abs(mine - theirs) <= _EDGE and abs(mine - end) > 2 * _EDGE for mine, theirs, end in pairs)


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _how(
    version: SpreadVersion, parent: SpreadVersion | None, laid: _AlignedVersion | None, base: _AlignedVersion | None
) -> str:
    """Return in words what was done to the parent, or to the work, to make a version."""
    if parent is None:
        return version.comparison.description
    share = _area(_box(version)) / max(_area(_box(parent)), 1e-6)
    difference = _difference(laid, base)
    parts = [f"crop of {share * 100:.0f} % of it" if share < _SAME_CUT else "the same cut"]
    mirrored = [one.comparison.transform is not None and one.comparison.transform.mirrored for one in (version, parent)]
    if mirrored[0] != mirrored[1]:
        parts.append("mirrored")
    if difference is not None and difference > _CHANGED:
        parts.append("changed")
    elif difference is not None and difference <= _NOISE and share >= _SAME_CUT:
        parts = ["saved again"]
    return ", ".join(parts)
