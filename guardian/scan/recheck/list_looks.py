"""Looks for one picture in the sitemaps and feeds of a source, which may name it for a page that does not show it."""

from collections import deque
from collections.abc import Sequence

from guardian.crawl.lists import ListReader
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Skipped, SkipReason
from guardian.scan.context import ScanContext, crawl_context_of
from guardian.scan.recheck.looks import GONE_STATUSES, PageLook, PageVerdict, Place, shown_for
from guardian.scan.services import Services
from guardian.sources.settings import FeedSettings, SitemapSettings, SiteSettings, SourceSettings
from guardian.views.counting import counted

MOST_LISTS = 50
"""Sitemaps that are read for one place; a scan reads at least as many."""


async def lists_of(settings: SourceSettings | None, context: ScanContext) -> tuple[str, ...]:
    """Return the addresses of the sitemaps and feeds that scans of a source begin with; none for other kinds.

    `settings` is None for a source that is no longer configured, whose lists nobody knows. Raises FetchRefused.
    """
    if isinstance(settings, SitemapSettings | FeedSettings):
        return (settings.url,)
    if not isinstance(settings, SiteSettings) or not settings.sitemaps:
        return ()
    return await context.fetcher.sitemaps(settings.url)


async def look_in_lists(services: Services, context: ScanContext, place: Place, urls: Sequence[str]) -> PageLook:
    """Return whether one of these lists, or of the sitemaps that they lead to, names the picture for its page.

    The verdict is `shows` with the sighting, `without` when all lists were read whole, else `unreachable`.
    """
    reader = ListReader(context.source, crawl_context_of(services, context))
    waiting, known = deque(urls), set(urls)
    unread = PageLook(PageVerdict.WITHOUT, "no sitemap or feed names it")
    for _ in range(MOST_LISTS):
        if not waiting:
            return unread
        url = waiting.popleft()
        try:
            listed = await reader.sitemap(url, 0)
        except (FetchFailed, FetchRefused) as error:
            if error.skipped.status not in GONE_STATUSES:
                unread = PageLook(PageVerdict.UNREACHABLE, f"{url} could not be read: {error}", reason=error.reason)
            continue

        found = shown_for(listed.seen, place)
        if found is not None:
            return PageLook(PageVerdict.SHOWS, f"{url} names it for the page", found)
        if left := next((one for one in listed.seen if isinstance(one, Skipped)), None):
            detail = f"{url} was not read whole: {left.detail or left.word}"
            unread = PageLook(PageVerdict.UNREACHABLE, detail, reason=left.reason)
        new = [one.url for one in listed.sitemaps if one.url not in known]
        known.update(new)
        waiting.extend(new)

    if not waiting:
        return unread
    detail = f"{counted(len(waiting), 'sitemap')} beyond the {MOST_LISTS} that are read for one place"
    return PageLook(PageVerdict.UNREACHABLE, detail, reason=SkipReason.BUDGET)
