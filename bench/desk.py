"""What the desk costs with many cases: 100,000 of them with a million sightings, asked for over HTTP as a browser asks.

One case is recorded as a scan records it; the others are copies of its rows in which operator, work, state, words and
times differ, written by SQLite itself: recording a million sightings one by one would take a day.
"""

import asyncio
import re
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil

from guardian.cases import Kept, RecordedUse, record
from guardian.evidence import Vault
from guardian.model import (
    Action,
    Actor,
    ActorKind,
    Audience,
    Comparison,
    Context,
    Decision,
    LicenceStatus,
    Permission,
    Role,
    Severity,
    Sighting,
    Transform,
)
from guardian.people.people import add_person
from guardian.store import Store, StoreSettings, open_store
from guardian.web.app import build_app
from guardian.web.desk import Desk
from guardian.web.metrics import Metrics
from guardian.web.serving import serving
from guardian.web.settings import WebSettings

CASES, SIGHTINGS_A_CASE, WORKS, OPERATORS = 100_000, 10, 2_000, 20_000
_NAME, _PASSWORD = "bench", "a password for the bench"
_ROUNDS = 15
_REQUESTS_FOR_MEMORY = 600
_CASES_A_STEP = 100

PAGES = {
    "queue": "/cases",
    "queue, all states": "/cases?state=all",
    "queue, dismissed": "/cases?state=dismissed",
    "queue, high": "/cases?severity=high",
    "queue, an operator": "/cases?operator=site7.example",
    "queue, a host": "/cases?host=www.site7.example",
    "queue, a collection": "/cases?collection=collection3",
    "queue, a source": "/cases?source=source5",
    "queue, 99 % sure": "/cases?confidence=99",
    "queue, opened in a month": "/cases?opened_from=2026-03-01&opened_until=2026-03-31",
    "queue, a person": "/cases?assignee=Rita",
    "queue, a label": "/cases?label=urgent",
    "queue, a licence status": "/cases?licence=lapsed",
    "queue, rare words": "/cases?words=harbour+1234",
    "queue, common words": "/cases?words=copy",
    "queue, no such words": "/cases?words=nowhere",
    "queue, words of all cases, by operator": "/cases?words=harbour&group=operator",
    "queue, words of all cases, by work": "/cases?words=harbour&group=work",
    "queue, by operator": "/cases?group=operator",
    "queue, by work": "/cases?group=work",
    "case": "/cases/case_77",
    "operators": "/operators",
    "an operator": "/operators/show?name=site7.example",
    "images": "/assets",
    "overview": "/overview",
    "API: cases": "/api/v1/cases?limit=50",
    "API: cases by priority": "/api/v1/cases?limit=50&sort=priority&state=open",
    "API: a case": "/api/v1/cases/case_77",
}


