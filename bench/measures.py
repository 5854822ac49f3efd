"""Numbers out of guesses: micro average precision, and recall at a threshold that few distractors pass."""

from collections import defaultdict
from collections.abc import Sequence

from bench.methods import Guess
from bench.sets import Query

Guesses = Sequence[Guess | None]


def threshold(queries: Sequence[Query], guesses: Guesses, allowed: int) -> float:
    """The strength that at most `allowed` distractors exceed."""
    distractors = [guess.strength for query, guess in zip(queries, guesses, strict=True) if query.ref is None and guess]
    distractors.sort(reverse=True)
    return distractors[allowed] if len(distractors) > allowed else float("-inf")


def recall(queries: Sequence[Query], guesses: Guesses, allowed: int) -> float:
    """Share (0-1) of the copies traced to their reference above that threshold."""
    least = threshold(queries, guesses, allowed)
    copies = [(query, guess) for query, guess in zip(queries, guesses, strict=True) if query.ref is not None]
    found = sum(guess is not None and guess.strength > least and guess.ref == query.ref for query, guess in copies)
    return found / max(1, len(copies))


def recall_by_attack(queries: Sequence[Query], guesses: Guesses, allowed: int) -> dict[str, float]:
    """The same for each attack."""
    least = threshold(queries, guesses, allowed)
    hits: dict[str, list[bool]] = defaultdict(list)
    for query, guess in zip(queries, guesses, strict=True):
        if query.ref is not None:
            hits[query.attack].append(guess is not None and guess.strength > least and guess.ref == query.ref)
    return {attack: sum(found) / len(found) for attack, found in hits.items()}


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
