"""A candidate made ready for search and comparison: computed once, whatever number of shards is then asked."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features import hashing, keypoints
from guardian.matching.features.contrast import stretched
from guardian.matching.features.image import Picture
from guardian.matching.features.keypoints import Sides, joined_sides, side_of
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.features.windows import PixelBox, windows
from guardian.matching.guided_matching import CandidateGrid
from guardian.matching.profiles import Profile

HashedWindow = tuple[PixelBox, NDArray[np.uint8]]
"""A part of the candidate, in its pixels, and the part's hashes in eight orientations, uint8 [8, 32]."""


@dataclass(slots=True)
class Candidate:
    """The features of one candidate, all in pixels of its full upright picture. Pickles.

    `sides` are the keypoints of the picture, of its mirror image (in the mirror image's coordinates) and of its
    negative. `windows` begin with the whole picture.
    """

    sides: Sides
    windows: list[HashedWindow]
    pyramid: Pyramid
    _grids: dict[int, CandidateGrid] = field(default_factory=dict)
    _negatives: list[Pyramid] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Pixels of the full upright picture."""
        return self.pyramid.width

    @property
    def height(self) -> int:
        """Pixels of the full upright picture."""
        return self.pyramid.height

    def grid(self, *, mirrored: bool, inverted: bool) -> CandidateGrid:
        """Return the keypoints of one side in a grid, sorted on first use."""
        side = side_of(mirrored=mirrored, inverted=inverted)
        if side not in self._grids:
            self._grids[side] = CandidateGrid(self.sides[side], self.width, self.height)
        return self._grids[side]

    def pixels(self, *, inverted: bool) -> Pyramid:
        """Return the picture, or its negative, made on first use."""
        if not inverted:
            return self.pyramid
        if not self._negatives:
            self._negatives.append(Pyramid(~self.pyramid.grey, self.width, self.height))
        return self._negatives[0]


def candidate_of(picture: Picture, profile: Profile) -> Candidate:
    """Compute the features of a decoded candidate as closely as the profile asks for."""
    grey = picture.grey
    # Decoding may have reduced the picture; what is measured is said in pixels of the full one.
    across, down = picture.width / grey.shape[1], picture.height / grey.shape[0]

    found = keypoints.detect_sides(grey, profile.candidate_scales, negatives=profile.negatives, mirrors=profile.mirrors)
    scale = profile.stretched_scale
    stretched_grey = stretched(grey) if scale is not None else None
    if scale is not None and stretched_grey is not None:
        # Beside the others: stretching brings out noise, too, and where it does corners as they are serve better.
        more = keypoints.detect_sides(stretched_grey, (scale,), negatives=False, mirrors=profile.mirrors)
        found = joined_sides(found, more)
    upright, mirrored, negative, mirrored_negative = (keypoints.zoomed(side, across, down) for side in found)

    whole = (0.0, 0.0, grey.shape[1] * across, grey.shape[0] * down)
    hashed = [(whole, hashing.hash_turned(picture.tile))]
    # The first of the windows is the whole.
    for left, top, right, bottom in windows(grey)[1 : profile.windows + 1] if profile.windows else ():
        box = (left * across, top * down, right * across, bottom * down)
        hashed.append((box, _hashes(grey, (left, top, right, bottom))))
    sides = (upright, mirrored, negative, mirrored_negative)
    return Candidate(sides, hashed, Pyramid(grey, picture.width, picture.height))


def _hashes(grey: NDArray[np.uint8], box: PixelBox) -> NDArray[np.uint8]:
    """Return the hashes of one part in eight orientations: uint8 [8, 32]."""
    left, top, right, bottom = (round(side) for side in box)
    return hashing.hash_orientations(grey[top:bottom, left:right])
