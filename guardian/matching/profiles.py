"""How closely matching looks: what is kept of an asset, and how a candidate is searched for it."""

from dataclasses import dataclass, replace

from guardian.matching.settings import MatchingSettings


@dataclass(frozen=True, slots=True)
class Scale:
    """One pass of detection: the picture's longer side in pixels, how many keypoints to keep, pyramid levels."""

    longer_side: int
    keypoints: int
    levels: int = 8


@dataclass(frozen=True, slots=True)
class Profile:
    """The first three enter the index, the others only the search; `frames` enters both.

    `working_side`: pixels of the longer side to which a large picture is reduced while it is decoded; nothing looks
    closer.
    `preview_side`: pixels of an asset's preview. `voted_assets`: how many the keypoint route brings at most. `windows`:
    how many parts of a candidate are hashed beside the whole. `tiles`: whether its parts are encoded too when there
    is a descriptor. `frames`: how many frames of one file that differ are kept of an asset, and compared of a
    candidate.
    """

    working_side: int
    asset_scales: tuple[Scale, ...]
    preview_side: int
    candidate_scales: tuple[Scale, ...]
    voted_assets: int
    windows: int
    tiles: bool
    frames: int


# Four levels take the candidate's larger pass down to where the smaller one begins; more would find the same
# points twice.
FULL = Profile(
    # Just below the widths of common cameras (4000, 4032, 4096), whose files are then decoded at a half.
    working_side=2000,
    asset_scales=(Scale(640, 600), Scale(320, 200)),
    preview_side=448,
    candidate_scales=(Scale(512, 1000), Scale(1024, 3000, levels=4)),
    voted_assets=8,
    windows=12,
    tiles=True,
    frames=24,
)

FAST = Profile(
    working_side=1024,
    asset_scales=(Scale(512, 350),),
    preview_side=256,
    candidate_scales=(Scale(512, 700),),
    voted_assets=3,
    windows=4,
    tiles=False,
    frames=8,
)


def quick_search(profile: Profile) -> Profile:
    """Return a profile that searches the same index with the least effort that finds easy copies."""
    return replace(profile, candidate_scales=(Scale(320, 300, levels=3),), windows=1, tiles=False)


def profile_of(settings: MatchingSettings) -> Profile:
    """Return the profile that the settings name."""
    return FULL if settings.profile == "full" else FAST
