"""The whole search: assets and what was seen in one answer, copies first, filters, and what is said of each."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from guardian.errors import UsageError
from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.small import small_fingerprint
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.memory.settings import MemorySettings
from guardian.model import Asset, Context, LabelSource, Licence, PictureLabel, SeenAddress
from guardian.search.question import By, Kind
from guardian.search.request import Filters, Request, Result
from guardian.search.rows import AssetRows
from guardian.search.search import Search
from guardian.store import Store
from tests.databases import store_in
from tests.memory.made import NOW, met, picture


def _encoded(seed: int) -> bytes:
    """The picture of a seed, cut to its inner part."""
    rgb = picture(seed).rgb[20:220, 20:300]
    return cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


THIRD_FILE = hashlib.sha256(_encoded(40)).hexdigest()


def test_what_was_seen_comes_with_its_places_and_copies_come_first(tmp_path: Path) -> None:
    asyncio.run(_asked(tmp_path))


async def _asked(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    workers = Workers(MatchingSettings(workers=1), EmbeddingSettings(), tmp_path / "index")
    memory = Memory(store, tmp_path / "memory", workers.small_recipe, MemorySettings())
    # Of the seventh, which looks just like the sixth, only the sixth is found, and counted.
    alike = met(66, "mirror.example", fingerprint=small_fingerprint(picture(6)))
    memory.remember(store, [met(seed, "shop.example") for seed in range(1, 6)] + [met(6, "other.example"), alike])
    memory.write_waiting()
    search = Search(store, workers, tmp_path)
    _protect(store, tmp_path)
    try:
        answer = await search.answer(Request(picture=_encoded(3)))
        first = answer.results[0]
        assert (first.rank, first.kind, first.asset) == (1, Kind.SEEN, None)
        assert first.seen is not None
        assert first.seen.sha256 == f"{3:064x}"
        assert [one.page_url for one in first.addresses] == ["https://shop.example/page-3"]
        assert first.why.startswith("copy: ")
        assert first.preview is not None
        assert answer.searched == {Kind.ASSET: 2, Kind.SEEN: 6}
        assert answer.not_searched == ("1 of 3 assets, whose appearance is not known",)

        copies = await search.answer(Request(picture=_encoded(3), by=By.COPY))
        assert copies.results[0].seen == first.seen
        # Only a part is meant, with as much again beside it: that part is what is looked for.
        both = _beside(_encoded(3), _encoded(17))
        part = await search.answer(Request(picture=both, by=By.COPY, region=(0, 0, 280, 200)))
        assert part.results[0].seen == first.seen
        assert part.results[0].score > 0.9
        small = await search.answer(Request(picture=both, region=(0, 0, 12, 12)))
        assert small.results
        assert small.not_searched[0].startswith("copies of this part: 12 x 12 pixels")
        with pytest.raises(UsageError, match="560 x 200"):
            await search.answer(Request(picture=both, by=By.COPY, region=(300, 0, 280, 200)))

        on_host = await search.answer(Request(picture=_encoded(3), filters=Filters(host="other.example")))
        assert [one.addresses[0].host for one in on_host.results] == ["other.example"]
        press = await search.answer(Request(picture=_encoded(3), filters=Filters(collection="press")))
        assert press.results == ()
        assert press.in_words == "nothing was searched: no picture passes all of these filters"
        with pytest.raises(UsageError, match="nothing to search with"):
            await search.answer(Request())

        # The words of one, the look of another: both are found, and each says why.
        worded = await search.answer(Request(text='"picture 5"'))
        assert [one.seen.sha256 for one in worded.results if one.seen] == [f"{5:064x}"]
        assert worded.results[0].why == "“picture 5” (alt text)"
        assert worded.results[0].preview is not None
        assert worded.searched == {Kind.ASSET: 3, Kind.SEEN: 6}
        assert worded.not_searched == ()
        assert worded.in_words == "1 result among 9 pictures"
        beside = await search.answer(Request(picture=_encoded(3), text="lighthouse"))
        assert beside.in_words == "8 results among 8 pictures; none of the pictures has these words"
        joined = await search.answer(Request(picture=_encoded(3), text='"picture 5"', by=By.AUTO))
        assert [one.seen.sha256 for one in joined.results[:2] if one.seen] == [f"{3:064x}", f"{5:064x}"]
        assert joined.results[0].why.startswith("copy: ")
        assert joined.results[1].why.endswith("; “picture 5” (alt text)")
        # Ranked by one thing, the words choose.
        chosen = await search.answer(Request(picture=_encoded(3), text="picture", by=By.LOOK))
        assert {one.seen.sha256 for one in chosen.results if one.seen} == {f"{number:064x}" for number in range(1, 7)}
        chosen = await search.answer(Request(picture=_encoded(3), text="6", by=By.LOOK))
        assert [one.seen.sha256 for one in chosen.results if one.seen] == [f"{6:064x}"]
        with pytest.raises(UsageError, match="no word"):
            await search.answer(Request(text="-- *"))
        with pytest.raises(UsageError, match="by words needs a text"):
            await search.answer(Request(picture=_encoded(3), by=By.WORDS))
        with pytest.raises(UsageError, match="by look needs a picture, colours or examples"):
            await search.answer(Request(text="picture", by=By.LOOK))
        await _asked_of_assets(store, search)
    finally:
        await workers.aclose()
        store.close()


def _beside(one: bytes, other: bytes) -> bytes:
    """Two encoded pictures side by side."""
    pixels = [cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) for content in (one, other)]
    return cv2.imencode(".png", np.concatenate(pixels, axis=1))[1].tobytes()


def _protect(store: Store, data_dir: Path) -> None:
    """Protect three pictures, of which two have an appearance, beside one that is withdrawn and one too plain."""
    with store.begin() as tx:
        assets = [
            tx.assets.reserve(
                THIRD_FILE if number == 3 else f"{number:x}" * 64, title=f"Work {number}",
                collection="shop" if number % 2 else "Press",
                path=f"/{number}.jpg", size=(320, 240), at=NOW + timedelta(days=number),
                tags=("Wüste", 'so "called"') if number < 3 else (f"{number} wüste",),
            )
            for number in range(1, 6)
        ]  # fmt: skip
        tx.assets.protect([asset.number for asset in assets])
        tx.assets.withdraw(assets[3].id, NOW)
        tx.assets.note_by_bytes_only(assets[4].id)
        tx.asset_labels.replace(assets[0].id, (PictureLabel("dunes", LabelSource.WORDS),))
        tx.licences.grant(Licence("", "a.example", tag="Wüste"), NOW)
        tx.licences.grant(Licence("", "b.example", collection="shop"), NOW)
        tx.licences.grant(Licence("", "c.example", asset_id=assets[1].id), NOW)
    rows = [(asset.number, appearance_of(picture(30 + asset.number).rgb).values) for asset in assets[:2]]
    AssetRows(data_dir).publish([*rows, (assets[3].number, rows[0][1])])


async def _asked_of_assets(store: Store, search: Search) -> None:
    # The very file of an asset, of which the index knows nothing that could be measured.
    same = await search.answer(Request(picture=_encoded(40), by=By.COPY))
    assert [(one.asset.title, one.score, one.why) for one in same.results if one.asset] == [
        ("Work 3", 1.0, "copy: the whole image")
    ]

    async def found(filters: Filters, own: Asset | None = None) -> list[str]:
        titles = []
        for request in (
            Request(text="work", own=own, where=frozenset({Kind.ASSET}), filters=filters),
            Request(picture=_encoded(31), by=By.LOOK, own=own, where=frozenset({Kind.ASSET}), filters=filters),
        ):
            answer = await search.answer(request)
            titles.append(sorted(one.asset.title[-1] for one in answer.results if one.asset))
            assert answer.searched[Kind.ASSET] == len(titles[-1])
        by_words, by_look = titles
        assert by_look == [title for title in by_words if title != "3"], "one has no appearance"
        return by_words

    with store.read() as tx:
        first = tx.assets.list()[0]
    assert await found(Filters()) == ["1", "2", "3"]
    assert await found(Filters(), own=first) == ["2", "3"]
    assert await found(Filters(tag="Wüste")) == ["1", "2"]
    assert await found(Filters(tag="wüste")) == []
    assert await found(Filters(tag='so "called"'), own=first) == ["2"]
    assert await found(Filters(label="dunes")) == ["1"]
    assert await found(Filters(collection="shop")) == ["1", "3"]
    assert await found(Filters(since=NOW + timedelta(days=2))) == ["2", "3"]
    assert await found(Filters(host="a.example")) == []
    with store.read() as tx:
        shop = next(one.id for one in tx.licences.list() if one.collection == "shop")
    for licence, covered in (("a.example", ["1", "2"]), (shop, ["1", "3"]), ("c.example", ["2"]), ("none", [])):
        assert await found(Filters(licence=licence)) == covered


def test_a_page_that_shows_a_picture_twice_is_one_place() -> None:
    def at(image: str, page: str | None) -> SeenAddress:
        return SeenAddress(1, "seen_1", image, page, "shop.example", "shops", Context(), NOW, NOW)

    addresses = (
        at("/a.png", "/page"),
        at("/b.png", "/page"),
        at("/c.png", None),
        at("/d.png", None),
        at("/a.png", "/"),
    )
    result = Result(1, Kind.SEEN, 0.5, By.AUTO, "", addresses=addresses)
    assert result.places == (addresses[0], *addresses[2:])


def test_the_score_of_one_aspect_is_told_with_the_reason() -> None:
    result = Result(1, Kind.SEEN, 0.714, By.LOOK, "same colours")
    assert result.reason == "same colours (0.71)"
    assert replace(result, by=By.AUTO).reason == "same colours"
