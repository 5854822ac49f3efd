"""Results of a search as JSON objects, as the command line and the API give them."""

from typing import Any

from guardian.search.request import Result
from guardian.views.assets import labels_json
from guardian.views.search_results import found_asset_json, found_seen_json


def result_json(result: Result) -> dict[str, Any]:
    """Return the object of one result; one of `asset` and `seen` is null."""
    return {
        "rank": result.rank,
        "kind": result.kind.value,
        "asset": found_asset_json(result.asset),
        "seen": found_seen_json(result.seen, result.addresses),
        "score": result.score,
        "by": result.by.value,
        "why": result.why,
        "labels": labels_json(result.labels),
    }
