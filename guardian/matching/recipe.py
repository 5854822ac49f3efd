"""Names of how fingerprints and answers are made; unlike recipes are never compared."""

import hashlib
from pathlib import Path

from guardian.matching.settings import MatchingSettings

FITTED = Path(__file__).parent / "verify" / "confidence.json"
"""The fitted confidence. Its path stands here, where nothing heavy is imported: whoever names a recipe needs it."""

FINGERPRINT_VERSION = 2
"""Raise when anything that enters a fingerprint changes: front ends, scales, keys, layout."""

MATCHING_VERSION = 3
"""Raise when the same fingerprints may be measured differently."""


def index_recipe(settings: MatchingSettings, weights_digest: str | None) -> str:
    """Return the recipe of fingerprints: the name of their index folder, too."""
    kept = "" if settings.profile == "full" else f"{settings.profile}-"
    return f"v{FINGERPRINT_VERSION}-{kept}{weights_digest[:12] if weights_digest else 'none'}"


def report_recipe(settings: MatchingSettings, weights_digest: str | None) -> str:
    """Return the recipe of answers: fingerprints, what is compared, and the fitted confidence."""
    fitted = hashlib.sha256(FITTED.read_bytes()).hexdigest()[:12] if FITTED.exists() else "unfitted"
    return f"{index_recipe(settings, weights_digest)}-{settings.profile}-m{MATCHING_VERSION}-{fitted}"
