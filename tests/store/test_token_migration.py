"""Migration 0028: who made the tokens that are there already."""

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from guardian.store import Store
from guardian.store.connecting import connect

_AT = "2026-11-24 12:00:00.000000"


def test_who_made_a_token_is_read_from_the_audit_log(empty_database: str) -> None:
    engine = connect(empty_database)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "guardian.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0027")
        for token in ("token_known", "token_forgotten", "token_by_robot"):
            connection.execute(
                text(
                    "INSERT INTO api_tokens (id, name, secret_sha256, scopes, added_at) VALUES (:id, :id, :id, '', :at)"
                ),
                {"id": token, "at": _AT},
            )
        for number, (kind, actor, subject) in enumerate(
            (("person", "mara", "token_known"), ("token", "robot", "token_by_robot")), start=100
        ):
            connection.execute(
                text(
                    "INSERT INTO audit (number, at, actor_kind, actor, action, subject, detail, digest) "
                    "VALUES (:number, :at, :kind, :actor, 'token.added', :subject, '{}', '')"
                ),
                {"number": number, "at": _AT, "kind": kind, "actor": actor, "subject": subject},
            )
    engine.dispose()

    store = Store(empty_database)
    with store.read() as tx:
        makers = {token.id: token.made_by for token in tx.api_tokens.all()}
    store.close()
    assert makers == {"token_known": "mara", "token_forgotten": None, "token_by_robot": None}
