"""Pictures in the style sheets that a page links to, and in those that these import."""

import asyncio
from collections import deque
from collections.abc import Sequence

from w3lib.encoding import html_to_unicode

from guardian.addresses import canonical_url
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Context, Omission, Response, Sighting
from guardian.sources.css import css_imports, css_pictures
from guardian.sources.data_urls import is_data_url
from guardian.sources.gathering import MAX_PICTURES, Gathering
from guardian.sources.responses import web_address
from guardian.sources.visit import Visit
from guardian.variants import variant_key

SHEETS_PER_SCAN = 40
"""Style sheets beyond these are left out: what they show is mostly decoration."""

_IMPORTS_WITHIN_IMPORTS = 2


class StyleSheets:
    """The style sheets of one scan, each looked at once. `asked_by_person`: whatever robots.txt says."""

    def __init__(self, source: str, visit: Visit, asked_by_person: bool) -> None:
        self._source, self._visit, self._asked_by_person = source, visit, asked_by_person
        self._met = set[str]()

    async def pictures(
        self, sheets: Sequence[str], page: Response, seen: Sequence[Sighting | Omission]
    ) -> list[Sighting | Omission]:
        """What the sheets of a page name and the page itself does not."""
        shown = {variant_key(one.image_url) for one in seen if isinstance(one, Sighting) and one.image_url}
        found: list[Sighting | Omission] = []
        waiting = deque((sheet, 0) for sheet in sheets)
        while waiting:
            sheet, depth = waiting.popleft()
            if sheet in self._met:
                continue
            if len(self._met) >= SHEETS_PER_SCAN:
                found.append(Omission(sheet, "budget", f"more than {SHEETS_PER_SCAN} style sheets in one scan"))
                break
            self._met.add(sheet)
            if depth > _IMPORTS_WITHIN_IMPORTS:
                detail = f"more than {_IMPORTS_WITHIN_IMPORTS} style sheets that import each other"
                found.append(Omission(sheet, "budget", detail))
                continue
            try:
                response = await self._visit.fetch.get(sheet, kind="document", asked_by_person=self._asked_by_person)
            except (FetchRefused, FetchFailed) as error:
                found.append(Omission(error.url, error.reason, f"a style sheet: {error.detail}"))
                continue
            pictures, imports = await asyncio.to_thread(self._look, response, page, shown)
            found += pictures
            waiting.extend((url, depth + 1) for url in imports)
        return found

    def _look(self, sheet: Response, page: Response, shown: set[str]) -> tuple[list[Sighting | Omission], list[str]]:
        """The pictures of one sheet that are not among `shown`, which grows by them, and what it imports."""
        text = html_to_unicode(sheet.header("content-type"), sheet.content, default_encoding="utf-8")[1]
        gathered = Gathering(page, self._source)
        named = css_pictures(text)
        if len(named) > MAX_PICTURES:
            gathered.leave_out(
                sheet.final_url, "budget", f"{len(named) - MAX_PICTURES} more pictures in one style sheet"
            )
        for urls in named[:MAX_PICTURES]:
            addresses = [whole for url in urls if (whole := gathered.address(sheet.final_url, url))]
            keys = {variant_key(url) for url in addresses}
            if addresses and shown.isdisjoint(keys):
                gathered.add(addresses, Context())
            for url in () if addresses else filter(is_data_url, urls):
                gathered.add_inside(url, Context())
            shown |= keys
        imported = (web_address(sheet.final_url, url) for url in css_imports(text))
        return gathered.all(), [canonical_url(url) for url in imported if url]
