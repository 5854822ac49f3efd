"""Cached answers of the matcher by the digest of a picture, so that the same bytes are not matched twice."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, Text, and_, cast, delete, func, or_, select, tuple_

from guardian.model import MatchReport, Skipped, read_reason
from guardian.store.chunks import in_chunks
from guardian.store.inserting import insert_into
from guardian.store.retention import is_of_held_case
from guardian.store.scan_tables import responses
from guardian.store.seen_tables import seen_pictures
from guardian.store.tables import candidates

OLD_RECIPES_KEPT = timedelta(days=7)
"""How long answers of other recipes stay: during an upgrade two processes may match by two recipes for a while."""

_NO_MATCHES = '"matches": []'
"""In the JSON of an answer (as both databases keep its text): nothing resembles the picture at all."""


class Candidates:
    """The candidates table: one row for each digest and recipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, sha256: str, recipe: str) -> MatchReport | Skipped | None:
        """Return the last answer for these bytes; a Skipped (without address) says why they cannot be matched.

        None when there is no answer, or one whose reason this version does not know: match the bytes anew then.
        """
        query = select(candidates).where(candidates.c.sha256 == sha256, candidates.c.recipe == recipe)
        row = self._connection.execute(query).first()
        if row is None:
            return None
        if row.reason is not None:
            try:
                reason, status = read_reason(row.reason)
            except ValueError:
                return None

            return Skipped("", reason, row.detail or "", status)

        report: MatchReport = row.report
        return report

    def reports(self, digests: Collection[str], recipe: str) -> dict[str, MatchReport]:
        """Return by digest what was measured of some pictures by this recipe; those without are passed over."""
        found: dict[str, MatchReport] = {}
        query = select(candidates.c.sha256, candidates.c.report).where(
            candidates.c.recipe == recipe, candidates.c.report.is_not(None)
        )
        for some in in_chunks(digests):
            for row in self._connection.execute(query.where(candidates.c.sha256.in_(some))):
                found[row.sha256] = row.report
        return found

    def matched(self, recipe: str) -> Iterator[tuple[str, MatchReport]]:
        """Yield the digest and the answer of every picture that resembles some asset by this recipe, however little."""
        # Most pictures of the web resemble none; their answers are not worth reading.
        resembles = cast(candidates.c.report, Text).not_like(f"%{_NO_MATCHES}%")
        query = select(candidates.c.sha256, candidates.c.report).where(
            candidates.c.recipe == recipe, candidates.c.report.is_not(None), resembles
        )
        for row in self._connection.execute(query.order_by(candidates.c.sha256)):
            yield row.sha256, row.report

    def compared_up_to(self, recipe: str) -> dict[str, int]:
        """Return by digest up to which asset number each picture was compared by this recipe."""
        query = select(candidates.c.sha256, candidates.c.report).where(
            candidates.c.recipe == recipe, candidates.c.report.is_not(None)
        )
        return {row.sha256: row.report.up_to_number for row in self._connection.execute(query)}

    def recipes(self) -> dict[str, int]:
        """Return how many pictures were compared by each recipe of which answers are kept."""
        query = select(candidates.c.recipe, func.count()).group_by(candidates.c.recipe).order_by(candidates.c.recipe)
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def remember(self, sha256: str, recipe: str, answer: MatchReport | Skipped, at: datetime) -> None:
        """Keep an answer that was measured at `at`; the newest for the same bytes and recipe stays."""
        if isinstance(answer, Skipped):
            values: dict[str, object] = {
                "report": None,
                "reason": answer.word,
                # PostgreSQL takes no NUL in a text, and a detail may quote the picture's own bytes.
                "detail": answer.detail.replace("\x00", ""),
            }
        else:
            values = {"report": answer, "reason": None, "detail": None}

        values["matched_at"] = at
        statement = insert_into(self._connection, candidates).values(sha256=sha256, recipe=recipe, **values)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["sha256", "recipe"],
                set_={name: statement.excluded[name] for name in values},
            )
        )

    def forget(self, recipe: str, before: datetime, now: datetime, limit: int) -> int:
        """Delete up to `limit` answers that are not needed any more; return how many.

        Those of other recipes go after a week. Those of `recipe` go when they were measured before `before`
        and neither a response nor the memory knows their bytes; such a picture would be matched anew. Answers about
        pictures of cases on hold stay.
        """
        still_met = select(responses.c.sha256).where(responses.c.sha256 == candidates.c.sha256).exists()
        remembered = select(seen_pictures.c.id).where(seen_pictures.c.sha256 == candidates.c.sha256).exists()
        is_of_old_recipe = and_(candidates.c.recipe != recipe, candidates.c.matched_at < now - OLD_RECIPES_KEPT)
        is_stale = and_(candidates.c.matched_at < before, ~still_met, ~remembered)

        keys = select(candidates.c.sha256, candidates.c.recipe).where(
            or_(is_of_old_recipe, is_stale), ~is_of_held_case(candidates.c.sha256)
        )
        key = tuple_(candidates.c.sha256, candidates.c.recipe)
        return self._connection.execute(delete(candidates).where(key.in_(keys.limit(limit)))).rowcount
