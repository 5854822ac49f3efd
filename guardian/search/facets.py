"""Groups results by what they have in common, so that people can narrow a search."""

from collections import Counter
from collections.abc import Mapping, Sequence

from guardian.search.request import Result

Facets = Mapping[str, Mapping[str, int]]
"""By the name of a facet, how many results have each of its values, the most frequent first."""


def facets_of(results: Sequence[Result]) -> Facets:
    """Return how many results have each label, collection, tag, host and main colour, and are of each kind."""
    counts: dict[str, Counter[str]] = {
        name: Counter() for name in ("kind", "label", "collection", "tag", "host", "colour")
    }
    for result in results:
        counts["kind"][result.kind.value] += 1
        counts["label"].update(label.term for label in result.labels)
        counts["host"].update({place.host for place in result.addresses if place.host})
        if result.asset is not None:
            counts["collection"][result.asset.collection] += 1
            counts["tag"].update(result.asset.tags)
        if result.colour is not None:
            counts["colour"][result.colour] += 1
    return {name: dict(sorted(values.items(), key=lambda one: (-one[1], one[0]))) for name, values in counts.items()}
