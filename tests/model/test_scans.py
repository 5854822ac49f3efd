"""What a scan counts adds up, and is read again from what earlier versions stored."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from guardian.model import Answer, CacheStatus, Outcome, ScanCounts, Sighting, Skipped, SkipReason, label_of

SIGHTING = Sighting("gallery", "https://a.example/1.jpg", None, datetime(2026, 11, 24, tzinfo=UTC))
OLD_ROW = {
    "left out: robots": 4,
    "pages": 5,
    "pages unchanged": 2,
    "copy": 1,
    "clear": 7,
    "error": 2,
    "fetched": 6,
    "unchanged": 3,
    "problem: timeout": 1,
    "problem: status_404": 1,
    "left out: timeout": 2,
}


def test_a_row_of_an_earlier_version_is_read() -> None:
    counts = ScanCounts.from_words(OLD_ROW)
    assert (counts.pages, counts.pages_unchanged, counts.images) == (5, 2, 10)
    assert counts.outcomes == {Outcome.COPY: 1, Outcome.CLEAR: 7, Outcome.ERROR: 2}
    assert counts.cache_statuses == {CacheStatus.FETCHED: 6, CacheStatus.UNCHANGED: 3}
    assert counts.skipped[SkipReason.ROBOTS] == 4
    assert counts.problems == {"timeout": 1, "status_404": 1}
    assert counts.not_seen == {"robots": 4, "timeout": 3, "status_404": 1}
    assert counts.as_words() == OLD_ROW


@pytest.mark.parametrize("word", [outcome.value for outcome in Outcome] + [status.value for status in CacheStatus])
def test_every_outcome_and_cache_status_has_a_word_of_its_own(word: str) -> None:
    assert ScanCounts.from_words({word: 3}).other == {}
    assert ScanCounts.from_words({word: 3}).as_words() == {word: 3}


def test_words_of_another_version_stay() -> None:
    row = {"captured": 2, "left out: moon": 3, "problem: tide": 1, "clear": 1}
    counts = ScanCounts.from_words(row) + ScanCounts.from_words(row)
    assert counts.as_words() == {word: 2 * number for word, number in row.items()}
    assert counts.not_seen == {"moon": 6, "tide": 2}
    assert counts.images == 2


def test_counts_add_up_without_changing_their_parts() -> None:
    one, other = ScanCounts.from_words(OLD_ROW), ScanCounts(pages=1, skipped=Counter({"robots": 1, "vector": 2}))
    both = one + other
    assert (both.pages, both.skipped) == (6, {"robots": 5, "timeout": 2, "vector": 2})
    assert (one.as_words(), other.pages) == (OLD_ROW, 1)
    assert one + ScanCounts() == one
    assert ScanCounts().as_words() == {}


def test_a_result_counts_once_under_each_of_its_words() -> None:
    problem = Skipped("https://a.example/1.jpg", SkipReason.HTTP_STATUS, status=404)
    fetched = Answer("t", SIGHTING, None, 1.0, cache_status=CacheStatus.FETCHED)
    assert ScanCounts.of(fetched).as_words() == {"clear": 1, "fetched": 1}
    assert ScanCounts.of(problem).as_words() == {"left out: status_404": 1}
    failed = Answer("t", SIGHTING, None, 1.0, problem=problem)
    assert ScanCounts.of(failed).as_words() == {"error": 1, "problem: status_404": 1}


def test_what_was_compared_only_in_part_is_named_among_what_was_not_seen() -> None:
    counts = ScanCounts.from_words({"clear": 2, "partial": 3, "left out: robots": 1})
    assert counts.not_seen == {"partial": 3, "robots": 1}
    assert label_of("partial") == "compared only in part"
