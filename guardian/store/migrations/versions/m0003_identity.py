"""Findings are recognised by keys in columns of their own, and messages are rows of their own."""

import hashlib
import json
import re

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_AT_A_TIME = 500
_NAMED_KEY = re.compile(r"(msg_[A-Za-z0-9]{1,64}):")

_tasks = sa.table(
    "tasks",
    sa.column("id", sa.BigInteger()),
    sa.column("kind", sa.Text()),
    sa.column("key", sa.Text()),
    sa.column("destination", sa.Text()),
    sa.column("body", sa.LargeBinary()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("message_id", sa.Text()),
)
_messages = sa.table(
    "messages",
    sa.column("id", sa.Text()),
    sa.column("type", sa.Text()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("body", sa.LargeBinary()),
    sa.column("episode", sa.Text()),
)
_events = sa.table("case_events", sa.column("id", sa.BigInteger()), sa.column("message_id", sa.Text()))

_ADD_MESSAGE = sa.insert(_messages).values(
    {name: sa.bindparam(name) for name in ("id", "type", "body", "episode")} | {"created_at": sa.bindparam("at")}
)
_REFER_TO_MESSAGE = (
    sa.update(_tasks)
    .where(_tasks.c.id == sa.bindparam("row"))
    .values(message_id=sa.bindparam("message"), key=sa.bindparam("key"), body=None)
)


def upgrade() -> None:
    """Make columns and tables, and fill them from what stood in ids and tasks."""
    _recognise_findings()
    _make_messages()
    _mint_what_was_promised()


def _recognise_findings() -> None:
    # SQLite adds a column that is never null only with a default; all rows get a value of their own below.
    for name, kind, default in (
        ("page_key", sa.Text(), ""),
        ("picture_key", sa.Text(), ""),
        ("key_version", sa.Integer(), "0"),
    ):
        op.add_column("findings", sa.Column(name, kind, nullable=False, server_default=default))
        if op.get_bind().dialect.name == "postgresql":
            op.alter_column("findings", name, server_default=None)
    # Of no version yet, and each at a place of its own: the store recomputes them when it has opened the database.
    op.execute("UPDATE findings SET page_key = id, picture_key = id")
    op.create_index(
        "ix_findings_asset_id_page_key_picture_key_key_version",
        "findings",
        ["asset_id", "page_key", "picture_key", "key_version"],
        unique=True,
    )
    op.create_index("ix_findings_key_version", "findings", ["key_version"])
    op.create_table(
        "finding_aliases",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("finding_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["finding_id"], ["findings.id"], name="fk_finding_aliases_finding_id"),
        sa.PrimaryKeyConstraint("id", name="pk_finding_aliases"),
    )
    op.create_index("ix_finding_aliases_finding_id", "finding_aliases", ["finding_id"])


def _make_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("episode", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("episode", name="uq_messages_episode"),
    )
    # SQLite can neither make a column nullable nor add a constraint, so there the table is copied.
    with op.batch_alter_table("tasks", table_kwargs={"sqlite_autoincrement": True}) as tasks:
        tasks.add_column(sa.Column("message_id", sa.Text()))
        tasks.alter_column("body", existing_type=sa.LargeBinary(), nullable=True)
        tasks.create_foreign_key("fk_tasks_message_id", "messages", ["message_id"], ["id"])
    op.create_index("ix_tasks_message_id", "tasks", ["message_id"])


def _mint_what_was_promised() -> None:
    """Give each delivery the message it stood for, under the id that receivers got for it or would have got.

    The id was made of the task's key and body; destinations of one message shared it.
    """
    connection = op.get_bind()
    minted: set[str] = set()
    first_of_episode: dict[str, str] = {}
    full_ids: dict[str, str] = {}
    last = 0
    while rows := _deliveries_after(connection, last):
        new: list[dict[str, object]] = []
        changed: list[dict[str, object]] = []
        for row in rows:
            name, id_ = _old_ids(row.key, row.body)
            full_ids.setdefault(name, id_)
            type_ = _type_of(row.body)
            episode, key = None, row.key
            if type_.startswith("source."):
                episode = name.removeprefix("msg_")
                first = first_of_episode.setdefault(episode, id_)
                # An episode is told each destination once: by this key the next telling of it is recognised.
                key = f"{first}:{row.destination}"
                episode = episode if first == id_ else None
            if id_ not in minted:
                minted.add(id_)
                new.append({"id": id_, "type": type_, "at": row.created_at, "body": row.body, "episode": episode})
            changed.append({"row": row.id, "message": id_, "key": key})
        if new:
            connection.execute(_ADD_MESSAGE, new)
        connection.execute(_REFER_TO_MESSAGE, changed)
        last = rows[-1].id
    _say_in_histories(connection, full_ids)


def _say_in_histories(connection: sa.Connection, full_ids: dict[str, str]) -> None:
    """Let the history of cases name each message as its receivers know it."""
    told = connection.execute(sa.select(_events).where(_events.c.message_id.is_not(None))).all()
    renamed = [{"row": row.id, "full": full_ids[row.message_id]} for row in told if row.message_id in full_ids]
    if renamed:
        statement = sa.update(_events).where(_events.c.id == sa.bindparam("row"))
        connection.execute(statement.values(message_id=sa.bindparam("full")), renamed)


def _deliveries_after(connection: sa.Connection, last: int) -> "list[sa.Row[tuple[object, ...]]]":
    query = (
        sa.select(_tasks).where(_tasks.c.kind == "deliver", _tasks.c.id > last).order_by(_tasks.c.id).limit(_AT_A_TIME)
    )
    return list(connection.execute(query).all())


def _old_ids(key: str, body: bytes) -> tuple[str, str]:
    """Return the id that a case's history showed, and the one that receivers got, as the version before made them."""
    named = _NAMED_KEY.match(key)
    if named is None:
        return key, "msg_" + hashlib.sha256(key.encode() + b"\n" + body).hexdigest()[:32]
    return named[1], f"{named[1]}_{hashlib.sha256(body).hexdigest()[:12]}"


def _type_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["type"])
    except (ValueError, KeyError, TypeError):
        return "unknown"
