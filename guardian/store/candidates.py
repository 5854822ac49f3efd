"""What the matcher said about bytes that were met before, so that it need not look twice."""

from sqlalchemy import Connection, delete, select

from guardian.model import MatchReport, Skipped, read_reason
from guardian.store.inserting import insert_into
from guardian.store.tables import candidates


class Candidates:
    """The candidates table: one row for each digest and recipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def known(self, sha256: str, recipe: str) -> MatchReport | Skipped | None:
        """Return the last answer for these bytes; a Skipped (without address) says why they cannot be matched.

        None when there is none, or one whose reason this version does not know: the bytes are then matched anew.
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

    def remember(self, sha256: str, recipe: str, answer: MatchReport | Skipped) -> None:
        """Keep an answer; the newest for the same bytes and recipe stays."""
        if isinstance(answer, Skipped):
            values: dict[str, object] = {
                "report": None,
                "reason": answer.word,
                "detail": answer.detail.replace("\x00", ""),
            }
        else:
            values = {"report": answer, "reason": None, "detail": None}
        statement = insert_into(self._connection, candidates).values(sha256=sha256, recipe=recipe, **values)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["sha256", "recipe"],
                set_={name: statement.excluded[name] for name in values},
            )
        )

    def forget_other_recipes(self, recipe: str) -> int:
        """Drop the answers of all recipes but this one; returns how many."""
        statement = delete(candidates).where(candidates.c.recipe != recipe)
        return self._connection.execute(statement).rowcount
