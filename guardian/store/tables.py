"""The tables of assets, cases, messages and processes; others stand beside: *_tables.py. A change needs a migration."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from guardian.model import (
    Action,
    AssetState,
    CaseState,
    CommercialSign,
    Comparison,
    Context,
    Decided,
    Decision,
    Description,
    DismissReason,
    Importance,
    LicenceStatus,
    MatchReport,
    PictureLabel,
    Rights,
    SelfCheck,
    Severity,
    TaskKind,
    TaskState,
    VersionChange,
)
from guardian.store.columns import Document, Instant, Word

# Names of constraints are spelled out, since a migration can only drop what it can name.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows itself only for a column that is exactly INTEGER.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

assets = Table(
    "assets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("state", Word(AssetState), nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("collection", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("tags", Document(tuple[str, ...]), nullable=False),
    Column("rights", Document(Rights), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Column("perceptual_hash", Text),
    Column("by_bytes_only", Boolean, nullable=False),
    Column("self_check", Document(SelfCheck)),
    # What the assets of one work share. A work is nothing but its assets, so there is no table of works.
    Column("work_id", Text, nullable=False),
    # The version of the rule by which its work was looked for; null before that (see guardian/catalog/works.py).
    Column("work_rule", Integer),
    Column("labels", Document(tuple[PictureLabel, ...]), nullable=False, server_default="[]"),
    # The vocabulary by which its labels were made; null when they are to be made anew.
    Column("labelled_by", Text),
    Column("shoot", Text),
    Column("description", Document(Description), nullable=False, server_default="{}"),
    Index(None, "state", "number"),
    Index(None, "collection"),
    Index(None, "work_id"),
    Index(None, "work_rule"),
    Index(None, "labelled_by"),
)

# Ids of works that were joined to another. People and receivers have noted them, so they are kept for ever.
work_aliases = Table(
    "work_aliases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("work_id", Text, nullable=False),
    Index(None, "work_id"),
)

# Assets that a person has parted: whatever they look like, they are not one work. The lower id stands first.
parted_assets = Table(
    "parted_assets",
    metadata,
    Column("asset_id", Text, ForeignKey("assets.id"), primary_key=True),
    Column("other_id", Text, ForeignKey("assets.id"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Column("note", Text),
    Index(None, "other_id"),
)

# Pictures that matched a work and of which a person said that they are another's.
lookalikes = Table(
    "lookalikes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("work_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("image_sha256", Text),
    Column("perceptual_hash", Text),
    # No foreign key: a case may be merged into another.
    Column("case_id", Text, nullable=False),
    Column("batch", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Index(None, "work_id"),
    Index(None, "batch"),
    Index(None, "image_sha256"),
)

# Bytes that show a look-alike: its own, and those that the matcher has confirmed.
lookalike_digests = Table(
    "lookalike_digests",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("lookalike_id", Text, ForeignKey("lookalikes.id"), primary_key=True),
    Index(None, "lookalike_id"),
)

licences = Table(
    "licences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    # Exactly one of asset, collection and tag is set.
    Column("asset_id", Text, ForeignKey("assets.id")),
    Column("collection", Text),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("territory", Text),
    Column("proof_file", Text),
    Column("added_at", Instant, nullable=False),
    Column("path", Text),
    Column("tag", Text),
    Column("medium", Text),
    Column("note", Text),
    Column("proof_sha256", Text),
)

candidates = Table(
    "candidates",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("recipe", Text, primary_key=True),
    # Either the matcher's report, or the reason (and its detail) why these bytes cannot be matched.
    Column("report", Document(MatchReport)),
    Column("reason", Text),
    Column("detail", Text),
    Column("matched_at", Instant, nullable=False),
    Index(None, "matched_at"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("recipe", Text, primary_key=True),
    Column("image_url", Text, nullable=False),
    # That of the last attempt, as a word of SkipReason.
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failed_at", Instant, nullable=False),
    Column("retry_at", Instant, nullable=False),
)

# All that the queue is chosen and sorted by, so that no row is read which is not shown.
_QUEUE = ("state", "rank", "id", "severity", "assignee", "confidence", "opened_at", "operator", "work_id", "number")

cases = Table(
    "cases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("asset_id", Text, ForeignKey("assets.id"), nullable=False),
    Column("operator", Text, nullable=False),
    Column("state", Word(CaseState), nullable=False),
    Column("action", Word(Action), nullable=False),
    Column("severity", Word(Severity)),
    Column("opened_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("alerted_at", Instant),
    Column("message_count", Integer, nullable=False),
    Column("reviewed_by", Text),
    Column("review_note", Text),
    Column("work_id", Text, nullable=False),
    Column("licence_id", Text),
    Column("licensed_since", Instant),
    # Grows with each line of its history, so that two people who decide at once learn of each other.
    Column("version", Integer, nullable=False),
    Column("reason", Word(DismissReason)),
    Column("assignee", Text),
    Column("labels", Document(tuple[str, ...]), nullable=False),
    Column("due_on", Date),
    # The kind of event that no destination was told of, since none was configured.
    Column("untold", Text),
    Column("share_used", Double),
    Column("commercial", Document(tuple[CommercialSign, ...]), nullable=False),
    # Sorts cases by priority: see guardian/cases/priority.py.
    Column("rank", Double, nullable=False),
    Column("confidence", Double),
    # By which the tables of words name it: a whole number that never changes, of which large sets are quickly made.
    Column("number", RowNumber, Identity(), nullable=False),
    Index("ix_cases_number", "number", unique=True),
    # How many findings it has. Triggers on these keep it (see m0033_finding_counts.py); nothing else writes it.
    Column("finding_count", Integer, nullable=False),
    # A case names an asset of its work, so this follows from the index below.
    UniqueConstraint("asset_id", "operator"),
    Index(None, "work_id", "operator", unique=True),
    Index(None, "state", "updated_at"),
    # All that operators are listed and cases grouped by.
    Index("ix_cases_operator", "operator", "state", "rank", "number", "work_id", "finding_count"),
    Index("ix_cases_work", "work_id", "state", "rank", "number", "operator"),
    Index(None, "opened_at"),
    Index("ix_cases_queue", *_QUEUE),
    # Of the cases that have a note, and not of the notes: these may be too long for an index.
    Index(
        "ix_cases_noted",
        "number",
        sqlite_where=text("review_note IS NOT NULL"),
        postgresql_where=text("review_note IS NOT NULL"),
    ),
)

# Ids of cases that were merged into another one. People and receivers have noted them, so they are kept for ever.
case_aliases = Table(
    "case_aliases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("cases.id"), nullable=False),
    Index(None, "case_id"),
)

case_events = Table(
    "case_events",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("case_id", Text, ForeignKey("cases.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("by", Text),
    Column("note", Text),
    # No foreign key: the history outlives messages, which are pruned.
    Column("message_id", Text),
    Column("detail", Text),
    Column("before", Document(Decided)),
    Column("undoes", BigInteger),
    Column("batch", Text),
    # Whether it is done with telling destinations that ask for such events.
    Column("told", Boolean, nullable=False),
    Index(None, "case_id"),
    Index(None, "batch"),
    Index("ix_case_events_untold", "id", sqlite_where=text("told = 0"), postgresql_where=text("NOT told")),
)

findings = Table(
    "findings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("asset_id", Text, ForeignKey("assets.id"), nullable=False),
    Column("case_id", Text, ForeignKey("cases.id")),
    Column("source", Text, nullable=False),
    Column("page_url", Text, nullable=False),
    Column("image_url", Text, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("licence", Word(LicenceStatus), nullable=False),
    Column("decision", Document(Decision), nullable=False),
    Column("comparison", Document(Comparison), nullable=False),
    Column("candidate_sha256", Text, nullable=False),
    Column("perceptual_hash", Text),
    Column("image_sha256", Text),
    Column("page_sha256", Text),
    Column("evidence_note", Text),
    Column("context", Document(Context), nullable=False),
    Column("also_at", Document(tuple[str, ...]), nullable=False),
    Column("image_status", Integer),
    Column("page_status", Integer),
    # No foreign key: a use names the licence that it was judged by, also when that is taken out.
    Column("licence_id", Text),
    Column("licensed_since", Instant),
    Column("first_missed_at", Instant),
    Column("missed_scans", Integer, nullable=False),
    # When its place was last looked at in vain: nothing can be said of what is there.
    Column("doubted_at", Instant),
    Index(None, "case_id"),
    Index(None, "asset_id"),
    # What recognises a finding, and the version of the rules that made the two keys (see guardian/urls/keys.py).
    Column("page_key", Text, nullable=False),
    Column("picture_key", Text, nullable=False),
    Column("key_version", Integer, nullable=False),
    # A work at one place is one finding, whichever of its assets matched best.
    Column("work_id", Text, nullable=False),
    Index(None, "work_id", "page_key", "picture_key", "key_version", unique=True),
    Index(None, "key_version"),
    Index(None, "last_seen_at"),
    Index(None, "licence", "case_id"),
    Index(None, "source", "case_id"),
    # What a scan did not see of its source, and what lies at places that it could not look at.
    Index(None, "source", "last_seen_at"),
    Index(None, "page_key"),
)

# Ids of findings that were merged into another one. People and receivers have noted them, so they are kept for ever.
finding_aliases = Table(
    "finding_aliases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("finding_id", Text, ForeignKey("findings.id"), nullable=False),
    Index(None, "finding_id"),
)

finding_digests = Table(
    "finding_digests",
    metadata,
    Column("finding_id", Text, ForeignKey("findings.id"), primary_key=True),
    Column("candidate_sha256", Text, primary_key=True),
    Column("image_sha256", Text),
    # "" when the page was not kept: a primary key cannot be null.
    Column("page_sha256", Text, primary_key=True),
    Column("first_seen_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("importance", Word(Importance), nullable=False),
    Column("changes", Document(tuple[VersionChange, ...]), nullable=False),
    Column("content_key", Text),
    Column("dropped_at", Instant),
    # What may be dropped is looked for by its importance, the oldest first.
    Index(None, "importance", "last_seen_at"),
    # Lead from kept bytes to whether any version still needs them.
    Index(None, "image_sha256"),
    Index(None, "page_sha256"),
)

# Evidence that some version no longer needs. It is removed from the disk unless another version needs it.
released_evidence = Table(
    "released_evidence",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("released_at", Instant, nullable=False),
    Index(None, "released_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # An episode has one message only; null where every message is an event of its own.
    Column("episode", Text, unique=True),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", RowNumber, primary_key=True),
    Column("kind", Word(TaskKind), nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Word(TaskState), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("leased_until", Instant),
    Column("owner", Text),
    Column("attempts", Integer, nullable=False),
    Column("destination", Text),
    Column("message_id", Text, ForeignKey("messages.id")),
    Column("body", LargeBinary),
    Column("created_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("last_error", Text),
    UniqueConstraint("kind", "key"),
    Index(None, "message_id"),
    # Few tasks are due at a time, and ever more are done: the index for the queue holds only those due.
    Index(
        "ix_tasks_due",
        "kind",
        "due_at",
        sqlite_where=text("state = 'due'"),
        postgresql_where=text("state = 'due'"),
    ),
    # What was done long ago is forgotten by when it was done.
    Index(None, "done_at"),
    sqlite_autoincrement=True,
)

# Messages that wait for a destination's next digest (no key), or for a person: part of the flood of this key.
waiting_messages = Table(
    "waiting_messages",
    metadata,
    Column("message_id", Text, ForeignKey("messages.id"), primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("key", Text),
    Column("at", Instant, nullable=False),
    Index(None, "destination", "key"),
)

processes = Table(
    "processes",
    metadata,
    # Opaque and new at each start: a process id of the system comes again, and means nothing on another machine.
    Column("id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("command", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("heartbeat_at", Instant, nullable=False),
    Column("leased_until", Instant, nullable=False),
)

destinations = Table(
    "destinations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("disabled_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)
