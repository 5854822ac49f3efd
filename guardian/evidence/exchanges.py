"""Takes the exact exchanges of a use: its page, the picture, and the style sheets and pictures of the page."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from guardian.errors import CaptureFull, FetchFailed, GuardianError
from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.exchange_files import WACZ_NAME, keep_visit
from guardian.evidence.page_visit import ExchangeServices, PageVisit
from guardian.evidence.step_result import StepResult
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.fetch.fetcher import Fetcher
from guardian.media.sniff import picture_type
from guardian.model import NotTaken, Response
from guardian.urls.addresses import without_folders
from guardian.views.timestamps import minute_text

_SHARE_OF_ROOM = 2
"""The exchanges take at most half of the bytes that a capture may hold: the other steps need the rest."""


@dataclass(frozen=True, slots=True)
class Exchanges:
    """What was taken, and the answers themselves for the steps that come after."""

    taken: StepResult

    page: Response | None = None
    """The answer with the page; None where none came."""

    image: Response | None = None
    """The answer with the picture; None where none came."""

    pictures: tuple[Response, ...] = ()
    """The other pictures of the page."""

    unreachable: str | None = None
    """Why nothing of the site answered, where trying again later may help."""

    refused: str | None = None
    """Why guardian itself did not request the page, by robots.txt for example; None when it did."""

    failed: FetchFailed | None = None
    """Why a page that was requested did not come, such as an answer with an error; None when it came."""

    visit: PageVisit | None = None
    """Has the exchanges, until `keep_exchanges` writes them; None where there are none."""


async def take_exchanges(subject: CaptureSubject, folder: CaptureFolder, services: ExchangeServices) -> Exchanges:
    """Request what a use shows, as guardian, and record each exchange byte by byte; keep the picture.

    The exchanges are kept by `keep_exchanges`, when other steps have made theirs (`site_of`); room for them is set
    aside until then. Of what the source keeps on a disk there are no exchanges, which is said.
    """
    if subject.page_url is None and subject.image_url is None:
        return Exchanges(await asyncio.to_thread(_without_requests, subject, folder, services.vault))

    visit = PageVisit(subject, services, folder.free_bytes // _SHARE_OF_ROOM)
    await visit.make()
    if services.is_of_absence and visit.image is None:
        nothing = NotTaken("picture", "no picture came from its address")
        image = StepResult(not_taken=(nothing,))
    else:
        image = await asyncio.to_thread(_picture_file, subject, folder, services.vault, visit.image)
    folder.reserve(min(visit.expected_bytes, folder.free_bytes // _SHARE_OF_ROOM))
    taken = StepResult(image.files, image.not_taken, image.differences)
    answers = (visit.page, visit.image, tuple(visit.pictures))
    return Exchanges(taken, *answers, visit.unreachable, visit.refused, visit.failed, visit)


def site_of(exchanges: Exchanges, fetcher: Fetcher) -> Fetcher:
    """Return a fetcher for other pages of the site, whose exchanges are kept with those of the use, within a bound."""
    return fetcher.recording(exchanges.visit.note_beside) if exchanges.visit is not None else fetcher


async def keep_exchanges(exchanges: Exchanges, folder: CaptureFolder) -> StepResult:
    """Keep what was recorded: no exchange is added afterwards.

    All go into "page.wacz" with all redirects and failures, what is known of the connections into "exchanges.json", the
    certificates into "certificates.pem".
    """
    folder.reserve(0)
    visit = exchanges.visit
    if visit is None:
        return StepResult()
    files, not_taken = await asyncio.to_thread(keep_visit, visit, folder)
    return StepResult(tuple(files), (*visit.not_taken, *not_taken))


def _picture_file(subject: CaptureSubject, folder: CaptureFolder, vault: Vault, answer: Response | None) -> StepResult:
    """Keep the picture itself: as it came just now, else as it was kept when the use was last seen."""
    if answer is not None:
        content, about = answer.content, "The picture as the site sent it."
    elif subject.image_sha256 is None:
        return StepResult(
            not_taken=(NotTaken("picture", subject.finding.evidence_note or "its bytes were never kept"),)
        )
    else:
        try:
            content = vault.get(subject.image_sha256)
        except (GuardianError, OSError) as error:
            return StepResult(not_taken=(NotTaken("picture", str(error)),))
        about = f"The picture as it was when the use was last seen, {minute_text(subject.finding.last_seen_at)}."

    kind, differences = picture_type(content), tuple(_other_bytes(subject, content))
    try:
        return StepResult((folder.add(f"picture.{kind.ending}", content, kind.media_type, about),), (), differences)
    except CaptureFull as error:
        return StepResult((), (NotTaken("picture", str(error)),), differences)


def _other_bytes(subject: CaptureSubject, content: bytes) -> Iterator[str]:
    """Yield that the picture is not the one that was compared, if it is not."""
    if subject.image_sha256 not in (None, hashlib.sha256(content).hexdigest()):
        yield (
            "The picture came with other bytes than when the use was last seen, "
            f"{minute_text(subject.finding.last_seen_at)}. What this capture holds of a comparison and of rights "
            "metadata is about the earlier ones, but for what is said of the picture that came now."
        )


def _without_requests(subject: CaptureSubject, folder: CaptureFolder, vault: Vault) -> StepResult:
    """Keep the bytes of what was not seen on the web, and say that there were no exchanges."""
    picture = _picture_file(subject, folder, vault, None)
    name = without_folders(subject.finding.image_url)
    reason = f"{name} was seen on a disk, not on the web: there is no exchange to be recorded"
    return StepResult(picture.files, (*picture.not_taken, NotTaken(WACZ_NAME, reason)))
