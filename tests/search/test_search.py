"""The whole search: assets and what was seen in one answer, copies first, filters, and what is said of each."""

import asyncio
from pathlib import Path

import cv2
import pytest

from guardian.errors import UsageError
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.memory.settings import MemorySettings
from guardian.search.question import By, Kind
from guardian.search.search import Filters, Request, Search
from tests.databases import store_in
from tests.memory.made import met, picture


def _encoded(seed: int) -> bytes:
    """The picture of a seed, cut to its inner part."""
    rgb = picture(seed).rgb[20:220, 20:300]
    return cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def test_what_was_seen_comes_with_its_places_and_copies_come_first(tmp_path: Path) -> None:
    asyncio.run(_asked(tmp_path))


async def _asked(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    workers = Workers(MatchingSettings(workers=1), EmbeddingSettings(), tmp_path / "index")
    memory = Memory(store, tmp_path / "memory", workers.small_recipe, MemorySettings())
    memory.remember(store, [met(seed, "shop.example") for seed in range(1, 6)] + [met(6, "other.example")])
    memory.fold()
    search = Search(store, workers, tmp_path)
    try:
        answer = await search.answer(Request(picture=_encoded(3)))
        first = answer.results[0]
        assert (first.rank, first.kind, first.asset) == (1, Kind.SEEN, None)
        assert first.seen is not None
        assert first.seen.sha256 == f"{3:064x}"
        assert [one.page_url for one in first.addresses] == ["https://shop.example/page-3"]
        assert first.why.startswith("copy: ")
        assert first.preview is not None
        assert answer.searched == {Kind.ASSET: 0, Kind.SEEN: 6}
        assert answer.not_searched == ()

        copies = await search.answer(Request(picture=_encoded(3), by=By.COPY))
        assert copies.results[0].seen == first.seen
        on_host = await search.answer(Request(picture=_encoded(3), filters=Filters(host="other.example")))
        assert [one.addresses[0].host for one in on_host.results] == ["other.example"]
        press = await search.answer(Request(picture=_encoded(3), filters=Filters(collection="press")))
        assert press.results == ()
        with pytest.raises(UsageError, match="nothing to search with"):
            await search.answer(Request())

        # The words of one, the look of another: both are found, and each says why.
        worded = await search.answer(Request(text='"picture 5"'))
        assert [one.seen.sha256 for one in worded.results if one.seen] == [f"{5:064x}"]
        assert worded.results[0].why == "“picture 5” (alt text)"
        assert worded.results[0].preview is not None
        assert worded.searched == {Kind.ASSET: 0, Kind.SEEN: 6}
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
        with pytest.raises(UsageError, match="needs --text"):
            await search.answer(Request(picture=_encoded(3), by=By.WORDS))
        with pytest.raises(UsageError, match="needs a picture"):
            await search.answer(Request(text="picture", by=By.LOOK))
    finally:
        await workers.aclose()
        store.close()
