"""People who sign in, their sessions, tokens of programs, and the audit log."""

import hashlib
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from guardian.model.people import BY_GUARDIAN
from guardian.store.audit import BEGUN, Audit, event_digest
from guardian.store.columns import Instant

revision = "0014"
down_revision = "0013"

_MOMENT = sa.DateTime(timezone=True)

_events = sa.table(
    "case_events",
    sa.column("id", sa.BigInteger()),
    sa.column("case_id", sa.Text()),
    sa.column("at", Instant()),
    sa.column("kind", sa.Text()),
    sa.column("by", sa.Text()),
    sa.column("note", sa.Text()),
    sa.column("message_id", sa.Text()),
    sa.column("detail", sa.Text()),
    sa.column("batch", sa.Text()),
)


def upgrade() -> None:
    """Make the tables, and begin the audit log with what the histories of cases say so far."""
    _make_people()
    _make_sessions()
    _make_tokens()
    _make_audit()
    _begin_audit()


def _make_people() -> None:
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT),
        sa.Column("issuer", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("name", name="uq_people_name"),
        sa.UniqueConstraint("issuer", "subject", name="uq_people_issuer_subject"),
    )


def _make_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("began_at", _MOMENT, nullable=False),
        sa.Column("used_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_sessions_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_person_id", "sessions", ["person_id"])
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
    )
    op.create_index("ix_sign_ins_name_at", "sign_ins", ["name", "at"])
    op.create_index("ix_sign_ins_address_at", "sign_ins", ["address", "at"])


def _make_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT),
        sa.Column("used_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("secret_sha256", name="uq_api_tokens_secret_sha256"),
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])


def _begin_audit() -> None:
    """Write one line with a digest over all lines of history that there are, in no order, since merging changes it."""
    connection = op.get_bind()
    digests = sorted(event_digest(row._asdict()) for row in connection.execute(sa.select(_events)))
    audit = Audit(connection)
    detail = {"lines": str(len(digests)), "sha256": hashlib.sha256("\n".join(digests).encode()).hexdigest()}
    audit.add(BY_GUARDIAN, BEGUN, None, datetime.now(UTC), detail)
    audit.write()
