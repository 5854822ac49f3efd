"""The tables of notices and rechecks. A change here needs a migration, as one in tables.py does."""

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, Table, Text

from guardian.model.notices import (
    NoticeItem,
    NoticeKind,
    NoticeLanguage,
    NoticeStep,
    PlaceLook,
    RecheckOutcome,
)
from guardian.store.columns import Document, Instant, Word
from guardian.store.tables import RowNumber, metadata

notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Word(NoticeKind), nullable=False),
    Column("language", Word(NoticeLanguage), nullable=False),
    Column("operator", Text, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("items", Document(tuple[NoticeItem, ...]), nullable=False),
    Column("missing", Document(tuple[str, ...]), nullable=False),
    Column("template_sha256", Text, nullable=False),
    Column("answer_by", Date, nullable=False),
    Column("recipient", Text),
    Index(None, "operator"),
    Index(None, "drafted_at"),
)

notice_cases = Table(
    "notice_cases",
    metadata,
    Column("notice_id", Text, ForeignKey("notices.id"), primary_key=True),
    # The id that the case had when the notice was drafted: merged into another one, it leads there.
    Column("case_id", Text, primary_key=True),
    Index(None, "case_id"),
)

notice_lines = Table(
    "notice_lines",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("notice_id", Text, ForeignKey("notices.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("step", Word(NoticeStep), nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text),
    Column("detail", Document(dict[str, str]), nullable=False),
    Index(None, "notice_id"),
)

rechecks = Table(
    "rechecks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("notice_id", Text, ForeignKey("notices.id")),
    Column("day", Integer),
    Column("at", Instant, nullable=False),
    Column("outcome", Word(RecheckOutcome), nullable=False),
    Column("places", Document(tuple[PlaceLook, ...]), nullable=False),
    Column("elsewhere", Document(tuple[PlaceLook, ...]), nullable=False),
    Column("asked_by", Text),
    Index(None, "case_id", "at"),
)
