"""What the matcher measured. No verdicts: rules judge."""

from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""left, top, right, bottom as fractions (0-1) of a picture's width and height."""

Affine = tuple[float, float, float, float, float, float]
"""Row-major 2x3 matrix: x' = a*x + b*y + c, y' = d*x + e*y + f."""


@dataclass(frozen=True, slots=True)
class Transform:
    """How the asset lies in the candidate.

    `matrix` maps asset pixels to candidate pixels, both at their full upright size. `angle_degrees` is
    counter-clockwise as seen, after undoing the mirror; `scale` is candidate pixels per asset pixel.
    `asset_box` is the part of the asset that is visible, `candidate_box` the part of the candidate it fills.
    """

    matrix: Affine
    mirrored: bool
    angle_degrees: float
    scale: float
    asset_box: Box
    candidate_box: Box


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured between one candidate and one asset. None means not measured, never zero.

    `hash_distance`: bits of 256 that differ in the best of eight orientations. `keypoint_inliers`: matched
    keypoints that agree with `transform`. `asset_coverage`, `candidate_coverage`: shares (0-1) of each
    picture that the overlap fills. `aligned_similarity`: local correlation (0-1) of the pixels after
    alignment. `embedding_similarity`, `region_embedding_similarity`: cosine (-1 to 1) of the descriptors of
    the whole pictures and of the aligned region. `probability`: calibrated probability (0-1) that the
    candidate shows the asset's own pixels. `description`: what was done to the picture, in words.
    """

    probability: float
    hash_distance: int | None = None
    keypoint_inliers: int | None = None
    asset_coverage: float | None = None
    candidate_coverage: float | None = None
    transform: Transform | None = None
    aligned_similarity: float | None = None
    embedding_similarity: float | None = None
    region_embedding_similarity: float | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """An asset and what was measured against it."""

    asset_id: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class MatchReport:
    """The matcher's answer for one candidate, most probable first.

    `up_to_number`: the newest asset number this answer speaks about. `assets_searched`: how many assets
    stood in the index. `partial`: some part of the index could not be searched. `perceptual_hash`: the candidate's
    64-bit pHash in hex, for other tools to compare; None in answers from before it was computed.
    """

    recipe: str
    matches: tuple[Match, ...]
    up_to_number: int
    assets_searched: int
    width: int
    height: int
    partial: bool = False
    perceptual_hash: str | None = None
