"""Migration 0032: pictures of the memory that were joined to themselves."""

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from guardian.store import Store
from guardian.store.connecting import connect

_AT = "2026-11-24 12:00:00.000000"


def test_what_was_joined_to_itself_is_described_again_and_other_joins_stay(empty_database: str) -> None:
    engine = connect(empty_database)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "guardian.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0031")
        for number, (id_, same_as) in enumerate((("seen_a", None), ("seen_b", "seen_b"), ("seen_c", "seen_a"))):
            connection.execute(
                text(
                    "INSERT INTO seen_pictures (id, number, sha256, width, height, format, first_seen_at, last_seen_at,"
                    " recipe, shard, bytes, same_as)"
                    " VALUES (:id, :number, :id, 9, 9, 'PNG', :at, :at, 's1-none', 'here', 0, :same_as)"
                ),
                {"id": id_, "number": number, "at": _AT, "same_as": same_as},
            )
    engine.dispose()

    store = Store(empty_database)
    with store.read() as tx:
        known = {id_: tx.fingerprints.has(id_, "s1-none") for id_ in ("seen_a", "seen_b", "seen_c")}
        joined = tx.seen.get("seen_c")
    store.close()
    assert known == {"seen_a": True, "seen_b": False, "seen_c": True}
    assert joined is not None
    assert joined.same_as == "seen_a"
