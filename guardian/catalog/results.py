"""What came of adding a file: in words, as JSON, and whether licences have to be looked at again because of it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from guardian.catalog.details import ChangedDetail
from guardian.model import Asset, EarlierUse, Skipped
from guardian.views.assets import asset_json
from guardian.views.memory import earlier_json


class AddOutcome(StrEnum):
    """What became of one file, in the words that people read."""

    PROTECTED = "protected"
    KNOWN = "known before"
    CHANGED = "changed"
    REMOVED = "stays out"
    UNMATCHABLE = "cannot be protected"
    UNREADABLE = "could not be read"


@dataclass(frozen=True, slots=True)
class Added:
    """The result of adding one file."""

    path: Path

    outcome: AddOutcome

    asset: Asset | None = None
    """None exactly when `problem` says why the file is not protected."""

    problem: Skipped | None = None

    nearly: tuple[Asset, ...] = ()
    """Assets that look almost the same, most similar first."""

    versions: tuple[Asset, ...] = ()
    """The other protected assets of its work."""

    changes: tuple[ChangedDetail, ...] = ()
    """What the owner corrected of an asset that was known."""

    restored: bool = False
    """Whether its original was lost or damaged, and is whole again."""

    is_cut_off: bool = False
    """Whether only a part of the picture is there, and protected."""

    earlier: tuple[EarlierUse, ...] = ()
    """Where the memory has seen it, first places first."""

    not_compared: tuple[str, ...] = ()
    """In words, which frames or pages of a new asset are left out."""

    @property
    def was_known(self) -> bool:
        """Whether the same bytes were protected before."""
        return self.outcome in (AddOutcome.KNOWN, AddOutcome.CHANGED)

    @property
    def unmatchable(self) -> bool:
        """Whether the file was read and is nothing that can be protected."""
        return self.outcome is AddOutcome.UNMATCHABLE


def added_json(result: Added) -> dict[str, Any]:
    """Return the object of one file: `asset add --json`."""
    return {
        "path": str(result.path),
        "outcome": result.outcome.value.replace(" ", "_"),
        "asset": asset_json(result.asset) if result.asset else None,
        "versions": [version.id for version in result.versions],
        "nearly_the_same_as": [near.id for near in result.nearly],
        "changes": [{"name": change.name, "before": change.before, "after": change.after} for change in result.changes],
        "seen_before": [earlier_json(use) for use in result.earlier],
        "restored": result.restored,
        "cut_off": result.is_cut_off,
        "not_compared": list(result.not_compared),
        "error": f"{result.problem.word}: {result.problem.detail}" if result.problem else None,
    }


def moves_licences(result: Added) -> bool:
    """Return whether other licences may cover an asset's work now: in another collection, or by a new version."""
    is_new_version = bool(result.versions) and not result.was_known
    return is_new_version or any(change.name == "collection" for change in result.changes)
