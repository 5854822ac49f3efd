"""One scan's visits, which share their turns with those of other scans."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from guardian.errors import FetchFailed, FetchRefused
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import AskedBy, FetchPolicy, WebClient
from tests.websites import Silent, Site


def test_a_picture_that_failed_is_not_asked_for_again_in_one_scan(site: Site, settings: Callable[..., Any]) -> None:
    gone, shown = site.url + "/gone.jpg", site.put("/1.gif", "GIF8")

    async def go() -> None:
        async with WebClient(settings(), clock=lambda: datetime.now(UTC)) as web:
            for _ in range(2):
                fetcher = Fetcher.for_scan(web)
                for _ in range(3):
                    with pytest.raises(FetchFailed) as failed:
                        await fetcher.get(gone, kind="image")
                    assert (failed.value.skipped.word, failed.value.status) == ("status_404", 404)
                    await fetcher.get(shown, kind="image")

    asyncio.run(go())
    assert site.paths().count("/gone.jpg") == 2, "the next scan asks anew"
    assert site.paths().count("/1.gif") == 6


def test_a_picture_that_was_refused_is_not_asked_for_again_in_one_scan(
    site: Site, settings: Callable[..., Any]
) -> None:
    large = site.put("/large.jpg", b"x" * 50_000)
    film = site.put("/film.jpg", "x", content_type="video/mp4")

    async def go() -> None:
        async with WebClient(settings(max_image_bytes=20_000), clock=lambda: datetime.now(UTC)) as web:
            fetcher = Fetcher.for_scan(web)
            for _ in range(3):
                for url, reason in ((large, "too_large"), (film, "not_an_image")):
                    with pytest.raises(FetchRefused) as refused:
                        await fetcher.get(url, kind="image")
                    assert (refused.value.reason, refused.value.url) == (reason, url)

    asyncio.run(go())
    assert site.paths() == ["/large.jpg", "/film.jpg"]


def test_a_host_that_mostly_keeps_silent_is_left_alone_for_the_rest_of_the_scan(
    site: Site, settings: Callable[..., Any]
) -> None:
    silent = [site.put(f"/silent/{number}", Silent()) for number in range(40)]
    shown = [site.put(f"/{number}", "GIF8") for number in range(60)]
    # Eight at a time are waited for together.
    hurried = settings(read_timeout=timedelta(seconds=1), requests_per_host=8)

    async def word(fetcher: Fetcher, url: str) -> str:
        try:
            await fetcher.get(url, kind="image")
        except (FetchFailed, FetchRefused) as error:
            return error.skipped.word
        return "answered"

    async def words(fetcher: Fetcher, urls: list[str]) -> Counter[str]:
        said: Counter[str] = Counter()
        for start in range(0, len(urls), 8):
            said.update(await asyncio.gather(*(word(fetcher, url) for url in urls[start : start + 8])))
        return said

    async def go() -> None:
        async with WebClient(hurried, clock=lambda: datetime.now(UTC)) as web:
            fetcher = Fetcher.for_scan(web)
            assert await words(fetcher, shown) == {"answered": 60}
            assert await words(fetcher, silent) == {"timeout": 24, "host_silent": 16}
            assert await words(fetcher, shown) == {"host_silent": 60}
            assert await words(Fetcher.for_scan(web), shown[:1]) == {"answered": 1}, "the next scan tries again"

    asyncio.run(go())


def test_two_scans_of_one_host_share_its_turns(site: Site, settings: Callable[..., Any]) -> None:
    urls = [site.put(f"/{number}", "hello") for number in range(4)]

    async def go() -> None:
        calm = settings(delay_per_host=timedelta(seconds=0.6), requests_per_host=1)
        async with WebClient(calm, clock=lambda: datetime.now(UTC)) as web:
            scans = [Fetcher.for_scan(web), Fetcher.for_scan(web)]
            await asyncio.gather(*(scans[n % 2].get(url, kind="page") for n, url in enumerate(urls)))

    asyncio.run(go())
    times = sorted(one.at for one in site.asked if one.path != "/robots.txt")
    # The site notes a request a little late when the machine is busy.
    assert all(later - earlier > 0.15 for earlier, later in pairwise(times))
    assert site.most_at_once == 1


def test_scans_wait_for_their_hours_and_people_do_not(site: Site, settings: Callable[..., Any]) -> None:
    url = site.put("/", "hello")
    half_a_second, goes_on_at = timedelta(seconds=0.5), list[datetime]()

    def clock() -> datetime:
        # Half a second before ten in the evening until the person is answered, and going on from there.
        gone_on = datetime.now(UTC) - goes_on_at[0] if goes_on_at else timedelta()
        return datetime(2026, 11, 24, 22, tzinfo=UTC) - half_a_second + gone_on

    async def go() -> None:
        async with WebClient(settings(hours="22:00-06:00"), clock=clock) as web:
            waiting = asyncio.ensure_future(web.get(url, kind="page"))
            await web.get(url, kind="page", policy=FetchPolicy(AskedBy.PERSON))
            assert site.paths(but_robots=False) == ["/"]
            goes_on_at.append(datetime.now(UTC))
            await waiting
            assert datetime.now(UTC) - goes_on_at[0] >= half_a_second

    asyncio.run(go())
    assert site.paths(but_robots=False) == ["/", "/robots.txt", "/"]


def test_the_bandwidth_is_shared_and_costs_no_answer_its_time(site: Site, settings: Callable[..., Any]) -> None:
    urls = [site.put(f"/{number}", b"x" * 160_000) for number in range(4)]

    async def go() -> float:
        slow = settings(max_bandwidth=200_000, timeout=timedelta(seconds=1.5), requests_per_host=4)
        async with WebClient(slow, clock=lambda: datetime.now(UTC)) as web:
            started = asyncio.get_running_loop().time()
            await asyncio.gather(*(web.get(url, kind="image", policy=FetchPolicy(AskedBy.PERSON)) for url in urls))
            return asyncio.get_running_loop().time() - started

    # 640,000 bytes, of which a second's worth goes through at once.
    assert asyncio.run(go()) > 2.0
