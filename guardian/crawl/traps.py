"""Recognises crawler traps: calendars, filters in every combination, paths that grow with each link."""

import re
from collections import Counter
from datetime import date
from urllib.parse import urlsplit

MAX_SEGMENTS = 16
"""More parts in one path mean that it was generated without end."""

MAX_REPEATS = 3
"""More of the same part in one path mean a relative link that leads ever deeper."""

MAX_QUERIES = 200
"""More queries of one path mean filters, sort orders and searches in every combination."""

MAX_DATED = 400
"""More addresses that differ only in their dates mean a calendar."""

_DATE = re.compile(r"(?<!\d)((?:19|20|21)\d\d)[-/_.](?:0?[1-9]|1[0-2])(?!\d)(?:[-/_.](?:0?[1-9]|[12]\d|3[01])(?!\d))?")


class Traps:
    """Counts what one crawl has met so far. Dates are compared with `today`."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._queries: Counter[str] = Counter()
        self._dated: Counter[str] = Counter()

    def reason(self, url: str) -> str | None:
        """Return why an address is a trap, in words; None: follow it. Call it once for each address: it counts them."""
        parts = urlsplit(url)
        segments = [part for part in parts.path.split("/") if part]
        if len(segments) > MAX_SEGMENTS:
            return f"a path of more than {MAX_SEGMENTS} parts"
        if segments and Counter(segments).most_common(1)[0][1] > MAX_REPEATS:
            return f"the same part more than {MAX_REPEATS} times in one path"

        calendar = self._calendar(f"{parts.path}?{parts.query}", parts.netloc)
        return calendar or self._combinations(parts.netloc + parts.path, parts.query)

    def _calendar(self, text: str, host: str) -> str | None:
        """Return why path and query belong to an endless calendar, or None."""
        found = _DATE.search(text)
        if found is None:
            return None
        if int(found[1]) > self._today.year + 1:
            return f"a date in {found[1]}: a calendar without end"

        # The address with its dates taken out: all days of one calendar have the same.
        shape = host + _DATE.sub("DATE", text)
        self._dated[shape] += 1
        return f"more than {MAX_DATED} addresses that differ in their dates" if self._dated[shape] > MAX_DATED else None

    def _combinations(self, page: str, query: str) -> str | None:
        """Return why a query is one of too many for its page, or None."""
        if not query:
            return None

        self._queries[page] += 1
        return f"more than {MAX_QUERIES} queries of one path" if self._queries[page] > MAX_QUERIES else None
