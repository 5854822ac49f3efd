"""Searches what is remembered for copies of a picture, by the matcher's own measure. Runs inside worker processes.

The remembered picture plays the part of the asset: its fingerprint is small, so that copies of small parts are missed
which the matcher would find. What it brings is looked at again by the matcher wherever the picture can still be had.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from guardian.matching.candidate import candidate_of
from guardian.matching.features.image import Picture
from guardian.matching.index.vector_route import PartEncoder
from guardian.matching.matcher import Matcher
from guardian.matching.profiles import Profile
from guardian.matching.shard import MeasuredPair, search_index
from guardian.matching.verify import confidence
from guardian.matching.verify.confidence import Confidence
from guardian.matching.verify.describing import transform_of
from guardian.matching.verify.sharing import exclusive_evidence
from guardian.memory.reading import MemoryReader, opened_reader
from guardian.model import Box
from guardian.views.comparisons import share_text

_VOTED = 96
"""Pictures that keypoints may vote for: many, since a picture may have been met in many versions."""

_MEASURED = 12
"""Of those that chance may have voted for, more in a large memory, so many are measured.

All that keypoints support clearly are measured anyhow (see shortlist.py).
"""

_WINDOWS = 2
"""Parts of a picture whose hashes are looked up at most: each is compared with every remembered picture.

Keypoints find parts as well.
"""

_MOST_KEYPOINTS = 2000
"""Looking keypoints up in a large memory is most of the work, and a small fingerprint has few to be found."""

_NEARLY_WHOLE = 0.9

WORTH_A_LOOK = 0.2
"""From this probability on the place of a remembered picture is looked at again; what is there the rules decide."""


@dataclass(frozen=True, slots=True)
class RememberedCopy:
    """A remembered picture that shows what a picture shows. Pickles."""

    number: int
    """Names it in the memory."""

    id: str

    probability: float
    """The matcher's, measured on a small fingerprint."""

    hash_distance: int

    inliers: int

    mirrored: bool

    own_share: float
    """How much of the picture the remembered one shows, 0-1."""

    seen_share: float
    """How much of the remembered picture that fills, 0-1."""

    own_box: Box
    """Which part of the picture that is, in fractions of its sides."""

    seen_box: Box
    """Which part of the remembered picture that is, in fractions of its sides."""

    @property
    def description(self) -> str:
        """What the remembered picture is of the other one, in words."""
        what = (
            "the whole image"
            if self.own_share >= _NEARLY_WHOLE
            else f"crop of {share_text(self.own_share)} of the image"
        )
        parts = [f"mirrored {what.removeprefix('the ')}" if self.mirrored else what]
        if self.seen_share < _NEARLY_WHOLE:
            parts.append(f"filling {share_text(self.seen_share)} of the picture found")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class CopiesFound:
    """The remembered copies of a picture, most probable first.

    `is_complete`: False when a segment could not be read, so that copies may be missing.
    """

    copies: tuple[RememberedCopy, ...]
    searched: int
    is_complete: bool


def memory_profile(profile: Profile) -> Profile:
    """Return the profile that a memory is searched by, where an index is searched by the one given.

    It spends less on each of many more pictures. Negatives are left to the hashes.
    """
    scales = (replace(scale, keypoints=min(_MOST_KEYPOINTS, scale.keypoints)) for scale in profile.candidate_scales)
    return replace(
        profile,
        candidate_scales=tuple(scales),
        voted_assets=_VOTED,
        measured_assets=_MEASURED,
        windows=min(_WINDOWS, profile.windows),
        tiles=False,
        negatives=False,
        stretched_scale=None,
    )


def copies_in(
    reader: MemoryReader, picture: Picture, profile: Profile, fitted: Confidence, encoder: PartEncoder | None = None
) -> CopiesFound:
    """Return what of a memory shows the same as a decoded picture. Raises IndexNotReady for damaged arrays."""
    # What is first protected is added by the thousand: making candidates of it would be a quarter of that work.
    if not len(reader):
        return CopiesFound((), 0, is_complete=not reader.damaged)

    narrowed = memory_profile(profile)
    answer = search_index(reader.as_index(), candidate_of(picture, narrowed), encoder, 0, narrowed)
    found = [_copy(pair, fitted) for pair in answer.pairs]
    found.sort(key=lambda one: (-one.probability, one.number))
    return CopiesFound(tuple(found), len(reader), is_complete=not reader.damaged)


def _copy(pair: MeasuredPair, fitted: Confidence) -> RememberedCopy:
    measurement, shown = pair.measurement, pair.measurement.shown
    # Copies of one picture share everything with each other, so that sharing tells nothing here.
    exclusive = exclusive_evidence([(pair.asset, measurement)])[0]
    features = confidence.features_of(measurement, pair.hash_distance, measurement.inliers, exclusive)
    transform = transform_of(measurement)
    return RememberedCopy(
        number=pair.asset.number,
        id=pair.asset.id,
        probability=fitted.probability(features),
        hash_distance=pair.hash_distance,
        inliers=measurement.inliers,
        mirrored=measurement.mirrored,
        own_share=shown.candidate_coverage,
        seen_share=shown.asset_coverage,
        own_box=transform.candidate_box,
        seen_box=transform.asset_box,
    )


def copies_of(reader: MemoryReader, matcher: Matcher, content: bytes) -> CopiesFound:
    """Return what of a memory shows the same as an encoded picture. Raises Unmatchable, IndexNotReady."""
    return copies_in(reader, matcher.decoded(content), matcher.profile, matcher.confidence)


def find_copies(matcher: Matcher, folder: Path, recipe: str, contents: Sequence[bytes]) -> list[CopiesFound]:
    """Return the remembered copies of encoded pictures, in their order; a job for `Workers.run_with_matcher`.

    Raises Unmatchable, IndexNotReady.
    """
    reader = opened_reader(folder, recipe)
    reader.refresh()
    return [copies_of(reader, matcher, content) for content in contents]
