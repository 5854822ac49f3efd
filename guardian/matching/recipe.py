"""Names of how fingerprints and answers are made; unlike recipes are never compared."""

import hashlib
from pathlib import Path

from guardian.matching.settings import MatchingSettings

FITTED = Path(__file__).parent / "verify" / "confidence.json"
"""The fitted confidence. Its path stands here, where nothing heavy is imported: whoever names a recipe needs it."""

FINGERPRINT_VERSION = 5
"""Raise when anything that enters a fingerprint changes: front ends, scales, keys, layout."""

MATCHING_VERSION = 12
"""Raise when the same fingerprints may be measured differently."""


SMALL_VERSION = 1
"""Raise when small fingerprints can no longer be compared with earlier ones: see features/small.py.

Appearances of earlier versions are compared by the parts that they have, and keypoints whichever were chosen.
"""


def small_recipe(weights_digest: str | None) -> str:
    """Return the recipe of small fingerprints: the name of their folder, too."""
    return f"s{SMALL_VERSION}-{weights_digest[:12] if weights_digest else 'none'}"


def index_recipe(settings: MatchingSettings, weights_digest: str | None) -> str:
    """Return the recipe of fingerprints: the name of their index folder, too."""
    kept = "" if settings.profile == "full" else f"{settings.profile}-"
    return f"v{FINGERPRINT_VERSION}-{kept}{weights_digest[:12] if weights_digest else 'none'}"


def own_confidences(index_folder: Path, recipe: str) -> Path:
    """Return how the files begin that hold a confidence refitted on one's own works, for an index recipe.

    The name ties them to all that they were measured with: another version of guardian does not find them.
    """
    name = f"{recipe}-m{MATCHING_VERSION}-{_digest(FITTED)}-"
    return index_folder.parent / "confidence" / name


def confidence_file(index_folder: Path, recipe: str) -> Path:
    """Return the newest confidence that was refitted on one's own works, or the shipped one when there is none."""
    prefix = own_confidences(index_folder, recipe)
    own = prefix.parent.glob(f"{prefix.name}*.json") if prefix.parent.is_dir() else ()
    return max(own, key=lambda file: (file.stat().st_mtime_ns, file.name), default=FITTED)


def report_recipe(settings: MatchingSettings, weights_digest: str | None, confidence: Path = FITTED) -> str:
    """Return the recipe of answers: fingerprints, what is compared, and the fitted confidence."""
    fitted = _digest(confidence)
    return f"{index_recipe(settings, weights_digest)}-{settings.profile}-m{MATCHING_VERSION}-{fitted}"


def _digest(confidence: Path) -> str:
    return hashlib.sha256(confidence.read_bytes()).hexdigest()[:12] if confidence.exists() else "unfitted"
