"""Sites that never end: calendars, filters in every combination, paths that grow at each link."""

import re
from collections import Counter
from datetime import date
from urllib.parse import urlsplit

MAX_SEGMENTS = 16
"""A path of more parts is made by a machine."""

MAX_REPEATS = 3
"""The same part so often in one path: a relative link that leads ever deeper."""

MAX_QUERIES = 200
"""So many different queries of one path: filters, sortings and searches in every combination."""

MAX_DATED = 400
"""So many addresses that differ only in their dates: a calendar."""

_DATE = re.compile(r"(?<!\d)((?:19|20|21)\d\d)[-/_.](?:0?[1-9]|1[0-2])(?!\d)(?:[-/_.](?:0?[1-9]|[12]\d|3[01])(?!\d))?")


class Traps:
    """What one crawl has met so far. `today` says which dates lie ahead."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._queries: Counter[str] = Counter()
        self._dated: Counter[str] = Counter()

    def reason(self, url: str) -> str | None:
        """Return why an address that was not met before is not worth following; None: follow it."""
        parts = urlsplit(url)
        segments = [part for part in parts.path.split("/") if part]
        if len(segments) > MAX_SEGMENTS:
            return f"a path of more than {MAX_SEGMENTS} parts"
        if segments and Counter(segments).most_common(1)[0][1] > MAX_REPEATS:
            return f"the same part more than {MAX_REPEATS} times in one path"
        return self._calendar(f"{parts.path}?{parts.query}", parts.netloc) or self._combinations(
            parts.netloc + parts.path, parts.query
        )

    def _calendar(self, text: str, place: str) -> str | None:
        found = _DATE.search(text)
        if found is None:
            return None
        if int(found[1]) > self._today.year + 1:
            return f"a date in {found[1]}: a calendar without end"
        shape = place + _DATE.sub("DATE", text)
        self._dated[shape] += 1
        return f"more than {MAX_DATED} addresses that differ in their dates" if self._dated[shape] > MAX_DATED else None

    def _combinations(self, place: str, query: str) -> str | None:
        if not query:
            return None
        self._queries[place] += 1
        return f"more than {MAX_QUERIES} queries of one path" if self._queries[place] > MAX_QUERIES else None
