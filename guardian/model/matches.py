"""What the matcher measured. Whether it matters is decided by the rules."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf

Box = tuple[float, float, float, float]
"""left, top, right, bottom as fractions (0-1) of a picture's width and height."""

Affine = tuple[float, float, float, float, float, float]
"""Row-major 2x3 matrix: x' = a*x + b*y + c, y' = d*x + e*y + f."""


_WHOLE = 0.9
"""Share of a picture that is nearly all of it: transforms are found to a few percent."""


@dataclass(frozen=True, slots=True)
class Transform:
    """How the asset lies in the candidate.

    `matrix` maps asset pixels to candidate pixels, both at their full upright size. `angle_degrees` is
    counter-clockwise as seen, after undoing the mirror; `scale` is candidate pixels per asset pixel.
    `asset_box` is the part of the asset that is visible, `candidate_box` the part of the candidate it fills.
    `inverted`: light and dark have changed places, as in a negative.
    """

    matrix: Affine
    mirrored: bool
    angle_degrees: float
    scale: float
    asset_box: Box
    candidate_box: Box
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured between one candidate and one asset. None means not measured, never zero.

    MEASURED_FACTS says of each number what it means and how large it can be; a number that is added here gets a
    row there, and rules' ranges, messages, their schema and the JSON of the commands follow. `transform`: how the
    asset lies in the candidate. `description`: what was done to the picture, in words. `frame`: which frame or page of
    the candidate shows it, `asset_frame`: which one of the asset it shows, both counted from 1; None where the file has
    only one.
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
    frame: int | None = None
    asset_frame: int | None = None

    @property
    def share_shown(self) -> float | None:
        """The share of the asset that is seen; None if it was not measured."""
        return self.asset_coverage

    @property
    def shows_whole(self) -> bool:
        """Whether each of the two pictures shows nearly all of the other."""
        return min(self.asset_coverage or 0.0, self.candidate_coverage or 0.0) >= _WHOLE

    @property
    def measured(self) -> dict[str, float | None]:
        """The numbers by name, in the order of MEASURED_FACTS."""
        return {fact.name: getattr(self, fact.name) for fact in MEASURED_FACTS}


@dataclass(frozen=True, slots=True)
class MeasuredFact:
    """One number of a Comparison: its field, the range it can take (`greatest` is inf without a bound), its unit.

    `label` is what people call it who do not measure pictures.
    """

    name: str
    label: str
    least: float
    greatest: float
    unit: str
    meaning: str


MEASURED_FACTS = (
    MeasuredFact(
        "probability",
        "How sure it is a copy",
        0,
        1,
        "probability",
        "Calibrated probability that the picture shows the asset's own pixels.",
    ),
    MeasuredFact(
        "hash_distance",
        "How far the fingerprints differ",
        0,
        256,
        "bits",
        "Bits of 256 that differ in the best of eight orientations.",
    ),
    # Without a bound: large pictures have many keypoints.
    MeasuredFact(
        "keypoint_inliers",
        "Details recognised in both",
        0,
        inf,
        "keypoints",
        "Matched keypoints that agree with the transform.",
    ),
    MeasuredFact(
        "asset_coverage", "Part of yours that is shown", 0, 1, "fraction", "Share of the asset that the overlap fills."
    ),
    MeasuredFact(
        "candidate_coverage",
        "Part of theirs that it fills",
        0,
        1,
        "fraction",
        "Share of the found picture that the overlap fills.",
    ),
    MeasuredFact(
        "aligned_similarity",
        "Likeness, point by point",
        0,
        1,
        "correlation",
        "Local correlation of the pixels after alignment.",
    ),
    # A cosine may be negative, unlike all the others.
    MeasuredFact(
        "embedding_similarity",
        "Likeness of the whole",
        -1,
        1,
        "cosine",
        "Cosine of the descriptors of the whole pictures.",
    ),
    MeasuredFact(
        "region_embedding_similarity",
        "Likeness of the part shown",
        -1,
        1,
        "cosine",
        "Cosine of the descriptors of the region where both overlap.",
    ),
)
"""The one list of what is measured, in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class Match:
    """An asset and what was measured against it."""

    asset_id: str
    comparison: Comparison


class NotComparedReason(StrEnum):
    """Why a part of a picture was not compared."""

    CUT_OFF = "cut_off"
    FRAMES = "frames"


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A part of a picture that was not compared, why, and in words which part that is."""

    reason: NotComparedReason
    detail: str


@dataclass(frozen=True, slots=True)
class MatchReport:
    """The matcher's answer for one candidate; `matches` are sorted by probability, the highest first.

    `up_to_number`: the highest asset number that was compared; later assets need another match. `assets_searched`: how
    many assets the index held. `partial`: some part of the index could not be searched. `width` and `height` are the
    candidate's, in pixels. `perceptual_hash`: the candidate's 64-bit pHash in hex, for other tools to
    compare; None in answers from before it was computed. `not_compared`: parts of the candidate that were not compared.
    """

    recipe: str
    matches: tuple[Match, ...]
    up_to_number: int
    assets_searched: int
    width: int
    height: int
    partial: bool = False
    perceptual_hash: str | None = None
    not_compared: tuple[NotCompared, ...] = ()
