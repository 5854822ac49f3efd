"""What a row of scans says about its source."""

from datetime import UTC, datetime, timedelta

import pytest

from guardian.coverage.coverage import coverage_of, usual_gap
from guardian.coverage.settings import CoverageSettings
from guardian.model import Coverage, Scan, ScanCounts, ScanOutcome, TroubleKind
from guardian.sources.settings import PageSettings, SourceSettings
from guardian.views.coverage import coverage_json

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOURLY = PageSettings(name="gallery", kind="page", url="https://a.example/", every=timedelta(hours=1))


def scans(*images: int | str | None) -> list[Scan]:
    """One scan an hour, the newest first: how many images it saw, or the error it failed with; None still runs."""
    rows = []
    for age, seen in enumerate(images):
        at = NOW - timedelta(hours=age, minutes=30)
        ended = None if seen is None else at + timedelta(minutes=1)
        counts = ScanCounts.from_words(
            {"clear": seen - 1, "copy": 1, "problem: timeout": 0} if isinstance(seen, int) else {}
        )
        outcome = None if seen is None else ScanOutcome.COMPLETED if isinstance(seen, int) else ScanOutcome.FAILED
        rows.append(Scan(100 - age, "gallery", at, ended, outcome, counts, seen if isinstance(seen, str) else None))
    return rows


def covered(*images: int | str | None, now: datetime = NOW, source: SourceSettings = HOURLY) -> Coverage:
    return coverage_of(source, scans(*images), now, CoverageSettings())


def test_a_source_never_scanned_is_not_in_trouble() -> None:
    coverage = covered()
    assert (coverage.last, coverage.images, coverage.trouble) == (None, 0, None)


def test_what_was_seen_and_what_was_not() -> None:
    counts = {"clear": 7, "copy": 1, "unmatchable": 2, "error": 1, "pages": 3}
    counts |= {"problem: not_an_image": 2, "problem: timeout": 1, "left out: robots": 4, "left out: timeout": 1}
    counts |= {"fetched": 6, "unchanged": 3, "fresh": 1, "pages unchanged": 2}
    scan = Scan(1, "gallery", NOW, NOW, ScanOutcome.COMPLETED, ScanCounts.from_words(counts))
    coverage = coverage_of(HOURLY, [scan], NOW, CoverageSettings())
    assert (coverage.fetched, coverage.unchanged, coverage.fresh, coverage.matched) == (6, 3, 1, 1)
    assert coverage.pages_unchanged == 2
    assert (coverage.pages, coverage.images, coverage.compared) == (3, 11, 8)
    assert coverage.not_seen == {"robots": 4, "not_an_image": 2, "timeout": 2}
    shown = coverage_json(coverage, None)
    assert shown["not_seen"] == coverage.not_seen
    assert shown["last"]["counts"] == shown["last_complete"]["counts"] == counts
    assert coverage.trouble is None


def test_failing_means_several_in_a_row() -> None:
    assert covered("403", "403", 40).trouble is None
    trouble = covered("it answered 403", "403", "403", 40).trouble
    assert trouble is not None
    assert (trouble.kind, trouble.since_scan) == (TroubleKind.FAILING, 97)
    assert "403" in trouble.detail


def test_hours_in_which_nothing_may_be_asked_are_no_silence() -> None:
    later = NOW + timedelta(hours=9)
    coverage = coverage_of(HOURLY, scans(40, 40, 40), later, CoverageSettings(), closed=timedelta(hours=16))
    assert coverage.trouble is None


def test_silence_is_measured_in_the_sources_own_intervals() -> None:
    assert covered(40, 40, 40, now=NOW + timedelta(hours=2)).trouble is None
    trouble = covered(40, 40, 40, now=NOW + timedelta(hours=9)).trouble
    assert trouble is not None
    assert trouble.kind is TroubleKind.SILENT


def test_a_running_scan_counts_for_nothing_yet() -> None:
    coverage = covered(None, 40, 40, 40, 40)
    assert coverage.last is not None
    assert coverage.last.outcome is None
    assert (coverage.images, coverage.trouble) == (40, None)


def test_shrinking_is_one_episode_until_it_ends() -> None:
    assert covered(30, 40, 40, 40, 41).trouble is None
    first, second = covered(12, 40, 41, 40, 39).trouble, covered(11, 12, 40, 41, 40, 39).trouble
    assert first is not None
    assert second is not None
    assert first.kind is second.kind is TroubleKind.SHRINKING
    assert (first.since_scan, second.since_scan) == (99, 98), "both since the scan that was well"
    assert covered(0, 2, 2, 2, 2).trouble is None, "too few to tell from chance"


@pytest.mark.parametrize(
    ("cron", "gap"),
    [("0 * * * *", timedelta(hours=1)), ("30 3 * * *", timedelta(days=1)), ("0 8 1 1 *", timedelta(days=365))],
)
def test_the_gap_of_a_cron_line(cron: str, gap: timedelta) -> None:
    source = PageSettings(name="gallery", kind="page", url="https://a.example/", cron=cron)
    assert abs(usual_gap(source) - gap) <= timedelta(days=1 if gap.days > 300 else 0)
