"""Splits the words of assets, places and cases anew when a database is opened whose words other rules have split."""

from sqlalchemy import Connection, delete, select

from guardian.model import AssetState
from guardian.store.assets import asset_of
from guardian.store.case_words import CaseWords
from guardian.store.counters import Counters
from guardian.store.search_tables import picture_words
from guardian.store.seen_tables import seen_addresses
from guardian.store.tables import assets
from guardian.store.words import Words
from guardian.views.word_tokens import TOKENS_VERSION

_VERSION = "words_version"
_AT_A_TIME = 500


def are_words_current(connection: Connection) -> bool:
    """Return whether the words that are kept were split by the rules of this version."""
    return Counters(connection).value(_VERSION) == TOKENS_VERSION


def renew_words(connection: Connection) -> None:
    """Split the words of all assets and places anew, and mark those of all cases, which are split in steps later."""
    words = Words(connection)
    connection.execute(delete(picture_words))

    # Both are read in parts: there may be millions of places.
    last = 0
    several = select(assets).where(assets.c.state != AssetState.WITHDRAWN).order_by(assets.c.number).limit(_AT_A_TIME)
    while rows := connection.execute(several.where(assets.c.number > last)).all():
        words.write_assets([asset_of(row) for row in rows])
        last = rows[-1].number

    last = 0
    columns = (seen_addresses.c.id, seen_addresses.c.context, seen_addresses.c.image_url)
    places = select(*columns).order_by(seen_addresses.c.id).limit(_AT_A_TIME)
    while rows := connection.execute(places.where(seen_addresses.c.id > last)).all():
        words.write_places([(row.id, row.context, row.image_url) for row in rows])
        last = rows[-1].id
    CaseWords(connection).mark_all()
    Counters(connection).put(_VERSION, TOKENS_VERSION)
