"""What is known of an asset and its own bytes without measuring."""

from dataclasses import replace

from guardian.model import Comparison, Transform

_IN_PLACE = Transform(
    matrix=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    mirrored=False,
    angle_degrees=0.0,
    scale=1.0,
    asset_box=(0.0, 0.0, 1.0, 1.0),
    candidate_box=(0.0, 0.0, 1.0, 1.0),
)


def identical_comparison(measured: Comparison | None) -> Comparison:
    """Return what the matcher measured of an asset and its own bytes, except where these leave no doubt.

    To the matcher a symmetric or plain picture may look like a turned crop of itself; None when it found nothing.
    """
    return replace(
        measured or Comparison(1.0),
        probability=1.0,
        hash_distance=0,
        asset_coverage=1.0,
        candidate_coverage=1.0,
        transform=_IN_PLACE,
        aligned_similarity=1.0,
        description="the whole image",
    )
