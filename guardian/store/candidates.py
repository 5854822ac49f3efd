"""Cached answers of the matcher by the digest of a picture, so that the same bytes are not matched twice."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, or_, select, tuple_

from guardian.model import MatchReport, Skipped, read_reason
from guardian.store.inserting import insert_into
from guardian.store.tables import candidates, responses

OLD_RECIPES_KEPT = timedelta(days=7)
"""How long answers of other recipes stay: during an upgrade two processes may match by two recipes for a while."""


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
        and no remembered response leads to their bytes; such a picture would be matched anew.
        """
        still_met = select(responses.c.sha256).where(responses.c.sha256 == candidates.c.sha256).exists()
        is_of_old_recipe = and_(candidates.c.recipe != recipe, candidates.c.matched_at < now - OLD_RECIPES_KEPT)
        is_stale = and_(candidates.c.matched_at < before, ~still_met)

        keys = select(candidates.c.sha256, candidates.c.recipe).where(or_(is_of_old_recipe, is_stale)).limit(limit)
        key = tuple_(candidates.c.sha256, candidates.c.recipe)
        return self._connection.execute(delete(candidates).where(key.in_(keys))).rowcount
