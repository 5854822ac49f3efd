"""What is gone for two scans that looked, and then is back, has returned; what could not be looked at is not missed."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from guardian.cases import Edit, RecordedUse, decide, record
from guardian.cases.absence import doubtful_places, missed_in_crawl, missed_in_scan, note_missed
from guardian.model import (
    Answer,
    Audience,
    CaseState,
    CrawlRequest,
    Finding,
    ScanCounts,
    ScanOutcome,
    Sighting,
    Skipped,
    SkipReason,
    TaskKind,
)
from guardian.store import Store

Use = Callable[..., RecordedUse]
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PAGE, PICTURE = "https://www.thief.example/page", "https://cdn.example/copy.jpg"
FRONT = "https://www.thief.example/"


class Watched:
    """A source that is scanned every ten minutes; `at` is now."""

    def __init__(self, store: Store) -> None:
        self._store, self.at = store, NOON

    def scan(
        self, *uses: RecordedUse, visited: dict[str, str] | None = None, doubted: bool = False, **words: int
    ) -> None:
        """Record what is seen; `visited` are outcomes of pages of a crawl, `words` what else was left out."""
        self.at += timedelta(minutes=10)
        with self._store.begin() as tx:
            scan = tx.scans.start("web", self.at)
            for use in uses:
                seen = replace(use, at=self.at, sighting=replace(use.sighting, seen_at=self.at))
                record(tx, seen, Audience(("legal",)))
            if doubted:
                tx.findings.doubt([(PAGE, PICTURE)], self.at)
            counts = ScanCounts()
            counts.skipped.update(words)
            if visited is None:
                note_missed(tx, missed_in_scan(tx, "web", counts), self.at)
            else:
                self._crawl(visited, tx)
            tx.scans.end(scan.id, self.at + timedelta(minutes=1), ScanOutcome.COMPLETED, counts)

    def _crawl(self, visited: dict[str, str], tx: object) -> None:
        tx.frontier.add("web", [CrawlRequest(url) for url in visited])  # type: ignore[attr-defined]
        for row in tx.frontier.claim("web", 100):  # type: ignore[attr-defined]
            if visited[row.url] != "waits":
                tx.frontier.done(row.id, visited[row.url])  # type: ignore[attr-defined]
        note_missed(tx, missed_in_crawl(tx, "web"), self.at)  # type: ignore[arg-type]
        tx.frontier.clear("web")  # type: ignore[attr-defined]

    def decide(self, state: CaseState) -> None:
        with self._store.begin() as tx:
            (case,) = tx.cases.list()
            decide(tx, case.id, state, Edit("mara", self.at))

    def finding(self) -> Finding:
        with self._store.read() as tx:
            (finding,) = tx.findings.list()
        return finding

    def told(self) -> list[str]:
        with self._store.read() as tx:
            messages = [tx.messages.get(task.message_id or "") for task in reversed(tx.tasks.list(TaskKind.DELIVER))]
        return [json.loads(message.body)["type"] for message in messages if message is not None]


@pytest.fixture
def watched(store: Store) -> Watched:
    return Watched(store)


def test_a_resolved_use_that_was_gone_and_is_back_is_told_once(store: Store, watched: Watched, use: Use) -> None:
    watched.scan(use())
    watched.decide(CaseState.RESOLVED)
    # A page may take days to vanish, and a picture may be missing once.
    watched.scan(use())
    watched.scan()
    assert (watched.finding().missed_scans, watched.finding().is_absent) == (1, False)
    watched.scan(use())
    assert (watched.finding().missed_scans, watched.finding().first_missed_at) == (0, None)
    watched.scan()
    first_missed = watched.at
    watched.scan()
    watched.scan()
    assert (watched.finding().missed_scans, watched.finding().first_missed_at) == (3, first_missed)
    assert watched.finding().is_absent
    assert watched.told() == ["case.opened"]

    watched.scan(use())
    watched.scan(use())
    assert watched.told() == ["case.opened", "case.reopened"]
    assert not watched.finding().is_absent
    with store.read() as tx:
        (case,) = tx.cases.list()
        event = tx.case_history.of(case.id)[-1]
    assert case.state is CaseState.OPEN
    assert (event.kind, event.note) == ("reopened", f"back after it was gone since 2026-11-24: {PAGE}")


@pytest.mark.parametrize("state", [CaseState.OPEN, CaseState.CONFIRMED, CaseState.DISMISSED])
def test_a_return_to_a_case_that_is_not_resolved_is_not_told(watched: Watched, use: Use, state: CaseState) -> None:
    watched.scan(use())
    if state is not CaseState.OPEN:
        watched.decide(state)
    watched.scan()
    watched.scan()
    watched.scan(use())
    assert watched.told() == ["case.opened"]


@pytest.mark.parametrize(
    ("visited", "is_missed"),
    [
        ({PAGE: "fetched"}, True),
        ({"http://www.thief.example/page?utm_source=x": "fetched"}, True),
        ({PAGE: "status_404"}, True),
        ({PAGE: "status_410", FRONT: "status_500"}, True),
        ({PAGE: "redirected", FRONT: "fetched", f"{FRONT}shop": "fetched"}, True),
        ({PAGE: "elsewhere", FRONT: "fetched", f"{FRONT}shop": "fetched"}, True),
        # While a site is under repair all addresses lead to one page, or the front page alone is there.
        ({PAGE: "redirected", FRONT: "redirected", f"{FRONT}repairs": "fetched"}, False),
        ({PAGE: "elsewhere", FRONT: "fetched"}, False),
        ({FRONT: "redirected", f"{FRONT}repairs": "fetched"}, False),
        ({FRONT: "fetched"}, False),
        ({PAGE: "status_500"}, False),
        ({PAGE: "status_403"}, False),
        ({PAGE: "timeout"}, False),
        ({PAGE: "robots"}, False),
        ({PAGE: "wall"}, False),
        ({PAGE: "broken"}, False),
        ({PAGE: "waits"}, False),
        # Nothing leads to the page any more; or what leads there was not read.
        ({FRONT: "fetched", f"{FRONT}shop": "fetched", f"{FRONT}login": "robots"}, True),
        ({FRONT: "fetched", f"{FRONT}blog": "fetched", f"{FRONT}shop": "timeout"}, False),
        ({FRONT: "fetched", f"{FRONT}blog": "fetched", f"{FRONT}shop": "waits"}, False),
        ({"https://www.thief.example/sitemap.xml": "not_a_sitemap"}, False),
    ],
)
def test_a_page_is_missed_where_a_crawl_looked(
    watched: Watched, use: Use, visited: dict[str, str], is_missed: bool
) -> None:
    watched.scan(use(), visited={PAGE: "fetched"})
    watched.scan(visited=visited)
    assert watched.finding().missed_scans == is_missed


def test_a_source_that_was_not_seen_whole_misses_nothing(store: Store, watched: Watched, use: Use) -> None:
    watched.scan(use())
    watched.scan(timeout=1)
    watched.scan(budget=1)
    watched.scan(needs_browser=1)
    watched.scan(doubted=True)
    assert watched.finding().missed_scans == 0
    watched.scan(vector=3, status_404=1)
    assert watched.finding().missed_scans == 1
    # Another source misses nothing of this one, nor does one that never completed a scan.
    with store.begin() as tx:
        tx.scans.start("other", watched.at)
        assert note_missed(tx, missed_in_scan(tx, "other", ScanCounts()), watched.at) == 0


def test_an_asset_that_is_not_compared_is_not_missed(store: Store, watched: Watched, use: Use) -> None:
    watched.scan(use())
    with store.begin() as tx:
        tx.assets.withdraw(use().asset.id, watched.at)
    watched.scan()
    assert watched.finding().missed_scans == 0


SIGHTING = Sighting("web", PICTURE, PAGE, NOON, also_at=("https://cdn.example/small.jpg",))


@pytest.mark.parametrize(
    ("problem", "is_doubted"),
    [
        (Skipped(PICTURE, SkipReason.TIMEOUT), True),
        (Skipped(PICTURE, SkipReason.HTTP_STATUS, status=500), True),
        (Skipped(PICTURE, SkipReason.HTTP_STATUS, status=403), True),
        (Skipped(PICTURE, SkipReason.CRASHED), True),
        (Skipped(PICTURE, SkipReason.HTTP_STATUS, status=404), False),
        (Skipped(PICTURE, SkipReason.NOT_AN_IMAGE), False),
        (Skipped(PICTURE, SkipReason.TOO_PLAIN), False),
        (None, False),
    ],
)
def test_what_went_wrong_with_a_picture_says_nothing_of_it(problem: Skipped | None, is_doubted: bool) -> None:
    places = doubtful_places(Answer(PAGE, SIGHTING, None, 1.0, problem=problem))
    assert places == ([(PAGE, PICTURE), (PAGE, "https://cdn.example/small.jpg")] if is_doubted else [])


def test_a_page_that_needs_a_browser_says_nothing_of_its_pictures(store: Store, watched: Watched, use: Use) -> None:
    watched.scan(use())
    places = doubtful_places(Skipped(PAGE, SkipReason.NEEDS_BROWSER))
    assert places == [(PAGE, None)]
    assert doubtful_places(Skipped(PAGE, SkipReason.VECTOR)) == []
    with store.begin() as tx:
        tx.findings.doubt(places, watched.at + timedelta(minutes=10))
        tx.findings.doubt([("https://www.thief.example/other", None), (PAGE, "https://cdn.example/other.jpg")], NOON)
        assert tx.findings.unseen("web", watched.at + timedelta(minutes=5)) == []
        assert len(tx.findings.unseen("web", watched.at + timedelta(minutes=15))) == 1
