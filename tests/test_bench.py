"""The numbers that the bench prints, on cases worked out by hand."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench import desk, fetching, looks, methods, remembered, scale
from bench.measures import (
    alerted_by_family,
    micro_average_precision,
    recall,
    recall_by_attack,
    recall_by_family,
)
from bench.methods import Guess
from bench.scale import jpeg
from bench.sets import Query, read
from demo.photographs import PROTECTED, opened
from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings
from guardian.memory.copies import copies_of
from guardian.memory.reading import MemoryReader
from guardian.search.aspects import Aspect, exact_vectors_of
from guardian.search.rows import AssetRows
from tests.databases import store_in
from tests.matching.pictures import photograph

COPY_A = Query(Path("a"), "crop", "a.jpg")
COPY_B = Query(Path("b"), "mirror", "b.jpg")
STRANGER = Query(Path("s"), "plain", None)
QUERIES = [COPY_A, COPY_B, STRANGER]


def test_recall_counts_only_copies_above_every_distractor_and_of_the_right_reference() -> None:
    guesses = [Guess(0.9, "a.jpg"), Guess(0.4, "b.jpg"), Guess(0.5, "a.jpg")]
    assert recall(QUERIES, guesses, allowed=0) == 0.5
    assert recall(QUERIES, guesses, allowed=1) == 1.0
    assert recall(QUERIES, [Guess(0.9, "b.jpg"), None, None], allowed=0) == 0.0
    assert recall_by_attack(QUERIES, guesses, allowed=0) == {"crop": 1.0, "mirror": 0.0}


def test_a_copy_as_strong_as_a_distractor_is_not_found() -> None:
    assert recall(QUERIES, [Guess(0.5, "a.jpg"), None, Guess(0.5, "b.jpg")], allowed=0) == 0.0


def test_micro_average_precision_ranks_copies_and_distractors_together() -> None:
    right_first = [Guess(0.9, "a.jpg"), Guess(0.8, "b.jpg"), Guess(0.1, "a.jpg")]
    assert micro_average_precision(QUERIES, right_first) == 1.0
    distractor_first = [Guess(0.8, "a.jpg"), None, Guess(0.9, "a.jpg")]
    assert micro_average_precision(QUERIES, distractor_first) == pytest.approx(0.5 / 2)


def test_families_are_measured_at_one_threshold() -> None:
    queries = [Query(Path(n), edit, ref) for n, edit, ref in (
        ("a", "crop70", "a.jpg"), ("b", "crop10", "b.jpg"), ("c", "ninth", "c.jpg"), ("d", "ninth", "d.jpg"),
        ("e", "of another set", "e.jpg"), ("s", "ninth", None),
    )]  # fmt: skip
    guesses = [
        Guess(0.9, "a.jpg"),
        Guess(0.5, "b.jpg"),
        Guess(0.9, "c.jpg"),
        Guess(0.9, "a.jpg"),
        None,
        Guess(0.6, "a.jpg"),
    ]
    found = {"standard": 1.0, "hard": 0.0, "wild": 0.5, "of another set": 0.0}
    assert recall_by_family(queries, guesses, allowed=0) == found
    assert recall_by_family(queries, guesses, allowed=1) == found | {"hard": 1.0}
    alerted = ["a.jpg", "c.jpg", None, "d.jpg", None, "a.jpg"]
    assert alerted_by_family(queries, alerted) == found


def test_a_descriptor_that_a_file_holds_is_measured_too(tmp_path: Path) -> None:
    # torch takes seconds to import: only the process that runs this pays.
    tiny_models = importlib.import_module("tests.matching.tiny_models")
    tiny_models.save_squares(tmp_path / "squares.torchscript")
    files = []
    for name in ("coffee", "rocket"):
        files.append(tmp_path / f"{name}.png")
        Image.fromarray(photograph(name, 300)).save(files[-1])
    method = methods.Descriptor(tmp_path / "squares.torchscript", 32)
    method.remember(files)
    guesses = [method.guess(file) for file in files]
    assert [guess.ref for guess in guesses if guess] == ["coffee.png", "rocket.png"]
    assert all(guess is not None and guess.strength > 0.99 for guess in guesses)


def test_a_set_is_read_from_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "refs").mkdir()
    (tmp_path / "refs" / "one.jpg").touch()
    rows = ["query,attack,kind,ref,detail", "q1.jpg,crop,pos,one.jpg,x", "q2.jpg,plain,neg,,"]
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    pictures = read(tmp_path)
    assert pictures.refs == (tmp_path / "refs" / "one.jpg",)
    assert [(query.attack, query.ref) for query in pictures.queries] == [("crop", "one.jpg"), ("plain", None)]


def test_the_cost_of_requests_is_measured_for_each_client() -> None:
    costs = fetching.measure(requests=128)
    assert [cost.client for cost in costs] == ["guardian", "httpx", "aiohttp"]
    assert all(cost.cpu_ms > 0 for cost in costs)


def test_a_whole_site_is_scanned_and_watched(tmp_path: Path) -> None:
    from bench import scanning

    numbers: list[int] = []
    account = scanning.measure(tmp_path, 2, numbers.append, PROTECTED[:3])
    assert account.said == "2 pages, 20 images, compared with 3 protected assets: 20 clear"
    assert [moment.pictures for moment in account.moments] == [5, 10, 15, 20]
    # Workers start with the first picture that is matched, which may come after the first moment.
    assert all(moment.crawler_mib > 10 for moment in account.moments)
    assert max(moment.workers_mib for moment in account.moments) > 10
    assert max(numbers) == 20
    assert account.crawler_cpu > 0
    assert account.workers_cpu > 0


@pytest.mark.parametrize("profile", ["full", "fast"])
def test_an_index_grown_with_synthetic_assets_still_names_the_real_ones(profile: str) -> None:
    seen: list[int] = []
    grown = scale.measure(profile, [30, 120], lambda: seen.append(1), ("crop40",), PROTECTED[:8])
    small, larger = grown
    assert (small.assets, larger.assets, len(seen)) == (30, 120, 2)
    assert small.found > 0.75
    assert abs(small.found - larger.found) < 0.1
    assert min(larger.build_ms_an_asset, larger.kilobytes_an_asset, larger.adding_ms, larger.searchable_ms) > 0
    assert min(*vars(larger.distractor).values(), *vars(larger.copy).values()) > 0
    assert larger.resident_mib > larger.anonymous_mib > 0


def test_the_desk_is_measured_at_all_its_pages(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    desk.fill(store, tmp_path, cases=100, sightings=2)
    with store.read() as tx:
        assert len(tx.cases.list()) == 101
        assert len(tx.findings.list("case_77")) == 2
    store.close()
    measured = desk.measure(tmp_path, lambda: None, rounds=1, requests=4)
    assert [one.name for one in measured.times] == list(desk.PAGES)
    assert all(one.kilobytes > 0.4 for one in measured.times)


def test_a_made_memory_has_its_real_pictures_among_it(tmp_path: Path) -> None:
    remembered.make(tmp_path, 60, lambda: None)
    reader = MemoryReader(tmp_path, remembered.RECIPE)
    reader.refresh()
    assert len(reader) == 60
    copy = jpeg(np.asarray(opened(PROTECTED[0]))[20:-20, 30:-30])
    found = copies_of(reader, Matcher(MatchingSettings(), None), copy)
    assert found.searched == 60
    assert [one.number for one in found.copies if one.probability >= 0.5] == [1], "made ones match nothing"


def test_a_search_by_look_is_asked_among_made_pictures(tmp_path: Path) -> None:
    pictures = [np.asarray(opened(one).resize((64, 48))) for one in PROTECTED]

    found = looks.measure(pictures, 300, tmp_path)

    assert (found.pictures, found.recall, found.megabytes) == (300, 1.0, pytest.approx(300 * 432 / 1e6))
    assert min(found.describing_ms, *found.asked_ms.values()) > 0
    rows = AssetRows(tmp_path).open()
    assert sum(len(one.numbers) for one in rows) == 300
    # Vectors that are mixed lie near those that the mixed appearance would have.
    made = exact_vectors_of(rows[0].appearances_at(np.arange(20)), Aspect.LOOK)
    assert np.median((made * rows[0].vectors(Aspect.LOOK)[:20] / 127).sum(axis=1)) > 0.9
