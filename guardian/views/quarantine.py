"""How a quarantined image is shown: JSON and words."""

from typing import Any

from guardian.model import QuarantinedImage
from guardian.views.timestamps import json_timestamp, minute_text


def quarantined_json(image: QuarantinedImage) -> dict[str, Any]:
    """Return a quarantined image as `guardian quarantine list --json` shows it."""
    return {
        "sha256": image.sha256,
        "image_url": image.image_url,
        "state": "set_aside" if image.is_set_aside else "waiting",
        "reason": image.reason.value,
        "detail": image.detail,
        "attempts": image.attempts,
        "failures": image.failures,
        "failed_at": json_timestamp(image.failed_at),
        "retry_at": None if image.is_set_aside else json_timestamp(image.retry_at),
    }


def quarantined_text(image: QuarantinedImage) -> str:
    """Return two lines about a quarantined image: its state and address, then why and since when."""
    state = "set aside" if image.is_set_aside else f"tried again after {minute_text(image.retry_at)}"
    tries = "once" if image.attempts == 1 else f"{image.attempts} times"
    return (
        f"{image.sha256[:12]}  {state}  {image.image_url}\n"
        f"{'':<12}  failed {tries}, last {minute_text(image.failed_at)}: {image.detail}"
    )
