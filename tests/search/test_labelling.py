"""Labels of pictures: by their words, by their neighbours, kept, and forgotten with their pictures."""

import asyncio
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from guardian.matching.features.image import Picture
from guardian.matching.features.small import small_fingerprint
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.memory.remembering import Memory
from guardian.memory.settings import MemorySettings
from guardian.model import Comparison, Context, LabelSource, Match, MatchReport, NewlySeen, PictureLabel
from guardian.search.facets import facets_of
from guardian.search.labelling import Labelling, LabelsLeft
from guardian.search.neighbours import majority
from guardian.search.question import Kind
from guardian.search.request import Filters, Request
from guardian.search.search import Search
from guardian.search.vocabulary import Vocabulary, VocabularyTerm
from guardian.store import Store
from tests.databases import store_in
from tests.memory.made import NOW, met, picture

VOCABULARY = Vocabulary(
    {
        "dunes": VocabularyTerm("dunes", ("dunes", "沙丘"), ("desert",)),
        "desert": VocabularyTerm("desert", ("desert",)),
        "sea": VocabularyTerm("sea", ("sea",)),
    }
)


def _alike(seed: int, alt: str | None) -> NewlySeen:
    """A picture that looks like picture 1 in another light, with some words."""
    rgb = cv2.convertScaleAbs(picture(1).rgb, alpha=0.7 + seed / 50, beta=seed)
    found = met(seed, fingerprint=small_fingerprint(Picture(np.asarray(rgb, np.uint8), 320, 240, "PNG")))
    return replace(found, context=Context(alt=alt))


def test_labels_come_from_words_and_from_neighbours(tmp_path: Path) -> None:
    asyncio.run(_labelled(tmp_path))


