"""Watches tell of pictures met since they last looked that look like it, each once, and accuse nobody."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
from jsonschema import Draft202012Validator

import guardian.cases
from guardian.evidence.vaults import search_pictures_in
from guardian.matching.features.image import Picture
from guardian.matching.features.small import small_fingerprint
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.memory.settings import MemorySettings
from guardian.model import Audience, NewlySeen, Severity
from guardian.search.asking import SearchSpec, request_of
from guardian.search.named import why_not_watched
from guardian.search.question import Kind
from guardian.search.search import Search
from guardian.search.watching import look_for_watches
from guardian.views.message_texts import message_body, message_title
from tests.databases import store_in
from tests.memory.made import NOW, described, met, picture

SCHEMA = json.loads((Path(guardian.cases.__file__).parent / "event.schema.json").read_text(encoding="utf-8"))


def _alike(seed: int) -> NewlySeen:
    """Picture 1 in another light."""
    rgb = cv2.convertScaleAbs(picture(1).rgb, alpha=0.7 + seed / 50, beta=seed)
    return met(seed, fingerprint=small_fingerprint(Picture(np.asarray(rgb, np.uint8), 320, 240, "PNG")))


def test_new_pictures_are_told_of_once(tmp_path: Path) -> None:
    asyncio.run(_watched(tmp_path))


async def _watched(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    workers = Workers(MatchingSettings(workers=1), EmbeddingSettings(), tmp_path / "index")
    memory = Memory(store, tmp_path / "memory", workers.small_recipe, MemorySettings())
    search = Search(store, workers, tmp_path)
    pictures = search_pictures_in(tmp_path)

    async def look() -> int:
        memory.write_waiting()
        return await look_for_watches(store, search, pictures, Audience(("desk",)), NOW)

    encoded = cv2.imencode(".png", cv2.cvtColor(picture(1).rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
    try:
        memory.remember(store, [replace(_alike(2), seen_at=NOW - timedelta(days=1))])
        memory.write_waiting()
        with store.begin() as tx:
            asked = SearchSpec(picture=pictures.keep(encoded), filters=("since=2026-01-01",))
            tx.named_searches.save("style", asked.as_json(), NOW)
            assert tx.named_searches.watch("style", 0.8, Severity.MEDIUM, NOW)
            assert not tx.named_searches.watch("nothing", 0.8, Severity.LOW, NOW)
        assert await look() == 0, "what was met before is not new"

        ramp = np.repeat(np.linspace(0, 255, 320, dtype=np.uint8)[None, :, None], 240, axis=0).repeat(3, axis=2)
        other = met(20, fingerprint=small_fingerprint(Picture(ramp, 320, 240, "PNG")))
        memory.remember(store, [_alike(3), _alike(4), other])
        memory.write_waiting()
        with store.begin() as tx:
            assert tx.named_searches.watch("style", 0.79, Severity.MEDIUM, NOW)
        assert await look() == 2, "a bound that is changed lets nothing pass that was not looked at"
        assert await look() == 0
        memory.remember(store, [replace(_alike(3), page_url="https://other.example/")])
        assert await look() == 0, "each picture is told of once"

        # As `guardian memory rebuild` does it: one met before the watch began, and one that was told of.
        with store.begin() as tx:
            for seed in (2, 3):
                remembered = tx.seen.get(f"{seed:064x}")
                assert remembered is not None
                fingerprint = described(small_fingerprint(picture(1))).fingerprint
                assert tx.fingerprints.remake(remembered.number, fingerprint, memory.recipe, memory.shard)
        assert await look() == 0, "fingerprints that are made anew are no new pictures"

        # Colours beside the picture choose among those that look like it; no watch calls anything a copy.
        mean = f"#{bytes(picture(1).rgb.mean(axis=(0, 1)).astype(np.uint8)).hex()}"
        with store.begin() as tx:
            tx.named_searches.save("coloured", replace(asked, colours=(mean,)).as_json(), NOW)
            assert tx.named_searches.watch("coloured", 0.01, Severity.LOW, NOW)
        memory.remember(store, [_alike(5)])
        assert await look() == 2
        with store.begin() as tx:
            owed = tx.tasks.list()
            bodies = [message.body for one in owed if (message := tx.messages.get(one.message_id or ""))]
            assert len(bodies) == 3
            assert not any(b"copy" in body for body in bodies)
            tx.named_searches.remove("coloured")

        # An example that was seen moves the question, though only assets are searched.
        with store.read() as tx:
            seen = tx.seen.get(f"{4:064x}")
            assert seen is not None
            request = request_of(tx, SearchSpec(where="assets", like=(seen.id[:12],)), None)
        assert (await search.answer(request)).searched == {Kind.ASSET: 0}
        with store.begin() as tx:
            first = tx.tasks.list()[-1]
            message = tx.messages.get(first.message_id) if first.message_id else None
            assert message is not None
            body = json.loads(message.body)
            Draft202012Validator(SCHEMA).validate(body)
            assert (first.destination, body["data"]["count"], body["data"]["watch"]["name"]) == ("desk", 2, "style")
            assert body["data"]["is_all"]
            tx.forgetting.forget_all()
            assert tx.named_searches.forget_told() == 3
            assert tx.named_searches.remove("style")
    finally:
        await workers.aclose()
        store.close()


def test_of_very_many_pictures_each_is_told_of_once(tmp_path: Path) -> None:
    asyncio.run(_many_watched(tmp_path))


async def _many_watched(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    workers = Workers(MatchingSettings(workers=1), EmbeddingSettings(), tmp_path / "index")
    memory = Memory(store, tmp_path / "memory", workers.small_recipe, MemorySettings())
    search, pictures = Search(store, workers, tmp_path), search_pictures_in(tmp_path)

    # All look alike. Hashes that differ keep near-identical ones apart.
    one, random = small_fingerprint(picture(1)), np.random.default_rng(4)

    def meet(first: int, last: int) -> None:
        hashes = random.integers(0, 256, (last - first, 32), dtype=np.uint8)
        alike = [replace(one, hash=hash_) for hash_ in hashes]
        memory.remember(store, [met(first + place, fingerprint=each) for place, each in enumerate(alike)])
        memory.write_waiting()

    def told() -> list[tuple[int, bool]]:
        with store.read() as tx:
            messages = [tx.messages.get(task.message_id or "") for task in tx.tasks.list()]
        data = [json.loads(message.body)["data"] for message in messages if message is not None]
        return sorted((one["count"], one["is_all"]) for one in data)

    encoded = cv2.imencode(".png", cv2.cvtColor(picture(1).rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
    try:
        with store.begin() as tx:
            tx.named_searches.save("style", SearchSpec(picture=pictures.keep(encoded)).as_json(), NOW)
            tx.named_searches.watch("style", 0.8, Severity.MEDIUM, NOW)
        meet(1, 451)
        assert await look_for_watches(store, search, pictures, Audience(("desk",)), NOW) == 450
        assert told() == [(50, True), (400, False)]
        with store.read() as tx:
            assert len(tx.named_searches.told("style", [f"{seed:064x}" for seed in range(1, 451)])) == 450

        meet(451, 453)
        assert await look_for_watches(store, search, pictures, Audience(("desk",)), NOW) == 2
        assert told() == [(2, True), (50, True), (400, False)]
    finally:
        await workers.aclose()
        store.close()


def test_people_read_which_pictures_a_watch_met() -> None:
    data = {
        "watch": {"name": "style", "above": 0.8, "severity": "low"},
        "note": "these look alike; they were not found to be copies",
        "count": 1,
        "pictures": [
            {
                "id": "seen_1",
                "sha256": "0" * 64,
                "score": 0.9,
                "why": "same colours",
                "page_url": "https://shop.example/",
                "image_url": None,
                "first_seen": "2026-11-29T08:00:00Z",
            }
        ],
    }
    assert message_title("watch.found", data) == "guardian: A watch met new pictures"
    body = message_body("watch.found", data, None)
    assert "https://shop.example/: same colours (0.9)" in body
    assert "watch: style, 1 picture\n" in body
    many = message_body("watch.found", data | {"count": 400, "is_all": False}, None)
    assert "watch: style, 400 pictures; another message may follow\n" in many


def test_what_is_asked_is_kept_as_it_was() -> None:
    asked = SearchSpec(where="seen", colours=("#c03", "navy:40%"), text='"red sand"', filters=("tag=a",), own="asset_1")
    assert SearchSpec.from_json(asked.as_json()) == asked
    assert SearchSpec.from_json('{"where": "seen", "later": 1}') == SearchSpec(where="seen")
    assert (
        asked.as_options() == "asset_1 --in seen --text '\"red sand\"' --colour #c03 --colour navy:40% --filter tag=a"
    )
    for unwatchable in (
        SearchSpec(text="dunes"),
        SearchSpec(own="asset_1", by="copy"),
        SearchSpec(own="asset_1", by="words"),
    ):
        assert "a watch compares looks" in (why_not_watched(unwatchable) or "")
    assert "leave the text away" in (why_not_watched(SearchSpec(text="dunes", colours=("#c03",))) or "")
    for watchable in (
        SearchSpec(own="asset_1"),
        SearchSpec(like=("asset_1",), text="dunes"),
        SearchSpec(colours=("#c03",)),
    ):
        assert why_not_watched(watchable) is None
