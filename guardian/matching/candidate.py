"""A candidate made ready for search and comparison: computed once, whatever number of shards is then asked."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from guardian.matching.features import hashing, keypoints
from guardian.matching.features.image import Picture
from guardian.matching.features.keypoints import Keypoints
from guardian.matching.features.pyramid import Pyramid
from guardian.matching.features.windows import PixelBox, windows
from guardian.matching.geometry import CandidateGrid
from guardian.matching.profiles import Profile

HashedWindow = tuple[PixelBox, NDArray[np.uint8]]
"""A part of the candidate, in its pixels, and the part's hashes in eight orientations, uint8 [8, 32]."""


@dataclass(slots=True)
class Candidate:
    """The features of one candidate, all in pixels of its full upright picture. Pickles.

    `sides` are the keypoints of the picture and those of its mirror image (in the mirror image's coordinates).
    `windows` begin with the whole picture.
    """

    sides: tuple[Keypoints, Keypoints]
    windows: list[HashedWindow]
    pyramid: Pyramid
    _grids: dict[bool, CandidateGrid] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Pixels of the full upright picture."""
        return self.pyramid.width

    @property
    def height(self) -> int:
        """Pixels of the full upright picture."""
        return self.pyramid.height

    def grid(self, *, mirrored: bool) -> CandidateGrid:
        """Return the keypoints of one side in a grid, sorted on first use."""
        if mirrored not in self._grids:
            self._grids[mirrored] = CandidateGrid(self.sides[mirrored], self.width, self.height)
        return self._grids[mirrored]


def candidate_of(picture: Picture, profile: Profile) -> Candidate:
    """Compute the features of a decoded candidate as closely as the profile asks for."""
    grey = picture.grey
    # Decoding may have reduced the picture; what is measured is said in pixels of the full one.
    across, down = picture.width / grey.shape[1], picture.height / grey.shape[0]

    upright, mirrored = keypoints.detect_both_sides(grey, profile.candidate_scales)
    sides = (keypoints.zoomed(upright, across, down), keypoints.zoomed(mirrored, across, down))

    hashed = [
        ((left * across, top * down, right * across, bottom * down), _hashes(grey, (left, top, right, bottom)))
        for left, top, right, bottom in windows(grey)[: profile.windows + 1]
    ]
    return Candidate(sides, hashed, Pyramid(grey, picture.width, picture.height))


def _hashes(grey: NDArray[np.uint8], box: PixelBox) -> NDArray[np.uint8]:
    """Return the hashes of one part in eight orientations: uint8 [8, 32]."""
    left, top, right, bottom = (round(side) for side in box)
    return hashing.hash_orientations(grey[top:bottom, left:right])
