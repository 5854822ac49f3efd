"""What a person asks to be checked: files, folders, addresses of pictures and of pages become sightings.

An address is requested here, since only its answer tells whether it is a picture or a page.
"""

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from guardian.crawl.page_loader import PageLoader
from guardian.crawl.page_reader import MOST_FRAMES, PageReader, PageReading
from guardian.errors import FetchFailed, FetchRefused
from guardian.media.sniff import is_page
from guardian.model import NotSeen, Sighting, Skipped, SkipReason
from guardian.scan.context import CHECK, ScanContext, crawl_context_of
from guardian.scan.services import Services
from guardian.sources.files import absolute_path, files_in
from guardian.urls.addresses import host_without_www, is_web_address
from guardian.urls.guessing import likely_web_address, other_scheme, path_of_file_url
from guardian.views.counting import counted


async def expanded(targets: Iterable[str]) -> AsyncIterator[str | NotSeen]:
    """Yield the targets in their order, each folder replaced by its files (sorted, links followed).

    A folder without files, or one that cannot be listed, is not seen.
    """
    for target in targets:
        # Path.is_dir() raises for a name that is too long, which would end the answers for all other targets.
        if is_web_address(target) or not os.path.isdir(target):  # noqa: PTH112
            yield target
        else:
            problem: Skipped | None = Skipped(target, SkipReason.NO_PICTURES, "there are no files in this folder")
            try:
                for path in files_in(Path(target)):
                    problem = None
                    yield str(path)
            except OSError as error:
                detail = f"the folder cannot be listed: {error.strerror or 'unknown error'}"
                problem = Skipped(target, SkipReason.UNREADABLE, detail)
            if problem is not None:
                yield NotSeen(target, problem)


def nothing_to_compare(skipped: Sequence[Skipped]) -> str:
    """Return in words what a page shows on which there is nothing to compare."""
    if not skipped:
        return "the page shows no pictures"
    labels = dict.fromkeys(one.reason.label for one in skipped)
    return f"all that the page shows is left out: {counted(len(skipped), 'picture')}, {', '.join(labels)}"


async def seen_at(services: Services, context: ScanContext, target: str) -> list[Sighting | Skipped]:
    """Return what a target shows: itself when it is an image, all its images when it is a page."""
    if not is_web_address(target):
        file = _file_named(target)
        return [Sighting(source=CHECK, image_url=file.as_uri(), page_url=None, seen_at=services.clock())]

    now = services.clock()
    # Requested as an image, which is what most people name; a page is accepted as well.
    capture = await PageLoader(context.fetcher).load(target, kind="image")
    if not is_page(capture.response):
        return [Sighting(source=CHECK, image_url=target, page_url=None, seen_at=now, image=capture.response)]

    reader = PageReader(CHECK, crawl_context_of(services, context))
    reading = await reader.read_capture(capture)
    return [*reading.seen, *await _seen_in_frames(context, reader, reading)]


def _file_named(target: str) -> Path:
    """Return the file that a person means; it need not be there.

    Raises FetchFailed (scheme, missing) for what is no file's name, and most likely meant as an address.
    """
    path = absolute_path(Path(target))
    if os.path.lexists(path):
        return path
    if named := path_of_file_url(target):
        return absolute_path(Path(named))

    if scheme := other_scheme(target):
        words = f"{scheme} addresses are not fetched; http, https and files are"
        raise FetchFailed(SkipReason.SCHEME, target, words)
    if meant := likely_web_address(target):
        missing = f"there is no file {path}; for the site write {meant}"
        raise FetchFailed(SkipReason.MISSING, path.as_uri(), missing)
    return path


async def _seen_in_frames(context: ScanContext, reader: PageReader, page: PageReading) -> list[Sighting | Skipped]:
    """Return what the frames of a page show that belong to its site; others, and frames within frames, are left out.

    A scan visits frames like links.
    """
    seen: list[Sighting | Skipped] = []
    home = host_without_www(page.final_url)
    for number, url in enumerate(page.frames):
        if host_without_www(url) != home:
            seen.append(Skipped(url, SkipReason.ELSEWHERE, "a frame with a page of another site"))
            continue
        if number >= MOST_FRAMES:
            seen.append(Skipped(url, SkipReason.BUDGET, f"more than {MOST_FRAMES} frames on one page"))
            break

        try:
            capture = await PageLoader(context.fetcher).load(url)
            if not is_page(capture.response):
                seen.append(Skipped(url, SkipReason.NOT_A_PAGE, "a frame that holds no page"))
                continue
            framed = await reader.read_capture(capture)
        except (FetchRefused, FetchFailed) as error:
            seen.append(replace(error.skipped, detail=f"a frame: {error.detail}"))
            continue

        seen += framed.seen
        seen += [Skipped(inner, SkipReason.BUDGET, "a frame within a frame") for inner in framed.frames]
    return seen
