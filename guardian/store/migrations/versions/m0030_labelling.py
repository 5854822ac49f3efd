"""What is still to be labelled, and which files are still to be read for their keywords and captions."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Make the tables. Files of assets that were added before keywords and captions were kept are to be read."""
    op.add_column("assets", sa.Column("labelled_by", sa.Text()))
    op.create_index("ix_assets_labelled_by", "assets", ["labelled_by"])
    op.create_table(
        "unlabelled_pictures",
        sa.Column("picture_id", sa.Text(), nullable=False),
        sa.Column("has_words", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_id"], ["seen_pictures.id"], name="fk_unlabelled_pictures_picture_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("picture_id", name="pk_unlabelled_pictures"),
    )
    op.create_index("ix_unlabelled_pictures_has_words", "unlabelled_pictures", ["has_words"])
    upkeep = op.create_table(
        "upkeep",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_upkeep"),
    )
    newest = op.get_bind().execute(sa.text("SELECT max(number) FROM assets")).scalar()
    if newest is not None:
        op.bulk_insert(upkeep, [{"name": "undescribed_assets", "value": str(newest)}])
