"""One scan's visits are counted where they happen."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
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
