"""Counts of one scan of a source, and the words under which they are stored and shown."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from guardian.model.answers import Answer, CacheStatus, Outcome
from guardian.model.sightings import Skipped

_PAGES, _PAGES_UNCHANGED = "pages", "pages unchanged"
_LEFT_OUT, _PROBLEM = "left out: ", "problem: "
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_CACHE_STATUSES = {status.value: status for status in CacheStatus}


@dataclass(frozen=True, slots=True)
class ScanCounts:
    """Numbers of one scan, or of a part of it; `+` adds them up.

    `outcomes` and `cache_statuses` count images. `skipped` counts what the source left out, and `problems` images
    that were not compared, by `Skipped.word`. `pages` were answered, `pages_unchanged` of them with a 304. `other`
    holds words of another version of guardian, so that they stay readable.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    cache_statuses: Counter[CacheStatus] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    pages_unchanged: int = 0
    other: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, result: Answer | Skipped) -> Self:
        """Return the counts of one result: its outcome, its cache status, and the reason if it was not compared."""
        if isinstance(result, Skipped):
            return cls(skipped=Counter([result.word]))
        return cls(
            outcomes=Counter([result.outcome]),
            cache_statuses=Counter([result.cache_status] if result.cache_status else []),
            problems=Counter([result.problem.word] if result.problem else []),
        )

    @classmethod
    def from_words(cls, words: Mapping[str, int]) -> Self:
        """Return the counts that `as_words` of this version, or of another one, wrote."""
        counts = cls(pages=words.get(_PAGES, 0), pages_unchanged=words.get(_PAGES_UNCHANGED, 0))
        for word, number in words.items():
            if word in (_PAGES, _PAGES_UNCHANGED):
                continue
            if word.startswith(_LEFT_OUT):
                counts.skipped[word.removeprefix(_LEFT_OUT)] = number
            elif word.startswith(_PROBLEM):
                counts.problems[word.removeprefix(_PROBLEM)] = number
            elif word in _OUTCOMES:
                counts.outcomes[_OUTCOMES[word]] = number
            elif word in _CACHE_STATUSES:
                counts.cache_statuses[_CACHE_STATUSES[word]] = number
            else:
                # A word of another version: kept, so that rolling an upgrade back loses no numbers.
                counts.other[word] = number

        return counts

    def as_words(self) -> dict[str, int]:
        """Return the numbers by word, as they stand in the database, JSON, metrics and logs."""
        words: dict[str, int] = {}
        if self.pages:
            words[_PAGES] = self.pages
        if self.pages_unchanged:
            words[_PAGES_UNCHANGED] = self.pages_unchanged

        words |= {outcome.value: number for outcome, number in self.outcomes.items()}
        words |= {status.value: number for status, number in self.cache_statuses.items()}
        words |= {f"{_LEFT_OUT}{word}": number for word, number in self.skipped.items()}
        words |= {f"{_PROBLEM}{word}": number for word, number in self.problems.items()}
        return words | self.other

    def __add__(self, more: "ScanCounts") -> "ScanCounts":
        """Return the sums of both."""
        return ScanCounts(
            outcomes=self.outcomes + more.outcomes,
            cache_statuses=self.cache_statuses + more.cache_statuses,
            skipped=self.skipped + more.skipped,
            problems=self.problems + more.problems,
            pages=self.pages + more.pages,
            pages_unchanged=self.pages_unchanged + more.pages_unchanged,
            other=self.other + more.other,
        )

    @property
    def images(self) -> int:
        """How many images were answered, whatever the answer."""
        return self.outcomes.total()

    @property
    def not_seen(self) -> Counter[str]:
        """What was left out or could not be compared, by word; `partial` is what was compared only in part."""
        seen_nothing = Counter(self.skipped)
        seen_nothing.update(self.problems)
        if self.outcomes[Outcome.PARTIAL]:
            seen_nothing[Outcome.PARTIAL.value] = self.outcomes[Outcome.PARTIAL]
        return seen_nothing
