"""Shows what a bundle of evidence lacks: as JSON, and as lines for people."""

from typing import Any

from guardian.model import LostMember


def lost_json(lost: LostMember) -> dict[str, Any]:
    """Return a member that was lost before its bundle was made, as JSON values."""
    return {
        "name": lost.name,
        "sha256": lost.sha256,
        "bytes": lost.size_bytes,
        "about": lost.about,
        "found": lost.state.value,
    }


def lost_text(lost: LostMember) -> str:
    """Return which member was lost, how it was found, and by which digest it can be recognised."""
    size = f", {lost.size_bytes:,} bytes" if lost.size_bytes is not None else ""
    return f"{lost.name}: {lost.state.value}; it had the SHA-256 {lost.sha256}{size}"
