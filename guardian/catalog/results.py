"""What came of adding a file, as JSON, and whether licences have to be looked at again because of it."""

from typing import Any

from guardian.catalog.adding import Added
from guardian.views.assets import asset_json
from guardian.views.memory import earlier_json


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
