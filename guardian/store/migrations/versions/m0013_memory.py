"""Pictures that scans have met are remembered, with their places; so are uses from before an asset was protected."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from guardian.store.columns import Instant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the tables of the memory, empty: nothing is known of what was met before."""
    row_number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "seen_pictures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("perceptual_hash", sa.Text()),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("last_seen_at", Instant(), nullable=False),
        sa.Column("recipe", sa.Text()),
        sa.Column("shard", sa.Text()),
        sa.Column("pending", sa.LargeBinary()),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("same_as", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_seen_pictures"),
        sa.UniqueConstraint("number", name="uq_seen_pictures_number"),
        sa.UniqueConstraint("sha256", name="uq_seen_pictures_sha256"),
    )
    op.create_index("ix_seen_pictures_last_seen_at", "seen_pictures", ["last_seen_at"])
    op.create_index("ix_seen_pictures_same_as", "seen_pictures", ["same_as"])
    waiting = sa.text("pending IS NOT NULL")
    op.create_index(
        "ix_seen_pictures_pending",
        "seen_pictures",
        ["shard", "number"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )

    op.create_table(
        "seen_addresses",
        sa.Column("id", row_number, nullable=False),
        sa.Column("picture_id", sa.Text(), nullable=False),
        *_place(),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_seen_addresses"),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["seen_pictures.id"], name="fk_seen_addresses_picture_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("picture_id", "place", name="uq_seen_addresses_place"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "earlier_uses",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asset_id", sa.Text(), nullable=False),
        *_place(),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("checked_at", Instant()),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_earlier_uses"),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_earlier_uses_asset_id"),
        sa.UniqueConstraint("asset_id", "place", name="uq_earlier_uses_place"),
    )
    for table in ("seen_addresses", "earlier_uses"):
        op.create_index(f"ix_{table}_domain", table, ["domain"])
        op.create_index(f"ix_{table}_image_domain", table, ["image_domain"])

    op.create_table(
        "unremembered_hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("host", name="pk_unremembered_hosts"),
    )


def _place() -> list[sa.Column[Any]]:
    """Return the columns that say where a picture was seen."""
    return [
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text()),
        sa.Column("page_url", sa.Text()),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("image_host", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("image_domain", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("context", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.Column("last_seen_at", Instant(), nullable=False),
    ]
