"""Pictures in the style sheets that a page links to, and in those that these import."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from w3lib.encoding import html_to_unicode

from guardian.crawl.context import CrawlContext
from guardian.errors import FetchFailed, FetchRefused
from guardian.extract.css import css_imports, css_pictures
from guardian.extract.data_urls import is_data_url
from guardian.extract.grouping import MAX_PICTURES, ImageGrouping
from guardian.model import Context, Response, Sighting, Skipped, SkipReason
from guardian.urls.addresses import canonical_url, web_address
from guardian.urls.renditions import picture_key

SHEETS_PER_SCAN = 40
"""Style sheets beyond these are left out: what they show is mostly decoration."""

_IMPORTS_WITHIN_IMPORTS = 2


class StyleSheets:
    """The style sheets of one scan, each looked at once. `asked_by_person`: whatever robots.txt says."""

    def __init__(self, source: str, context: CrawlContext, asked_by_person: bool) -> None:
        self._source, self._context, self._asked_by_person = source, context, asked_by_person
        self._met = set[str]()

    async def pictures(
        self, sheets: Sequence[str], page: Response, seen: Sequence[Sighting | Skipped]
    ) -> list[Sighting | Skipped]:
        """What the sheets of a page name and the page itself does not."""
        shown = {picture_key(one.image_url) for one in seen if isinstance(one, Sighting) and one.image_url}
        found: list[Sighting | Skipped] = []
        waiting = deque((sheet, 0) for sheet in sheets)
        while waiting:
            sheet, depth = waiting.popleft()
            if sheet in self._met:
                continue
            if len(self._met) >= SHEETS_PER_SCAN:
                found.append(Skipped(sheet, SkipReason.BUDGET, f"more than {SHEETS_PER_SCAN} style sheets in one scan"))
                break
            self._met.add(sheet)
            if depth > _IMPORTS_WITHIN_IMPORTS:
                detail = f"more than {_IMPORTS_WITHIN_IMPORTS} style sheets that import each other"
                found.append(Skipped(sheet, SkipReason.BUDGET, detail))
                continue
            try:
                response = await self._context.fetch.get(sheet, kind="document", asked_by_person=self._asked_by_person)
            except (FetchRefused, FetchFailed) as error:
                found.append(replace(error.skipped, detail=f"a style sheet: {error.detail}"))
                continue
            pictures, imports = await asyncio.to_thread(self._look, response, page, shown)
            found += pictures
            waiting.extend((url, depth + 1) for url in imports)
        return found

    def _look(self, sheet: Response, page: Response, shown: set[str]) -> tuple[list[Sighting | Skipped], list[str]]:
        """The pictures of one sheet that are not among `shown`, which grows by them, and what it imports."""
        text = html_to_unicode(sheet.header("content-type"), sheet.content, default_encoding="utf-8")[1]
        grouping = ImageGrouping(page, self._source)
        named = css_pictures(text)
        if len(named) > MAX_PICTURES:
            grouping.leave_out(
                sheet.final_url, SkipReason.BUDGET, f"{len(named) - MAX_PICTURES} more pictures in one style sheet"
            )
        for urls in named[:MAX_PICTURES]:
            addresses = [whole for url in urls if (whole := grouping.address(sheet.final_url, url))]
            keys = {picture_key(url) for url in addresses}
            if addresses and shown.isdisjoint(keys):
                grouping.add(addresses, Context())
            for url in () if addresses else filter(is_data_url, urls):
                grouping.add_inside(url, Context())
            shown |= keys
        imported = (web_address(sheet.final_url, url) for url in css_imports(text))
        return grouping.all(), [canonical_url(url) for url in imported if url]
