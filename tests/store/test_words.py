"""The words of assets and seen pictures: found in any language, ranked by field, kept up, forgotten to the bytes."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from guardian.model import Asset, Context, DescribedPicture, Description, LabelSource, NewlySeen, PictureLabel
from guardian.store import Store
from guardian.store.connecting import connect

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def _met(digit: int, context: Context, host: str = "shop.example", *, days_ago: int = 0, name: str = "x") -> NewlySeen:
    return NewlySeen(
        sha256=f"{digit:064x}",
        width=8,
        height=6,
        perceptual_hash=None,
        image_url=f"https://{host}/{name}.jpg",
        page_url=f"https://{host}/page-{digit}",
        source="shops",
        seen_at=NOW - timedelta(days=days_ago),
        context=context,
        described=DescribedPicture("JPEG", b"small"),
    )


def _remember(store: Store, met: Iterable[NewlySeen]) -> None:
    with store.begin() as tx:
        tx.newly_seen.remember(list(met), "recipe", "here")


def _seen(store: Store, question: str, **narrowed: object) -> list[str]:
    """Return the digits of the pictures that a question finds, best first."""
    with store.read() as tx:
        found = tx.words.seen(question, 100, **narrowed).hits  # type: ignore[arg-type]
        pictures = tx.seen.pictures([hit.number for hit in found])
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    return [pictures[hit.number].sha256.lstrip("0") for hit in found]


def _assets(store: Store, question: str, among: list[int] | None = None) -> list[int]:
    with store.read() as tx:
        return [hit.number for hit in tx.words.assets(question, 100, among).hits]


def test_words_of_any_language_find_what_was_seen(store: Store) -> None:
    _remember(
        store,
        [
            _met(1, Context(alt="Red dunes at dawn", page_title="Posters")),
            _met(2, Context(alt="沙漠日落", page_title="海报商店")),
            _met(3, Context(caption="富士山の夜明け")),
            _met(4, Context(page_title="Ein Café in Zürich")),
            _met(5, Context(nearby_text="a poster with a dune"), name="snow_leopard"),
            *(_met(digit, Context(alt=f"filler {digit}", page_title="Stuff")) for digit in range(6, 10)),
        ],
    )
    assert _seen(store, "dunes") == ["1", "5"]
    assert sorted(_seen(store, "DUNE")) == ["1", "5"]
    assert _seen(store, "沙漠") == _seen(store, "日落") == _seen(store, "沙漠日落") == ["2"]
    assert _seen(store, "漠落") == []
    assert _seen(store, "山") == ["3"]
    assert _seen(store, "夜明け") == ["3"]
    assert _seen(store, "cafe zurich") == ["4"]
    assert _seen(store, "leopard") == ["5"]
    # Those with all words first, then those with some.
    assert _seen(store, "dune leopard") == ["5", "1"]
    assert _seen(store, '"dunes at dawn"') == ["1"]
    assert _seen(store, '"dawn dunes"') == []


def test_fields_count_by_what_they_say_of_a_picture(store: Store) -> None:
    _remember(
        store,
        [
            _met(1, Context(alt="x", nearby_text="a lighthouse")),
            _met(2, Context(alt="x", page_title="a lighthouse")),
            _met(3, Context(alt="a lighthouse")),
            *(_met(digit, Context(alt="something else")) for digit in range(4, 12)),
        ],
    )
    assert _seen(store, "lighthouse") == _seen(store, '"a lighthouse"') == ["3", "2", "1"]


def test_words_count_by_how_often_they_stand(store: Store) -> None:
    _remember(
        store,
        [
            _met(1, Context(alt="boats at a lighthouse near the sea")),
            _met(2, Context(alt="lighthouse at lighthouse near the sea")),
        ],
    )
    assert _seen(store, "lighthouse") == ["2", "1"]
    assert _seen(store, '"at a lighthouse"') == ["1"]


def test_words_themselves_stand_before_longer_ones(store: Store) -> None:
    _remember(
        store,
        [
            _met(1, Context(alt="boats")),
            _met(2, Context(alt="a boat")),
            _met(3, Context(alt="boats at a lighthouse")),
            _met(4, Context(alt="a boat at a lighthouse")),
        ],
    )
    assert _seen(store, "boat") == ["2", "4", "1", "3"]
    assert _seen(store, "boat lighthouse") == ["4", "3", "2", "1"]


_HOSTILE = (
    *(
        '"',
        "'",
        '""',
        "*",
        "a*",
        "^a",
        "a:b",
        "title:dunes",
        "(",
        "a)",
        "NEAR(a b)",
        "a AND",
        "NOT",
        "OR OR",
        "-a",
        "a+b",
    ),
    *(
        "{title}:a",
        "a & | !b",
        "'a':*",
        "<->",
        "\\",
        ";DROP TABLE x",
        "%_",
        "\x00",
        "a\x00b",
        "☃",
        "\ud800",
        "山" * 999,
    ),
    *("a " * 500, "'; --", "$$", ":asked", "a\u0301", "\u0301", "ﷺ", "𝒳", "½", "x" * 9_999),
)


def test_no_question_breaks_the_syntax(store: Store) -> None:
    with store.read() as tx:
        for question in _HOSTILE:
            assert tx.words.seen(question, 10).hits == tx.words.assets(question, 10).hits == ()


def test_host_and_time_narrow_what_was_seen(store: Store) -> None:
    context = Context(alt="a red boat")
    _remember(store, [_met(1, context, "a.example"), _met(2, context, "www.b.example"), _met(3, context, days_ago=9)])
    assert _seen(store, "boat", host="b.example") == ["2"]
    assert sorted(_seen(store, "boat", since=NOW - timedelta(days=1))) == ["1", "2"]
    assert _seen(store, "boat", host="a.example", since=NOW + timedelta(days=1)) == []


def test_words_follow_a_page_that_changes(store: Store) -> None:
    _remember(store, [_met(1, Context(alt="a red boat"))])
    _remember(store, [_met(1, Context(alt="a blue train"))])
    assert (_seen(store, "boat"), _seen(store, "train")) == ([], ["1"])
    _remember(store, [_met(1, Context(alt="a blue train"), days_ago=-1)])
    assert _seen(store, "train") == ["1"]


def test_words_of_assets_follow_what_people_do_with_them(store: Store, protect: Callable[..., Asset]) -> None:
    boat = protect("a")
    other = protect("b", collection="press")
    with store.begin() as tx:
        tx.assets.edit(replace(boat, title="Lighthouse", tags=("sea", "Küste")))
    assert _assets(store, "lighthouse") == _assets(store, "kuste") == [boat.number]
    assert _assets(store, "picture") == _assets(store, "press") == [other.number]
    assert sorted(_assets(store, "lighthouse press")) == [boat.number, other.number]
    assert _assets(store, "press", among=[boat.number]) == []
    assert _assets(store, "press", among=[boat.number, other.number]) == [other.number]

    with store.begin() as tx:
        tx.assets.describe(boat.id, Description("harbour, 夜明け", "A tower by the sea"))
        tx.assets.edit(replace(boat, title="Lighthouse"))
    assert _assets(store, "harbour") == _assets(store, "夜明け") == _assets(store, "tower") == [boat.number]
    with store.begin() as tx:
        tx.assets.move(boat.id, "/new/sunken-ship.jpg")
    assert _assets(store, "sunken") == [boat.number]
    with store.begin() as tx:
        tx.assets.withdraw(boat.id, NOW)
    assert _assets(store, "lighthouse") == []
    with store.begin() as tx:
        again = tx.assets.reserve(
            boat.sha256, title="Lighthouse", collection="shop", path="/a.jpg", size=(8, 6), at=NOW
        )
        later = tx.assets.renumber(again.id)
    assert later.number != again.number
    assert _assets(store, "lighthouse") == [later.number]


def test_forgotten_hosts_leave_no_word_behind(store: Store, database: str, tmp_path: Path) -> None:
    _remember(store, [_met(1, Context(alt="zanzibarian schooner"), "gone.example"), _met(2, Context(alt="a red boat"))])
    assert _seen(store, "schooner") == ["1"]
    with store.begin() as tx:
        tx.forgetting.forget_host("gone.example", NOW)
    assert _seen(store, "schooner") == []
    assert _seen(store, "boat") == ["2"]
    store.flush()
    for file in tmp_path.glob("*.db*"):
        assert b"zanzibarian" not in file.read_bytes()

    with store.begin() as tx:
        tx.forgetting.forget_all()
    assert _seen(store, "boat") == []


def test_labels_that_words_gave_go_with_a_forgotten_host(store: Store) -> None:
    """A picture that others show too stays; what the host said of it does not."""
    boat = Context(alt="a boat")
    _remember(store, [_met(1, boat, "gone.example"), _met(1, boat, "stays.example"), _met(2, boat, "stays.example")])
    given = (PictureLabel("boat", LabelSource.WORDS), PictureLabel("sea", LabelSource.NEIGHBOURS, 0.75))
    with store.begin() as tx:
        pictures = tx.seen.pictures(sorted(tx.seen.heads()))
        tx.labels.follow_vocabulary("some terms")
        tx.labels.replace({picture.id: given for picture in pictures.values()})
        tx.forgetting.forget_host("gone.example", NOW)
        marked = tx.labels.unlabelled(10, has_words=False)
    with store.read() as tx:
        labels = tx.labels.of([picture.id for picture in pictures.values()])
    by_digit = {picture.sha256.lstrip("0"): labels[picture.id] for picture in pictures.values()}
    assert by_digit == {"1": given[1:], "2": given}
    assert [pictures[one.number].sha256[-1] for one in marked] == ["1"], "what others say gives labels again"


def test_words_of_an_earlier_database_are_split_when_it_is_opened(store: Store, protect: Callable[..., Asset]) -> None:
    asset = protect("a")
    _remember(store, [_met(1, Context(alt="a red boat"))])
    engine = connect(store.url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM picture_words"))
        connection.execute(text("DELETE FROM counters WHERE name = 'words_version'"))
    engine.dispose()
    assert _seen(store, "boat") == []
    opened = Store(store.url)
    assert _seen(opened, "boat") == ["1"]
    assert _assets(opened, "picture") == [asset.number]
    opened.close()
