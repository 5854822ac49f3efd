"""What is shown of the memory: how much it holds, and of a picture that it knows."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from guardian.model import EarlierUse, EarlierUseState, MemoryCounts
from guardian.views.counting import counted, size_text
from guardian.views.plain_text import printable
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
        "coarse_fingerprint": counts.coarse,
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
        "size": f"{size_text(counts.bytes)} of at most {size_text(bounds.max_bytes)}",
        "kept": f"{bounds.keep / timedelta(days=1):g} days after it was last seen",
    }
    if counts.first_seen_at is not None and counts.last_seen_at is not None:
        facts["since"] = f"{minute_text(counts.first_seen_at)}, last {minute_text(counts.last_seen_at)}"
    if counts.elsewhere:
        facts["other machines"] = f"have the fingerprints of {counted(counts.elsewhere, 'picture')}: not searched here"
    if counts.bare:
        facts["no fingerprint"] = f"{counted(counts.bare, 'picture')}, until a scan meets them again"
    if counts.coarse:
        facts["coarse"] = f"{counted(counts.coarse, 'picture')} made anew of the preview, until a scan meets them again"
    if refused:
        facts["refused"] = ", ".join(sorted(refused))
    return facts


_PLACES_SHOWN = 5


def earlier_lines(uses: Sequence[EarlierUse]) -> list[str]:
    """Return where an asset was seen before it was protected, for people who have just protected it."""
    if not uses:
        return []
    first = min(use.first_seen_at for use in uses)
    lines = [f"seen before at {counted(len(uses), 'place')}, since {minute_text(first)}; each is looked at again:"]
    lines += [f"  {use.page_url or use.image_url or 'data:'} ({use.description})" for use in uses[:_PLACES_SHOWN]]
    if len(uses) > _PLACES_SHOWN:
        lines.append("  ... `guardian asset show` has all of them")
    return lines


_STATES = {
    EarlierUseState.WAITING: "is looked at again",
    EarlierUseState.STILL_THERE: "still there",
    EarlierUseState.GONE: "gone",
    EarlierUseState.UNREACHABLE: "could not be looked at",
}


def history_lines(uses: Sequence[EarlierUse]) -> list[str]:
    """Return where an asset was seen before it was protected, and what became of each place, for people."""
    lines = ["", "Seen before it was protected:"] if uses else []
    for use in uses:
        when = f"{use.first_seen_at:%Y-%m-%d} to {use.last_seen_at:%Y-%m-%d}"
        lines.append(f"  {when}  {use.page_url or use.image_url or 'data:'}")
        told = f"{_STATES[use.state]}: {use.detail}" if use.detail else _STATES[use.state]
        lines.append(f"    {use.description} (probability {use.probability:.2f}); {told}")
    return [printable(line) for line in lines]


def earlier_json(use: EarlierUse) -> dict[str, Any]:
    """Return one place where an asset was seen before it was protected, as a JSON object."""
    return {
        "id": use.id,
        "page_url": use.page_url,
        "image_url": use.image_url,
        "source": use.source,
        "first_seen": json_timestamp(use.first_seen_at),
        "last_seen": json_timestamp(use.last_seen_at),
        "sha256": use.sha256,
        "probability": use.probability,
        "description": use.description,
        "state": use.state.value,
        "checked_at": _timestamp(use.checked_at),
        "detail": use.detail,
    }


def _timestamp(at: datetime | None) -> str | None:
    return None if at is None else json_timestamp(at)
