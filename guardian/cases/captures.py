"""Decides which versions of the bytes at a finding are worth keeping: the first, the last, and those that changed."""

import hashlib
import json
import re
from collections.abc import Sequence

from guardian.cases.uses import Kept
from guardian.model import Context, Finding, FindingDigest, Importance, VersionChange
from guardian.store import Transaction
from guardian.urls.addresses import address_key

_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")


def note_capture(tx: Transaction, before: Finding | None, finding: Finding, kept: Kept) -> FindingDigest:
    """Write which version of the bytes was seen at a finding; return it.

    `before` is the finding as it was until this sighting, None for a new one. A version of which nothing matters that
    was not kept before takes the place of the last one of this sort, whose evidence is released.
    """
    versions = tx.versions.of(finding.id)
    changes = changes_between(before, finding) if before is not None else ()
    key = content_key(finding)
    has_news = bool(changes) and key not in {one.content_key for one in versions if _is_as_complete(one, kept)}

    seen_before = _same_version(versions, finding, kept)
    if seen_before is None:
        importance = _importance(versions, kept, has_news=has_news)
        noted = changes if importance is Importance.CHANGED else ()
        page_sha256 = kept.page_sha256
    else:
        importance, noted = seen_before.importance, seen_before.changes
        page_sha256 = seen_before.page_sha256
        if has_news and importance is Importance.LATEST:
            # The same bytes came in another way, with another status for instance.
            importance, noted = Importance.CHANGED, changes

    version = FindingDigest(
        candidate_sha256=finding.candidate_sha256,
        image_sha256=kept.image_sha256,
        page_sha256=page_sha256,
        first_seen_at=finding.last_seen_at,
        last_seen_at=finding.last_seen_at,
        importance=importance,
        changes=noted,
        content_key=key,
        # Evidence that was removed stays removed, unless this sighting has kept it anew.
        dropped_at=seen_before.dropped_at if seen_before is not None and kept.image_sha256 is None else None,
    )
    tx.versions.note(finding.id, version)

    needless = [one for one in versions if one.importance is Importance.LATEST and one != seen_before]
    tx.versions.supersede(finding.id, needless, finding.last_seen_at)
    return version


def changes_between(before: Finding, now: Finding) -> tuple[VersionChange, ...]:
    """Return what matters and differs between two sightings of a finding.

    Tokens and session ids in addresses do not matter, nor do numbers in the text around a picture. A status that
    is not known does not differ.
    """
    changes = []
    if now.candidate_sha256 != before.candidate_sha256:
        changes.append(VersionChange.PICTURE)
    if address_key(now.image_url) != address_key(before.image_url):
        changes.append(VersionChange.ADDRESS)
    if _words(now.context) != _words(before.context):
        changes.append(VersionChange.WORDS)
    if now.context.claims != before.context.claims:
        changes.append(VersionChange.CLAIMS)

    statuses = ((before.image_status, now.image_status), (before.page_status, now.page_status))
    if any(None not in pair and pair[0] != pair[1] for pair in statuses):
        changes.append(VersionChange.STATUS)
    return tuple(changes)


def content_key(finding: Finding) -> str:
    """Return a digest (32 hex digits) of all that matters of what was seen at a finding."""
    facts = [
        finding.candidate_sha256,
        address_key(finding.image_url),
        _words(finding.context),
        finding.context.claims,
        finding.image_status,
        finding.page_status,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _importance(versions: Sequence[FindingDigest], kept: Kept, *, has_news: bool) -> Importance:
    """Return why a version that was not seen before is kept."""
    is_first_kept = kept.image_sha256 is not None and not any(_is_as_complete(one, kept) for one in versions)
    if not versions or is_first_kept:
        return Importance.FIRST
    return Importance.CHANGED if has_news else Importance.LATEST


def _same_version(versions: Sequence[FindingDigest], finding: Finding, kept: Kept) -> FindingDigest | None:
    """Return the version that was seen again, None for a new one.

    When the page could not be kept this time, it is the last one with the same picture, rather than a version that
    has less evidence.
    """
    of_picture = [one for one in versions if one.candidate_sha256 == finding.candidate_sha256]
    same = next((one for one in of_picture if one.page_sha256 == kept.page_sha256), None)
    if same is None and kept.page_sha256 is None:
        return max(of_picture, key=lambda one: one.last_seen_at, default=None)
    return same


def _is_as_complete(version: FindingDigest, kept: Kept) -> bool:
    """Return whether a version has evidence of all that was kept now."""
    has_image = version.image_sha256 is not None or kept.image_sha256 is None
    has_page = version.page_sha256 is not None or kept.page_sha256 is None
    return version.dropped_at is None and has_image and has_page


def _words(context: Context) -> tuple[str | None, ...]:
    """Return the words around a picture by which sightings are compared.

    The page's title and the text nearby are full of counters, times and tokens: words with digits in them do not count.
    """
    own = (context.alt, context.caption, context.title)
    around = (context.page_title, context.nearby_text)
    return (*own, *(None if text is None else _without_numbers(text) for text in around))


def _without_numbers(text: str) -> str:
    return " ".join(word for word in _WORD.findall(text.casefold()) if not _DIGIT.search(word))
