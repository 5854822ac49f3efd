"""One scan's visits are counted where they happen."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from guardian.fetch import Errand, Stranger
from guardian.model import Remembered
from tests.websites import Conditional, Says, Site


def test_pages_are_counted_and_nothing_else(site: Site, settings: Callable[..., Any]) -> None:
    now, counts = datetime.now(UTC), Counter[str]()
    page = site.put("/", Conditional("a page"))
    site.put("/map.xml", Says("<urlset/>", content_type="application/xml"))
    site.put("/1.gif", "GIF8")

    async def go() -> None:
        async with Stranger(settings(), clock=lambda: datetime.now(UTC)) as stranger:
            errand = Errand(stranger, counts)
            await errand.get(page, kind="page")
            await errand.get(page, kind="page", known=Remembered(page, '"one"', None, "0" * 64, now, now))
            await errand.get(site.url + "/map.xml", kind="page")
            await errand.get(site.url + "/1.gif", kind="image")

    asyncio.run(go())
    assert counts == {"pages": 2, "pages unchanged": 1}


def test_two_scans_of_one_host_share_its_turns(site: Site, settings: Callable[..., Any]) -> None:
    urls = [site.put(f"/{number}", "hello") for number in range(6)]

    async def go() -> None:
        calm = settings(delay_per_host=timedelta(seconds=0.1), requests_per_host=1)
        async with Stranger(calm, clock=lambda: datetime.now(UTC)) as stranger:
            scans = [Errand(stranger, Counter()), Errand(stranger, Counter())]
            await asyncio.gather(*(scans[n % 2].get(url, kind="page") for n, url in enumerate(urls)))

    asyncio.run(go())
    times = sorted(one.at for one in site.asked if one.path != "/robots.txt")
    assert all(later - earlier > 0.08 for earlier, later in pairwise(times))
    assert site.most_at_once == 1


def test_scans_wait_for_their_hours_and_people_do_not(site: Site, settings: Callable[..., Any]) -> None:
    url = site.put("/", "hello")
    opens_at = datetime.now(UTC) + timedelta(seconds=0.6)

    def clock() -> datetime:
        # Half a second before ten in the evening, and going on from there.
        return datetime(2026, 11, 24, 22, tzinfo=UTC) + (datetime.now(UTC) - opens_at)

    async def go() -> None:
        async with Stranger(settings(hours="22:00-06:00"), clock=clock) as stranger:
            waiting = asyncio.ensure_future(stranger.get(url, kind="page"))
            await stranger.get(url, kind="page", asked_by_person=True)
            assert site.paths(but_robots=False) == ["/"]
            await waiting

    asyncio.run(go())
    assert datetime.now(UTC) > opens_at
    assert site.paths(but_robots=False) == ["/", "/robots.txt", "/"]


def test_the_bandwidth_is_shared_and_costs_no_answer_its_time(site: Site, settings: Callable[..., Any]) -> None:
    urls = [site.put(f"/{number}", b"x" * 200_000) for number in range(4)]

    async def go() -> float:
        slow = settings(max_bandwidth=400_000, timeout=timedelta(seconds=0.7), requests_per_host=4)
        async with Stranger(slow, clock=lambda: datetime.now(UTC)) as stranger:
            started = asyncio.get_running_loop().time()
            await asyncio.gather(*(stranger.get(url, kind="image", asked_by_person=True) for url in urls))
            return asyncio.get_running_loop().time() - started

    # 800,000 bytes, of which a second's worth goes through at once.
    assert asyncio.run(go()) > 0.9
