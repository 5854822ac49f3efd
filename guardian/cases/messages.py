"""Composes the messages about a case, under 20 kB each. message.schema.json beside this file publishes their form."""

from guardian.cases.uses import RecordedUse
from guardian.model import Case, Message
from guardian.outbox import mint
from guardian.views.messages import (
    message_also_at,
    message_asset,
    message_case,
    message_context,
    message_recovered,
    message_rule,
    message_text,
    message_url,
)
from guardian.views.plain_text import clipped
from guardian.views.timestamps import message_timestamp

MAX_BYTES = 20_000
"""The size that Standard Webhooks recommends not to exceed."""


def compose(kind: str, case: Case, finding_id: str, use: RecordedUse) -> Message:
    """Return a new message about a use. `kind`: case.opened, case.escalated or case.reopened.

    All text is cleaned and cut so that the whole stays under MAX_BYTES.
    """
    sighting = use.sighting
    data = {
        "case": message_case(case),
        "finding": {"id": finding_id},
        "asset": message_asset(use.asset),
        "source": clipped(sighting.source, 200),
        "page_url": message_url(sighting.page_url),
        "image_url": message_url(sighting.image_url),
        "context": message_context(sighting.context),
        **message_also_at(use.also_at),
        "recovered": message_recovered(use.comparison),
        "measured": use.comparison.measured,
        "rule": message_rule(use.decision),
        "licence": use.licence_status.value,
        "evidence": {
            "candidate_sha256": use.candidate_sha256,
            "image_sha256": use.kept.image_sha256,
            "page_sha256": use.kept.page_sha256,
            "note": message_text(use.kept.note, 500),
        },
        "seen_at": message_timestamp(sighting.seen_at),
    }

    return mint(kind, data, use.at)