async def _labelled(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    workers = Workers(MatchingSettings(workers=1), EmbeddingSettings(), tmp_path / "index")
    memory = Memory(store, tmp_path / "memory", workers.small_recipe, MemorySettings())
    worded = [_alike(seed, "the 沙丘 of Namibia" if seed % 2 else "Dunes") for seed in range(2, 11)]
    sea = replace(met(20), context=Context(alt="the sea"))
    ramp = np.repeat(np.linspace(0, 255, 320, dtype=np.uint8)[None, :, None], 240, axis=0).repeat(3, axis=2)
    other = met(30, fingerprint=small_fingerprint(Picture(ramp, 320, 240, "PNG")))
    seat = replace(other, context=Context(alt="a seat"))
    memory.remember(store, [*worded, sea, _alike(11, "nothing to see"), seat])
    memory.write_waiting()
    with store.begin() as tx:
        asset = tx.assets.reserve("a" * 64, title="Dunes", collection="shop", path="/x.jpg", size=(8, 6), at=NOW)
        tx.assets.protect([asset.number])
    try:
        labelling = Labelling(store, workers, tmp_path, VOCABULARY)
        counts = await labelling.label_all()
        assert labelling.left() == LabelsLeft(0, 0)
        search = Search(store, workers, tmp_path)
        deserts = await search.answer(
            Request(text="dunes 沙丘 nothing sea", filters=Filters(label="desert"), facets=True)
        )
        with store.begin() as tx:
            labels = tx.labels.of([one.seen.id for one in deserts.results if one.seen])
            assert tx.assets.get(asset.id).labels == (  # type: ignore[union-attr]
                PictureLabel("desert", LabelSource.WORDS),
                PictureLabel("dunes", LabelSource.WORDS),
            )
        await _goes_on(store, workers, memory, tmp_path)
        with store.begin() as tx:
            tx.forgetting.forget_all()
            assert tx.labels.counts() == {}
    finally:
        await workers.aclose()
        store.close()

    assert counts.by_term["dunes", LabelSource.WORDS] == counts.by_term["desert", LabelSource.WORDS]
    assert counts.by_term["sea", LabelSource.WORDS] == 1, "a seat is no sea"
    assert counts.seen_without == 1, "what looks like nothing that has labels gets none"
    near = [one for one in labels.values() if one[0].source is LabelSource.NEIGHBOURS]
    assert near == [tuple(PictureLabel(term, LabelSource.NEIGHBOURS, 1.0) for term in ("desert", "dunes"))]
    assert {one.kind for one in deserts.results} == set(Kind)
    facets = facets_of(deserts.results)
    assert facets["label"] == {"desert": len(deserts.results), "dunes": len(deserts.results)}
    assert facets["collection"] == {"shop": 1}
    assert sum(facets["colour"].values()) == facets["kind"]["seen"]


async def _goes_on(store: Store, workers: Workers, memory: Memory, data_dir: Path) -> None:
    """What comes in later is labelled as it comes, and everything anew when the vocabulary changes."""

    def terms_of(seed: int) -> list[tuple[str, LabelSource]]:
        with store.read() as tx:
            picture = tx.seen.get(f"{seed:064x}")
            assert picture is not None
            return [(one.term, one.source) for one in tx.labels.of([picture.id])[picture.id]]

    labelling = Labelling(store, workers, data_dir, VOCABULARY)
    words, neighbours = LabelSource.WORDS, LabelSource.NEIGHBOURS
    memory.remember(store, [_alike(12, "nothing to see"), replace(met(40), context=Context(alt="by the sea"))])
    assert not await labelling.label_new(60)
    assert terms_of(40) == [("sea", words)], "words count at once"
    assert terms_of(12) == []
    assert labelling.left() == LabelsLeft(0, 1), "its look can be searched when it has been written to a segment"
    memory.write_waiting()
    assert not await labelling.label_new(60)
    assert terms_of(12) == [("desert", neighbours), ("dunes", neighbours)]

    # Another place says more of a picture, and an asset gets another title.
    memory.remember(store, [replace(_alike(12, "the sea"), page_url="https://other.example/", described=None)])
    with store.begin() as tx:
        (asset,) = tx.assets.list()
        tx.assets.edit(replace(asset, title="The Sea"))
    assert labelling.left() == LabelsLeft(1, 1)
    assert not await labelling.label_new(60)
    assert terms_of(12) == [("sea", words)]
    with store.read() as tx:
        assert tx.assets.list()[0].terms == ("sea",)

    # Another vocabulary: a little first, then the rest.
    changed = Labelling(
        store,
        workers,
        data_dir,
        Vocabulary({"water": VocabularyTerm("water", ("sea",)), "sea": VOCABULARY.terms["sea"]}),
    )
    assert changed.left().seen == 14
    assert await changed.label_new(0), "something is left"
    assert terms_of(2) == [], "a term that is none any more goes at once"
    assert not await changed.label_new(60)
    assert terms_of(12) == terms_of(40) == [("sea", words), ("water", words)]
    with store.read() as tx:
        assert tx.assets.list()[0].terms == ("sea", "water")


def test_a_picture_and_its_copies_vote_once(tmp_path: Path) -> None:
    asyncio.run(_voted(tmp_path))


async def _voted(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    workers = Workers(MatchingSettings(workers=1), EmbeddingSettings(), tmp_path / "index")
    memory = Memory(store, tmp_path / "memory", workers.small_recipe, MemorySettings())
    memory.remember(store, [*(_alike(seed, "dunes") for seed in range(2, 6)), _alike(11, "nothing to see")])
    memory.write_waiting()
    try:
        labelling = Labelling(store, workers, tmp_path, VOCABULARY)
        counts = await labelling.label_all()
        assert counts.by_term["dunes", LabelSource.NEIGHBOURS] == 1, "four are enough"

        with store.begin() as tx:
            asset = tx.assets.reserve("a" * 64, title="Hills", collection="shop", path="/x.jpg", size=(8, 6), at=NOW)
            copied = (Match(asset.id, Comparison(probability=0.98)),)
            for seed in (2, 3):
                report = MatchReport(workers.report_recipe, copied, asset.number, 1, 320, 240)
                tx.candidates.remember(f"{seed:064x}", workers.report_recipe, report, NOW)
        counts = await labelling.label_all()
        assert counts.by_term["dunes", LabelSource.NEIGHBOURS] == 0, "two of the four show one work"
    finally:
        await workers.aclose()
        store.close()


def test_most_of_the_votes_of_the_nearest_decide() -> None:
    carried = [("sea",)] * 6 + [("dunes",)] * 2 + [("sea",)] * 9
    alike = np.array([0.9] * 8 + [0.1] * 9, dtype=np.float32)
    assert majority(alike, carried) == {"sea": pytest.approx(0.75)}
    assert majority(alike, [("sea",)] * 5 + [("dunes",)] * 12) == {}, "five of eight are not enough"
    assert majority(alike - 0.8, carried) == {}, "none of them looks like it"
    assert majority(alike[:3], carried[:3]) == {}, "too few to ask"

    # Three that look much alike outvote five that look a little alike: 3 * 0.95 ** 8 of 5 * 0.7 ** 8.
    unequal = np.array([0.95] * 3 + [0.7] * 5, dtype=np.float32)
    assert majority(unequal, [("sea",)] * 3 + [("dunes",)] * 5) == {"sea": pytest.approx(0.874, abs=0.001)}
    assert majority(unequal, [("sea", "coast")] * 3 + [("coast",)] * 5)["coast"] == pytest.approx(1)