@dataclass(frozen=True, slots=True)
class Timed:
    """How long the server took for one address, in milliseconds, and how large its answer was.

    `cpu_ms`: CPU time of the whole, the browser's share in it (1 to 2 ms): what a quiet machine would take.
    """

    name: str
    median_ms: float
    worst_ms: float
    cpu_ms: float
    kilobytes: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The times of all addresses, and the resident memory before and after many requests, in MiB."""

    times: tuple[Timed, ...]
    requests: int
    before_mib: float
    after_mib: float


def fill(store: Store, folder: Path, cases: int = CASES, sightings: int = SIGHTINGS_A_CASE) -> None:
    """Fill an empty SQLite store in a folder with so many cases, each with so many sightings."""
    with store.begin() as tx:
        actor = Actor(ActorKind.COMMAND_LINE, _NAME, frozenset(Permission))
        add_person(tx, actor, _NAME, Role.ADMIN, _PASSWORD, datetime.now(UTC))
        asset = tx.assets.reserve(
            "a" * 64,
            title="Harbour",
            collection="collection0",
            path="/p/0.jpg",
            size=(6000, 4000),
            at=datetime.now(UTC),
        )
        tx.assets.protect([asset.number])
        record(tx, _use(asset), Audience())

    database = sqlite3.connect(folder / "guardian.db", isolation_level=None)
    works = min(WORKS, max(100, cases // 50))
    operators = max(1, min(OPERATORS, cases // 5))
    numbers = {"cases": cases, "works": works, "operators": operators, "sightings": sightings}
    try:
        for statement in _COPIES:
            database.execute(_with_all_columns(database, statement), numbers)
        database.execute("ANALYZE")
    finally:
        database.close()
    keep_words(store)


def keep_words(store: Store) -> None:
    """Keep the words of all cases, as the daemon does after scans."""
    kept = 1
    while kept:
        with store.begin() as tx:
            kept = tx.case_words.keep(_CASES_A_STEP)


def _use(asset: object) -> RecordedUse:
    transform = Transform(
        (0.1, 0.0, -60.0, 0.0, 0.1, -40.0), False, 0.0, 0.1, (0.1, 0.1, 0.9, 0.9), (0.0, 0.0, 1.0, 1.0)
    )
    now = datetime(2026, 1, 1, tzinfo=UTC)
    context = Context(
        alt="a harbour", page_title="A page with a copy", nearby_text="Ships lie in the harbour at dawn. " * 12
    )
    return RecordedUse(
        sighting=Sighting("source0", "https://www.site0.example/0.jpg", "https://www.site0.example/0", now, context),
        candidate_sha256="c" * 64,
        asset=asset,  # type: ignore[arg-type]
        comparison=Comparison(
            0.95,
            keypoint_inliers=131,
            asset_coverage=0.64,
            candidate_coverage=1.0,
            transform=transform,
            aligned_similarity=0.93,
            description="cropped to 64 %",
        ),
        licence_status=LicenceStatus.NONE,
        decision=Decision(Action.ALERT, "copies", Severity.HIGH),
        at=now,
        kept=Kept("c" * 64),
    )


_COPIES = (
    # The rest of the works, one asset each.
    """INSERT INTO assets (#) SELECT # FROM (SELECT assets.*, 'asset_' || n AS "@id", n + 1 AS "@number",
       'Harbour ' || n AS "@title", 'collection' || (n % 20) AS "@collection", 'work_' || n AS "@work_id",
       printf('%064x', n) AS "@sha256", '/p/' || n || '.jpg' AS "@path" FROM assets,
       (WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < :works)
         SELECT n FROM counted))""",
    """INSERT INTO cases (#) SELECT # FROM (SELECT cases.*, 'case_' || n AS "@id", n + 1 AS "@number",
       0 AS "@finding_count", 'site' || (n % :operators) || '.example' AS "@operator",
       'work_' || (1 + (n % :operators * 7 + n / :operators * 13) % :works) AS "@work_id",
       'asset_' || (1 + (n % :operators * 7 + n / :operators * 13) % :works) AS "@asset_id",
       CASE WHEN n % 20 < 8 THEN 'open' WHEN n % 20 < 10 THEN 'confirmed' WHEN n % 20 < 11 THEN 'notice_sent'
            WHEN n % 20 < 17 THEN 'dismissed' ELSE 'closed' END AS "@state",
       CASE n % 4 WHEN 0 THEN 'low' WHEN 1 THEN 'medium' WHEN 2 THEN 'high' ELSE 'critical' END AS "@severity",
       CASE WHEN n % 50 = 0 THEN 'Rita' END AS "@assignee",
       CASE WHEN n % 100 = 0 THEN '["urgent"]' ELSE '[]' END AS "@labels",
       (n * 7919 % 100000) / 1000.0 - 300 AS "@rank",
       datetime('2026-01-01', '+' || (n % 300) || ' days') || '.000000' AS "@opened_at",
       datetime('2026-01-02', '+' || (n % 300) || ' days') || '.000000' AS "@updated_at" FROM cases,
       (WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < :cases)
         SELECT n FROM counted))""",
    """INSERT INTO findings (#) SELECT # FROM (SELECT findings.*, 'find_' || case_number || '_' || n AS "@id",
       'case_' || case_number AS "@case_id",
       'asset_' || (1 + (case_number % :operators * 7 + case_number / :operators * 13) % :works) AS "@asset_id",
       'work_' || (1 + (case_number % :operators * 7 + case_number / :operators * 13) % :works) AS "@work_id",
       'source' || (case_number % 40) AS "@source",
       'https://www.site' || (case_number % :operators) || '.example/' || case_number || '/' || n AS "@page_url",
       'https://www.site' || (case_number % :operators) || '.example/' || case_number || '/' || n || '.jpg'
         AS "@image_url",
       'p' || case_number || '/' || n AS "@page_key", 'i' || case_number || '/' || n AS "@picture_key",
       CASE WHEN case_number % 200 = 0 THEN 'lapsed' ELSE 'none' END AS "@licence",
       json_set(comparison, '$.probability', 0.8 + (case_number * 31 % 200) / 1000.0) AS "@comparison",
       json_set(context, '$.page_title', 'A page with a copy, number ' || case_number) AS "@context"
       FROM findings, (WITH RECURSIVE counted(case_number) AS (SELECT 1 UNION ALL SELECT case_number + 1 FROM counted
         WHERE case_number < :cases) SELECT case_number FROM counted),
       (WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < :sightings)
         SELECT n FROM counted))""",
    """INSERT INTO case_events (#) SELECT # FROM (SELECT case_events.*, case_events.id + n AS "@id",
       'case_' || n AS "@case_id"
       FROM case_events, (WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < :cases)
         SELECT n FROM counted) WHERE case_events.id = 1)""",
)
"""Copies of the first row of each table. # stands for its columns; those that are named with an @ differ."""


