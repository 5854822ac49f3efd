"""Assets: numbers that only grow, and a life of adding, protected, withdrawn."""

from collections.abc import Callable
from datetime import UTC, datetime

from guardian.model import Asset, AssetFilter, AssetState, LabelSource, PictureLabel, Rights, SelfCheck, Weakness
from guardian.store import Store
from guardian.store.assets import asset_id

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def reserve(store: Store, digit: str, title: str = "t", collection: str = "shop") -> Asset:
    with store.begin() as tx:
        return tx.assets.reserve(
            digit * 64,
            title=title,
            collection=collection,
            path=f"/{digit}.jpg",
            size=(800, 600),
            at=NOON,
            tags=("x", "ü"),
            rights=Rights(creator="Ann"),
        )


def test_reserved_asset_is_whole_and_not_yet_protected(store: Store) -> None:
    asset = reserve(store, "a")
    assert (asset.id, asset.number, asset.state) == (asset_id("a" * 64), 1, AssetState.ADDING)
    assert (asset.width, asset.height, asset.tags, asset.rights.creator) == (800, 600, ("x", "ü"), "Ann")
    with store.read() as tx:
        assert tx.assets.get(asset.id) == tx.assets.by_sha256("a" * 64) == asset
        assert (tx.compared_assets.latest_number(), tx.assets.count()) == (0, 0)


def test_reserving_again_changes_nothing(store: Store) -> None:
    first = reserve(store, "a", title="first")
    assert reserve(store, "a", title="second") == first
    with store.begin() as tx:
        assert tx.assets.protect([first.number]) == 1
        assert tx.assets.protect([first.number]) == 0
    assert reserve(store, "a", title="third").state is AssetState.PROTECTED


def test_withdrawn_asset_comes_back_under_a_new_number(store: Store, protect: Callable[[str], Asset]) -> None:
    asset, other = protect("a"), protect("b")
    with store.begin() as tx:
        assert tx.assets.withdraw(asset.id, NOON) is True
        assert tx.assets.withdraw(asset.id, NOON) is False
        assert tx.assets.count(AssetState.WITHDRAWN) == 1
    again = reserve(store, "a", title="again")
    assert (again.id, again.number, again.state, again.title) == (asset.id, 3, AssetState.ADDING, "again")
    with store.read() as tx:
        assert asset.number not in [one.number for one in tx.assets.list()]
        assert tx.compared_assets.latest_number() == other.number


def test_numbers_of_rolled_back_transactions_may_be_used_but_never_twice(store: Store) -> None:
    numbers = [reserve(store, digit).number for digit in "abc"]
    with store.begin() as tx:
        tx.assets.withdraw(asset_id("c" * 64), NOON)
    numbers.append(reserve(store, "c").number)
    assert numbers == [1, 2, 3, 4]


def test_interrupted_adding_can_be_renumbered(store: Store, protect: Callable[[str], Asset]) -> None:
    interrupted = reserve(store, "a")
    newer = protect("b")
    with store.begin() as tx:
        renumbered = tx.assets.renumber(interrupted.id)
        tx.assets.renumber(newer.id)
    assert renumbered.number > newer.number
    with store.read() as tx:
        protected = tx.assets.get(newer.id)
    assert protected == newer


def test_lists_moves_and_many(store: Store) -> None:
    made = [reserve(store, digit, collection="shop" if digit in "ab" else "press") for digit in "abc"]
    with store.begin() as tx:
        tx.assets.move(made[0].id, "/elsewhere.jpg")
        assert tx.assets.protect(range(2000)) == 3
        assert [asset.path for asset in tx.assets.list(collection="shop")] == ["/elsewhere.jpg", "/b.jpg"]
        assert len(tx.assets.list(state=AssetState.PROTECTED)) == 3
        assert tx.assets.list(state=AssetState.ADDING) == []
        assert tx.assets.get("asset_none") is None


def test_pages_go_on_by_number_either_way_and_choose_in_sql(store: Store) -> None:
    made = [
        reserve(store, digit, title=f"Lake 100% {digit}", collection="shop" if digit < "c" else "b") for digit in "abcd"
    ]
    with store.begin() as tx:
        tx.assets.protect([asset.number for asset in made[:3]])
        tx.assets.note_self_check(made[1].id, SelfCheck("r", 0.1, Weakness.TOO_SMALL))
        tx.assets.note_self_check(made[2].id, SelfCheck("r", 0.9))

    def titles(wanted: AssetFilter, limit: int = 9, after: int | None = None, newest_first: bool = False) -> str:
        with store.read() as tx:
            found = tx.assets.page(wanted, limit, after=after, newest_first=newest_first)
            whole = tx.assets.page(wanted, 9)
            assert tx.assets.count_matching(wanted) == len(whole)
        return "".join(asset.title[-1] for asset in found)

    assert titles(AssetFilter()) == "abc"
    assert titles(AssetFilter(state=None), 2, after=made[1].number) == "cd"
    assert titles(AssetFilter(), 2, after=made[2].number, newest_first=True) == "ba"
    assert titles(AssetFilter(collection="shop")) == "ab"
    assert titles(AssetFilter(weak=True)) == "b"
    assert titles(AssetFilter(words="LAKE 100% B")) == "b"
    assert titles(AssetFilter(words="lake_")) == ""
    assert titles(AssetFilter(words="ü", collection="shop")) == "ab"
    with store.read() as tx:
        assert tx.assets.collections() == ["b", "shop"]


def test_labels_and_declared_siblings_are_kept(store: Store, protect: Callable[[str], Asset]) -> None:
    one, two = protect("a"), protect("b")
    labels = (PictureLabel("dunes", LabelSource.NEIGHBOURS, 0.75),)
    with store.begin() as tx:
        tx.asset_labels.replace(one.id, labels)
        tx.assets.declare_siblings([one.id, two.id], "shoot_1")
    with store.read() as tx:
        kept = [tx.assets.get(asset.id) for asset in (one, two)]
    assert [(asset.labels, asset.terms, asset.shoot) for asset in kept if asset] == [
        (labels, ("dunes",), "shoot_1"),
        ((), (), "shoot_1"),
    ]
    with store.begin() as tx:
        tx.assets.declare_siblings([two.id], None)
        assert [asset.shoot for asset in tx.assets.list()] == ["shoot_1", None]
