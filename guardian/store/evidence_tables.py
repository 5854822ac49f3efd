"""The tables of captures. A change here needs a migration, as one in tables.py does."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from guardian.model import CaptureReason, NotTaken
from guardian.store.columns import Document, Instant, Word
from guardian.store.tables import metadata

evidence_captures = Table(
    "evidence_captures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("cases.id"), nullable=False),
    # No foreign key: the id of a finding that was merged into another leads on by its alias.
    Column("finding_id", Text),
    Column("reason", Word(CaptureReason), nullable=False),
    Column("asked_by", Text),
    Column("began_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("page_url", Text),
    Column("image_url", Text),
    Column("guardian_version", Text, nullable=False),
    Column("not_taken", Document(tuple[NotTaken, ...]), nullable=False),
    Column("differences", Document(tuple[str, ...]), nullable=False),
    Index(None, "case_id", "began_at"),
    Index(None, "finding_id"),
)

evidence_files = Table(
    "evidence_files",
    metadata,
    Column("capture_id", Text, ForeignKey("evidence_captures.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    # The files of a capture in the order in which they were taken.
    Column("position", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("about", Text, nullable=False),
    Index(None, "sha256"),
)
