"""Opening an index: what was published is found as it was; damage and other recipes are noticed."""

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching.index import reader
from guardian.matching.index.joining import FEW
from guardian.matching.index.reader import Index, open_index
from guardian.matching.index.writer import IndexWriter
from tests.matching.forks import ended, forked
from tests.matching.made import (
    RECIPE,
    answering,
    made_entries,
    made_fingerprint,
    numbers_in,
    publish_made,
    published,
    same,
    segments_in,
)


def test_an_index_never_published_is_empty(tmp_path: Path) -> None:
    opened = open_index(tmp_path / "nowhere", RECIPE)
    assert (opened.assets, opened.latest_number, opened.segments) == (0, 0, ())
    found = reader.contents(tmp_path / "nowhere", RECIPE, every_byte=True)
    assert (found.numbers, found.ids, found.hashes.shape) == ((), (), (0, 32))


@pytest.mark.parametrize("dimensions", [0, 16])
def test_what_is_published_is_read_back(tmp_path: Path, dimensions: int) -> None:
    publish_made(tmp_path, 3, 1, 7, dimensions=dimensions)
    publish_made(tmp_path, 9, dimensions=dimensions)
    opened = open_index(tmp_path, RECIPE)
    assert (opened.assets, opened.latest_number) == (4, 9)
    assert numbers_in(tmp_path) == {1, 3, 7, 9}
    for number, (asset, made) in published(opened).items():
        assert asset == f"asset-{number:024d}"
        assert same(made, made_fingerprint(number, dimensions=dimensions))


def test_one_asset_as_it_is_compared(tmp_path: Path) -> None:
    publish_made(tmp_path, 5, 6, dimensions=8)
    segment = open_index(tmp_path, RECIPE).segments[0]
    asset, made = segment.asset(1), made_fingerprint(6, dimensions=8)
    assert (asset.id, asset.width, asset.height) == (f"asset-{6:024d}", 400, 300)
    assert segment.size(1) == (400, 300)
    assert np.array_equal(asset.words, made.points.words)
    assert (asset.preview.width, asset.preview.height) == (400, 300)
    assert asset.embedding is not None
    assert made.embedding is not None
    assert asset.embedding @ made.embedding == pytest.approx(1, abs=1e-3)


def test_votes_name_their_assets(tmp_path: Path) -> None:
    publish_made(tmp_path, *range(1, 30))
    segment = open_index(tmp_path, RECIPE).segments[0]
    found = segment.vote(made_fingerprint(17).points.descriptors)
    assert len(found.query) >= 60
    assert (segment.numbers[found.owner[found.distance == 0]] == 17).all()
    where = segment.points_at(found.row[:1], found.owner[:1])
    assert where.x[0] == pytest.approx(made_fingerprint(17).points.x[found.query[0]], abs=0.01)


def test_a_picture_without_keypoints_is_an_asset_too(tmp_path: Path) -> None:
    IndexWriter(tmp_path, RECIPE).publish([(1, "plain", made_fingerprint(1, points=0))])
    IndexWriter(tmp_path, RECIPE).publish([(2, "also", made_fingerprint(2, points=0)), *made_entries(3)])
    opened = open_index(tmp_path, RECIPE)
    assert answering(opened) == [1, 2, 3]
    assert len(opened.segments[0].asset(0).points) == 0
    assert len(opened.segments[0].vote(made_fingerprint(3).points.descriptors).query) == 0


def test_an_unchanged_index_is_not_opened_again(tmp_path: Path) -> None:
    publish_made(tmp_path, 1)
    before = open_index(tmp_path, RECIPE)
    assert open_index(tmp_path, RECIPE, before) is before