def _with_all_columns(database: sqlite3.Connection, statement: str) -> str:
    """Return a statement of _COPIES with the columns of its table, those that differ taken from the ones with an @."""
    found = re.match(r"INSERT INTO (\w+)", statement)
    assert found is not None
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({found[1]})")]
    changed = set(re.findall(r'"@(\w+)"', statement))
    taken = ", ".join(f'"@{name}"' if name in changed else f'"{name}"' for name in columns)
    quoted = ", ".join(f'"{name}"' for name in columns)
    return statement.replace("#", quoted, 1).replace("#", taken, 1)


def measure(
    folder: Path,
    seen: Callable[[], None],
    pages: Sequence[str] = tuple(PAGES),
    *,
    rounds: int = _ROUNDS,
    requests: int = _REQUESTS_FOR_MEMORY,
) -> Measured:
    """Serve the desk over a filled store and ask for each page some times; then ask for many, for its memory."""
    store = open_store(StoreSettings(), folder)
    desk = Desk(store, Vault(folder / "evidence", 10**9), folder, lambda: datetime.now(UTC), WebSettings())
    try:
        with _served(desk) as url, httpx.Client(base_url=url, trust_env=False, timeout=300) as browser:
            _sign_in(browser)
            times = []
            for name in pages:
                times.append(_timed(browser, name, PAGES[name], rounds))
                seen()
            before = psutil.Process().memory_info().rss
            for number in range(requests):
                browser.get(
                    f"/cases/case_{1 + number}" if number % 2 else f"/cases?severity=high&operator=site{number}.example"
                )
            after = psutil.Process().memory_info().rss
            return Measured(tuple(times), requests, before / 2**20, after / 2**20)
    finally:
        store.close()


def _timed(browser: httpx.Client, name: str, path: str, rounds: int) -> Timed:
    """Ask for a path some times; the first time, which fills caches, does not count."""
    taken, cpu, size = [], [], 0
    for _ in range(rounds + 1):
        started, cpu_started = time.perf_counter(), time.process_time()
        answer = browser.get(path)
        taken.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time() - cpu_started) * 1000)
        answer.raise_for_status()
        size = len(answer.content)
    return Timed(name, statistics.median(taken[1:]), max(taken[1:]), statistics.median(cpu[1:]), size / 1000)


def _sign_in(browser: httpx.Client) -> None:
    form = re.search(r'name="form" value="([^"]+)"', browser.get("/login").text)
    assert form is not None
    browser.post("/login", data={"username": _NAME, "password": _PASSWORD, "form": form[1]})


@contextmanager
def _served(desk: Desk) -> Iterator[str]:
    """Serve a desk on loopback from a thread while the body runs; yields its address."""
    started, stop = threading.Event(), threading.Event()
    address: list[str] = []

    async def serve() -> None:
        app = build_app(Metrics(desk.store, desk.vault, desk.clock), dict, list, desk)
        async with serving(app, "127.0.0.1:0") as at:
            address.append(at)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait()
    try:
        yield f"http://{address[0]}"
    finally:
        stop.set()
        thread.join()
