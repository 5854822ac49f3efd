"""Numbers out of guesses: micro average precision, and recall at a threshold that few distractors pass."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bench.methods import Guess
from bench.sets import Query

Guesses = Sequence[Guess | None]


def threshold(queries: Sequence[Query], guesses: Guesses, allowed: int) -> float:
    """The strength that at most `allowed` distractors exceed."""
    distractors = [guess.strength for query, guess in zip(queries, guesses, strict=True) if query.ref is None and guess]
    distractors.sort(reverse=True)
    return distractors[allowed] if len(distractors) > allowed else float("-inf")


def recall_by_family(queries: Sequence[Query], guesses: Guesses, allowed: int) -> dict[str, float]:
    """Share (0-1) found of each family of edits, at the one threshold that all distractors give."""
    least = threshold(queries, guesses, allowed)
    return _shares(
        (query.family, guess is not None and guess.strength > least and guess.ref == query.ref)
        for query, guess in zip(queries, guesses, strict=True)
        if query.ref is not None
    )


def alerted_by_family(queries: Sequence[Query], alerted: Sequence[str | None]) -> dict[str, float]:
    """Share (0-1) of each family of edits that the rules alert about, naming the right reference."""
    return _shares(
        (query.family, ref == query.ref) for query, ref in zip(queries, alerted, strict=True) if query.ref is not None
    )


def _shares(found: Iterable[tuple[str, bool]]) -> dict[str, float]:
    hits: dict[str, list[bool]] = defaultdict(list)
    for name, is_hit in found:
        hits[name].append(is_hit)
    return {name: sum(of_name) / len(of_name) for name, of_name in hits.items()}


def recall(queries: Sequence[Query], guesses: Guesses, allowed: int) -> float:
    """Share (0-1) of the copies traced to their reference above that threshold."""
    least = threshold(queries, guesses, allowed)
    copies = [(query, guess) for query, guess in zip(queries, guesses, strict=True) if query.ref is not None]
    found = sum(guess is not None and guess.strength > least and guess.ref == query.ref for query, guess in copies)
    return found / max(1, len(copies))


def recall_by_attack(queries: Sequence[Query], guesses: Guesses, allowed: int) -> dict[str, float]:
    """The same for each attack."""
    least = threshold(queries, guesses, allowed)
    return _shares(
        (query.attack, guess is not None and guess.strength > least and guess.ref == query.ref)
        for query, guess in zip(queries, guesses, strict=True)
        if query.ref is not None
    )


def micro_average_precision(queries: Sequence[Query], guesses: Guesses) -> float:
    """Area under precision and recall of all guesses in one ranking, distractors included (DISC21's measure)."""
    ranked = sorted(
        ((guess.strength, query.ref == guess.ref) for query, guess in zip(queries, guesses, strict=True) if guess),
        key=lambda pair: (-pair[0], pair[1]),
    )
    copies = sum(query.ref is not None for query in queries)
    right, area = 0, 0.0
    for place, (_, is_right) in enumerate(ranked, 1):
        if is_right:
            right += 1
            area += right / place
    return area / max(1, copies)
