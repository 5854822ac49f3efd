"""What is shown of the memory: how much it holds, and of a picture that it knows."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from guardian.model import MemoryCounts
from guardian.views.counting import counted
from guardian.views.timestamps import json_timestamp, minute_text


class Bounds(Protocol):
    """What bounds the memory, as the settings say."""

    @property
    def max_bytes(self) -> int:
        """Disk space for fingerprints and previews."""
        ...

    @property
    def keep(self) -> timedelta:
        """A picture that was not seen again for so long is forgotten."""
        ...


def memory_json(
    counts: MemoryCounts, bounds: Bounds, refused: Mapping[str, datetime], *, remembers: bool
) -> dict[str, Any]:
    """Return the state of the memory as a JSON object; `refused` are hosts of which nothing is remembered."""
    return {
        "remembers": remembers,
        "pictures": counts.pictures,
        "joined": counts.joined,
        "addresses": counts.addresses,
        "hosts": counts.hosts,
        "bytes": counts.bytes,
        "max_bytes": bounds.max_bytes,
        "keep_days": bounds.keep / timedelta(days=1),
        "waiting": counts.pending,
        "on_other_machines": counts.elsewhere,
        "without_fingerprint": counts.bare,
        "first_seen": _timestamp(counts.first_seen_at),
        "last_seen": _timestamp(counts.last_seen_at),
        "refused_hosts": sorted(refused),
    }


def memory_facts(
    counts: MemoryCounts, bounds: Bounds, refused: Mapping[str, datetime], *, remembers: bool
) -> dict[str, str]:
    """Return the state of the memory for people, by the name of each fact."""
    pictures = counted(counts.pictures, "picture")
    if counts.joined:
        pictures += f", {counts.joined} of them nearly the same as another"
    facts = {
        "remembering": "on" if remembers else "off",
        "remembered": pictures,
        "seen at": f"{counted(counts.addresses, 'place')} on {counted(counts.hosts, 'host')}",
        "size": f"{counts.bytes / 1e6:.1f} MB of at most {bounds.max_bytes / 1e6:.0f} MB",
        "kept": f"{bounds.keep / timedelta(days=1):g} days after it was last seen",
    }
    if counts.first_seen_at is not None and counts.last_seen_at is not None:
        facts["since"] = f"{minute_text(counts.first_seen_at)}, last {minute_text(counts.last_seen_at)}"
    if counts.elsewhere:
        facts["other machines"] = f"have the fingerprints of {counted(counts.elsewhere, 'picture')}: not searched here"
    if counts.bare:
        facts["no fingerprint"] = f"{counted(counts.bare, 'picture')}, until a scan meets them again"
    if refused:
        facts["refused"] = ", ".join(sorted(refused))
    return facts


def _timestamp(at: datetime | None) -> str | None:
    return None if at is None else json_timestamp(at)
