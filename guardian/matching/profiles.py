"""How closely matching looks: what is kept of an asset, and how a candidate is searched for it."""

from dataclasses import dataclass, replace

from guardian.matching.settings import MatchingSettings


@dataclass(frozen=True, slots=True)
class Scale:
    """One pass of detection: the picture's longer side in pixels, how many keypoints to keep, pyramid levels.

    Keypoints are taken evenly from all parts of the picture, but of the share `strong` of them only from among the
    strongest anywhere: these are found again where the picture is shown small.
    """

    longer_side: int
    keypoints: int
    levels: int = 8
    strong: float = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """The first three enter the index, the others only the search; `frames` enters both.

    `working_side`: pixels of the longer side to which a large picture is reduced while it is decoded; nothing looks
    closer. `preview_side`: pixels of an asset's preview.

    `voted_assets`: how many the keypoint route brings at most; the `measured_assets` of them that a quick look supports
    best are measured. `windows`: how many parts of a candidate are hashed beside the whole. `tiles`: whether its parts
    are encoded too when there is a descriptor. `negatives`: whether keypoints are also looked for in the candidate's
    negative. `stretched_scale`: at which scale keypoints are looked for once more in a candidate whose greys have a
    narrow range, stretched to all of them; None: at none. `frames`: how many frames of one file that differ are kept of
    an asset, and compared of a candidate. `mirrors`: whether keypoints are also looked for in its mirror image.
    `exact`: whether the best transform is looked for where one is found that is good.

    All sides are those of pictures up to twice as long as wide; longer ones get more (see `elongation`).
    """

    working_side: int
    asset_scales: tuple[Scale, ...]
    preview_side: int
    candidate_scales: tuple[Scale, ...]
    voted_assets: int
    measured_assets: int
    windows: int
    tiles: bool
    negatives: bool
    stretched_scale: Scale | None
    frames: int
    mirrors: bool = True
    exact: bool = True


# The candidate's smallest scale costs little: there a crop that was enlarged looks as it did in the asset. Four levels
# take the largest down to where the next one begins; more would find the same points twice.
FULL = Profile(
    # Just below the widths of common cameras (4000, 4032, 4096), whose files are then decoded at a half.
    working_side=2000,
    asset_scales=(Scale(1100, 250, strong=0.5), Scale(640, 450, strong=0.5), Scale(320, 150, strong=0.5)),
    preview_side=448,
    candidate_scales=(Scale(512, 1000), Scale(1024, 3000, levels=4), Scale(256, 400, levels=4)),
    voted_assets=48,
    measured_assets=12,
    windows=12,
    tiles=True,
    negatives=True,
    stretched_scale=Scale(512, 1000),
    frames=24,
)

FAST = Profile(
    working_side=1024,
    asset_scales=(Scale(512, 350, strong=0.5),),
    preview_side=256,
    candidate_scales=(Scale(512, 700),),
    voted_assets=10,
    measured_assets=3,
    windows=4,
    tiles=False,
    negatives=False,
    stretched_scale=None,
    frames=8,
)


_LONG_FROM = 2.0
_MOST_ELONGATION = 8.0


def elongation(width: int, height: int) -> float:
    """Return how many times as far a picture reaches as one that is twice as long as wide: 1 to 8.

    Panoramas and strips of web comics are shown and copied in pieces. With the longer side of an ordinary picture, a
    tenth of them would be a thumbnail: sides in pixels and numbers of keypoints are multiplied by this.
    """
    longer, shorter = max(width, height), max(1, min(width, height))
    return min(_MOST_ELONGATION, max(1.0, longer / shorter / _LONG_FROM))


def quick_search(profile: Profile) -> Profile:
    """Return a profile that searches the same index with the least effort that finds easy copies.

    Of the assets that votes bring, one is measured, and all that are clear: those share something with the candidate.
    """
    return replace(
        profile,
        candidate_scales=(Scale(320, 300, levels=3),),
        measured_assets=1,
        windows=0,
        tiles=False,
        negatives=False,
        stretched_scale=None,
        mirrors=False,
        exact=False,
    )


def profile_of(settings: MatchingSettings) -> Profile:
    """Return the profile that the settings name."""
    return FULL if settings.profile == "full" else FAST
