"""Pictures that the tests of the memory remember, as a scan meets them."""

from datetime import UTC, datetime, timedelta

import numpy as np

from guardian.matching.features.image import Picture
from guardian.matching.features.small import SmallFingerprint, small_fingerprint
from guardian.model import Context, DescribedPicture, NewlySeen

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)


def picture(seed: int, size: tuple[int, int] = (320, 240)) -> Picture:
    """Return a picture with edges everywhere; another seed is another picture."""
    random = np.random.default_rng(seed)
    tiles = random.integers(0, 256, (size[1] // 20, size[0] // 20, 3), dtype=np.uint8)
    return Picture(np.kron(tiles, np.ones((20, 20, 1), np.uint8)), size[0], size[1], "PNG")


def described(fingerprint: SmallFingerprint) -> DescribedPicture:
    """Return what a worker says of a picture with this fingerprint."""
    return DescribedPicture(fingerprint.format, fingerprint.packed())


def met(
    seed: int, host: str = "shop.example", *, days_ago: float = 0, fingerprint: SmallFingerprint | None = None
) -> NewlySeen:
    """Return the picture of a seed as it was met on a page of a host."""
    return NewlySeen(
        sha256=f"{seed:064x}",
        width=320,
        height=240,
        perceptual_hash=None,
        image_url=f"https://{host}/pictures/{seed}.png",
        page_url=f"https://{host}/page-{seed}",
        source="shops",
        seen_at=NOW - timedelta(days=days_ago),
        context=Context(alt=f"picture {seed}", page_title="A shop"),
        described=described(fingerprint or small_fingerprint(picture(seed))),
    )