def test_a_segment_that_stays_is_not_read_again(tmp_path: Path) -> None:
    """Damage to what is already mapped and checked shows at the next start, not at every publishing."""
    publish_made(tmp_path, 1)
    before = open_index(tmp_path, RECIPE)
    IndexWriter(tmp_path, RECIPE).publish(made_entries(2))
    after = open_index(tmp_path, RECIPE, before)
    assert after.segments[0].hashes is before.segments[0].hashes
    assert answering(after) == [1, 2]


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    publish_made(tmp_path, 1)
    with pytest.raises(IndexNotReady, match="rebuild"):
        open_index(tmp_path, "v1-0123456789ab")
    with pytest.raises(IndexNotReady, match="rebuild"):
        reader.contents(tmp_path, "v1-0123456789ab", every_byte=False)
    with pytest.raises(IndexNotReady, match="rebuild"):
        IndexWriter(tmp_path, "v1-0123456789ab").publish(made_entries(2))
    assert answering(open_index(tmp_path, RECIPE)) == [1]


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    """One byte of every file, at random places, by everything that opens an index."""
    publish_made(tmp_path, 1, 2, dimensions=4)
    chance = random.Random(5)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert len(files) == 21
    for path in files:
        whole = path.read_bytes()
        for place in [0, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(20))]:
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
            readers: list[Callable[[], Any]] = [
                lambda: open_index(tmp_path, RECIPE),
                lambda: reader.contents(tmp_path, RECIPE, every_byte=True),
            ]
            for read in readers:
                with pytest.raises(IndexNotReady):
                    read()
        path.write_bytes(whole)
    assert answering(open_index(tmp_path, RECIPE)) == [1, 2]


def test_contents_need_not_read_the_large_arrays(tmp_path: Path) -> None:
    publish_made(tmp_path, 1, 2)
    for name, matters in (("descriptors", False), ("previews", False), ("hashes", True), ("numbers", True)):
        path = next(tmp_path.glob(f"segment-*/{name}.npy"))
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        if matters:
            with pytest.raises(IndexNotReady, match=name):
                reader.contents(tmp_path, RECIPE, every_byte=False)
        else:
            assert reader.contents(tmp_path, RECIPE, every_byte=False).numbers == (1, 2)
        with pytest.raises(IndexNotReady, match=name):
            reader.contents(tmp_path, RECIPE, every_byte=True)
        path.write_bytes(whole)


def test_a_missing_segment_is_noticed(tmp_path: Path) -> None:
    publish_made(tmp_path, 1)
    next(tmp_path.glob("segment-*/hashes.npy")).unlink()
    with pytest.raises(IndexNotReady, match="hashes"):
        open_index(tmp_path, RECIPE)


def test_a_segment_merged_away_while_it_is_being_opened(tmp_path: Path) -> None:
    """The reader has read the list, the writer merges and removes; the reader reads the new list."""
    for number in range(1, 10):
        publish_made(tmp_path, number)
    before = segments_in(tmp_path)
    assert len(before) == FEW, "the next one is joined with all of them"

    def read(look: Callable[[], list[int]]) -> None:
        waiting = [True]

        def meanwhile(event: str, given: tuple[Any, ...]) -> None:
            if waiting and event == "open" and str(given[0]).endswith("manifest.json"):
                waiting.clear()
                publish_made(tmp_path, 99)

        sys.addaudithook(meanwhile)
        assert look() == [*range(1, 10), 99]
        assert not waiting
        assert not before & segments_in(tmp_path)

    assert ended(forked(lambda: read(lambda: answering(open_index(tmp_path, RECIPE))))) == 0


def test_numbers_are_read_while_segments_are_merged_away(tmp_path: Path) -> None:
    """With a writer that merges all the time, no reader is ever told of damage."""

    def write() -> None:
        for number in range(1, 70):
            publish_made(tmp_path, number)

    writer = forked(write)
    seen, before = 0, None
    while seen < 60:
        before = open_index(tmp_path, RECIPE, before)
        numbers = numbers_in(tmp_path)
        assert numbers == frozenset(range(1, len(numbers) + 1))
        assert len(numbers) >= before.assets >= seen
        seen = before.assets
    assert ended(writer) == 0


def vectors_of(opened: Index) -> list[NDArray[np.float16] | None]:
    return [segment.vectors for segment in opened.segments]


def test_vectors_are_there_when_all_have_one(tmp_path: Path) -> None:
    publish_made(tmp_path, 1, 2, dimensions=8)
    (vectors,) = vectors_of(open_index(tmp_path, RECIPE))
    assert vectors is not None
    assert vectors.shape == (2, 8)
    assert vectors.dtype == np.float16
