"""Finds pictures in the style sheets that a page links to, and in those that these import."""

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
from guardian.model import Context, PageImage, Response, Skipped, SkipReason
from guardian.urls.addresses import canonical_url, resolve_web_url
from guardian.urls.renditions import picture_key
from guardian.views.counting import counted

SHEETS_PER_SCAN = 40
"""Style sheets beyond these are left out: what they show is mostly decoration."""

_IMPORTS_WITHIN_IMPORTS = 2


class StyleSheets:
    """Reads the style sheets of one scan, each once."""

    def __init__(self, context: CrawlContext) -> None:
        self._context = context
        self._met = set[str]()

    async def pictures(
        self, sheets: Sequence[str], page_url: str, seen: Sequence[PageImage | Skipped]
    ) -> list[PageImage | Skipped]:
        """Return the pictures in the sheets of a page that are not among `seen`, those in the page itself."""
        shown = {picture_key(one.image_url) for one in seen if isinstance(one, PageImage) and one.image_url}
        found: list[PageImage | Skipped] = []
        # Breadth first, so that the budget goes to the sheets that the page links to before those that they import.
        waiting = deque((sheet, 0) for sheet in sheets)
        while waiting:
            sheet, depth = waiting.popleft()
            if sheet in self._met:
                # Nearly all pages of a site share their sheets, whose pictures were found with the first page.
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
                response = await self._context.fetcher.get(sheet, kind="document")
            except (FetchRefused, FetchFailed) as error:
                found.append(replace(error.skipped, detail=f"a style sheet: {error.detail}"))
                continue

            if response.incomplete is not None:
                found.append(
                    Skipped(sheet, SkipReason.BROKEN, f"only a part of the style sheet came: {response.incomplete}")
                )
            pictures, imports = await asyncio.to_thread(self._read, response, page_url, shown)
            found += pictures
            waiting.extend((url, depth + 1) for url in imports)
        return found

    def _read(self, sheet: Response, page_url: str, shown: set[str]) -> tuple[list[PageImage | Skipped], list[str]]:
        """Return the pictures of one sheet that are not among `shown`, which grows by them, and what it imports."""
        text = html_to_unicode(sheet.header("content-type"), sheet.content, default_encoding="utf-8")[1]
        grouping = ImageGrouping(page_url)
        named = css_pictures(text)
        if len(named) > MAX_PICTURES:
            more = counted(len(named) - MAX_PICTURES, "more picture")
            grouping.leave_out(sheet.final_url, SkipReason.BUDGET, f"{more} in one style sheet")

        for urls in named[:MAX_PICTURES]:
            resolved = [grouping.address(sheet.final_url, url) for url in urls]
            addresses = [address for address in resolved if address]
            keys = {picture_key(url) for url in addresses}
            if addresses and shown.isdisjoint(keys):
                grouping.add(addresses, Context())
            if not addresses:
                # A data: URL beside a real address is only a placeholder.
                for url in filter(is_data_url, urls):
                    grouping.add_inline(url, Context())
            shown |= keys

        imported = (resolve_web_url(sheet.final_url, url) for url in css_imports(text))
        return grouping.all(), [canonical_url(url) for url in imported if url]
