"""What a source yields, and what it leaves out, as JSON."""

from typing import Any

from guardian.model import Sighting, Skipped
from guardian.views.contexts import context_json


def sighting_json(sighting: Sighting) -> dict[str, Any]:
    """Return the object of a picture that a source would yield, as `source try --json` prints it.

    `context` holds only the words that the page has.
    """
    return {
        "image_url": sighting.image_url,
        "page_url": sighting.page_url,
        "also_at": list(sighting.also_at),
        "context": {name: words for name, words in context_json(sighting.context).items() if words},
    }


def skipped_json(skipped: Skipped) -> dict[str, Any]:
    """Return the object of an address that a source leaves out, and why, as `source try --json` prints it."""
    return {"left_out": skipped.url, "reason": skipped.word, "detail": skipped.detail}
