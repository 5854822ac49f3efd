"""The index: what is published is found as it was, until withdrawn; readers and writers never disturb each other."""

import contextlib
import random
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.index import reader, segments
from guardian.matching.index.reader import Index, open_index
from guardian.matching.index.writer import MAX_SEGMENTS, IndexWriter
from tests.matching.forks import ended, forked, killed_before
from tests.matching.made import RECIPE, made_entries, made_fingerprint


def publish(folder: Path, *numbers: int, dimensions: int = 0) -> None:
    IndexWriter(folder, RECIPE).publish(made_entries(*numbers, dimensions=dimensions))


def answering(opened: Index) -> list[int]:
    return sorted(int(number) for segment in opened.segments for number in segment.numbers[segment.alive])


def published(opened: Index) -> dict[int, tuple[str, Fingerprint]]:
    return {number: (asset, made) for one in opened.segments for number, asset, made in one.entries(RECIPE)}


def same(one: Fingerprint, other: Fingerprint) -> bool:
    """Equal but for the rounding of places, sizes, angles and vectors that the index keeps."""
    mine, theirs = one.points, other.points
    vectors = one.embedding is None and other.embedding is None
    if one.embedding is not None and other.embedding is not None:
        vectors = bool(np.allclose(one.embedding, other.embedding, atol=1e-3))
    return vectors and bool(
        (one.recipe, one.width, one.height, one.preview) == (other.recipe, other.width, other.height, other.preview)
        and np.array_equal(one.hash, other.hash)
        and np.array_equal(mine.descriptors, theirs.descriptors)
        and np.allclose(mine.x, theirs.x, atol=0.01)
        and np.allclose(mine.y, theirs.y, atol=0.01)
        and np.allclose(mine.size, theirs.size, rtol=1e-3)
        and (np.abs((mine.angle - theirs.angle + 180) % 360 - 180) <= 0.71).all()
    )


def numbers_in(folder: Path) -> frozenset[int]:
    """What answers, every byte checked."""
    return frozenset(reader.contents(folder, RECIPE, every_byte=True).numbers)


def test_an_index_never_published_is_empty(tmp_path: Path) -> None:
    opened = open_index(tmp_path / "nowhere", RECIPE)
    assert (opened.assets, opened.latest_number, opened.segments) == (0, 0, ())
    found = reader.contents(tmp_path / "nowhere", RECIPE, every_byte=True)
    assert (found.numbers, found.ids, found.hashes.shape) == ((), (), (0, 32))


@pytest.mark.parametrize("dimensions", [0, 16])
def test_what_is_published_is_read_back(tmp_path: Path, dimensions: int) -> None:
    publish(tmp_path, 3, 1, 7, dimensions=dimensions)
    publish(tmp_path, 9, dimensions=dimensions)
    opened = open_index(tmp_path, RECIPE)
    assert (opened.assets, opened.latest_number) == (4, 9)
    assert numbers_in(tmp_path) == {1, 3, 7, 9}
    for number, (asset, made) in published(opened).items():
        assert asset == f"asset-{number:024d}"
        assert same(made, made_fingerprint(number, dimensions=dimensions))


def test_one_asset_as_it_is_compared(tmp_path: Path) -> None:
    publish(tmp_path, 5, 6, dimensions=8)
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
    publish(tmp_path, *range(1, 30))
    segment = open_index(tmp_path, RECIPE).segments[0]
    found, owners = segment.vote(made_fingerprint(17).points.descriptors)
    assert len(found.query) >= 60
    assert (segment.numbers[owners[found.distance == 0]] == 17).all()
    where = segment.points_at(found.row[:1], owners[:1])
    assert where.x[0] == pytest.approx(made_fingerprint(17).points.x[found.query[0]], abs=0.01)


def test_a_picture_without_keypoints_is_an_asset_too(tmp_path: Path) -> None:
    IndexWriter(tmp_path, RECIPE).publish([(1, "plain", made_fingerprint(1, points=0))])
    IndexWriter(tmp_path, RECIPE).publish([(2, "also", made_fingerprint(2, points=0)), *made_entries(3)])
    opened = open_index(tmp_path, RECIPE)
    assert answering(opened) == [1, 2, 3]
    assert len(opened.segments[0].asset(0).points) == 0
    assert len(opened.segments[0].vote(made_fingerprint(3).points.descriptors)[0].query) == 0


def test_publishing_nothing_writes_nothing(tmp_path: Path) -> None:
    IndexWriter(tmp_path, RECIPE).publish([])
    assert segments.read_generation(tmp_path) is None


def test_withdrawn_assets_are_gone_at_once_and_stay_gone(tmp_path: Path) -> None:
    publish(tmp_path, 1, 2, 3)
    before = open_index(tmp_path, RECIPE)
    IndexWriter(tmp_path, RECIPE).withdraw({2})
    after = open_index(tmp_path, RECIPE, before)
    assert (answering(before), answering(after)) == ([1, 2, 3], [1, 3])
    assert (after.assets, after.latest_number) == (2, 3)
    assert numbers_in(tmp_path) == {1, 3}
    found = reader.contents(tmp_path, RECIPE, every_byte=False)
    assert (found.numbers, found.ids) == ((1, 3), tuple(f"asset-{number:024d}" for number in (1, 3)))
    assert (found.hashes.shape, found.withdrawn) == ((2, 32), {2})
    for number in range(4, 20):
        publish(tmp_path, number)
    assert answering(open_index(tmp_path, RECIPE)) == [1, 3, *range(4, 20)]


def test_an_unchanged_index_is_not_opened_again(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    before = open_index(tmp_path, RECIPE)
    assert open_index(tmp_path, RECIPE, before) is before


def test_a_segment_that_stays_is_not_read_again(tmp_path: Path) -> None:
    """Damage to what is already mapped and checked shows at the next start, not at every publishing."""
    publish(tmp_path, 1)
    before = open_index(tmp_path, RECIPE)
    publish(tmp_path, 2)
    after = open_index(tmp_path, RECIPE, before)
    assert after.segments[0].hashes is before.segments[0].hashes
    assert answering(after) == [1, 2]


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with pytest.raises(IndexNotReady, match="rebuild"):
        open_index(tmp_path, "v1-0123456789ab")
    with pytest.raises(IndexNotReady, match="rebuild"):
        reader.contents(tmp_path, "v1-0123456789ab", every_byte=False)
    with pytest.raises(IndexNotReady, match="rebuild"):
        IndexWriter(tmp_path, "v1-0123456789ab").publish(made_entries(2))
    assert answering(open_index(tmp_path, RECIPE)) == [1]


def test_many_publishings_are_merged_and_nothing_is_lost(tmp_path: Path) -> None:
    opened = None
    for number in range(1, 41):
        publish(tmp_path, number, dimensions=4)
        opened = open_index(tmp_path, RECIPE, opened)
        assert len(opened.segments) <= MAX_SEGMENTS
        assert answering(opened) == list(range(1, number + 1))
    assert opened is not None
    assert all(same(made, made_fingerprint(number, dimensions=4)) for number, (_, made) in published(opened).items())


def test_a_large_segment_is_not_copied_at_each_merge(tmp_path: Path) -> None:
    publish(tmp_path, *range(1, 101))
    generation = segments.read_generation(tmp_path)
    assert generation is not None
    for number in range(101, 130):
        publish(tmp_path, number)
    after = segments.read_generation(tmp_path)
    assert after is not None
    assert generation.segments[0] in after.segments
    assert len(after.segments) <= MAX_SEGMENTS


def test_merging_drops_withdrawn_assets_from_disk(tmp_path: Path) -> None:
    for number in range(1, MAX_SEGMENTS + 1):
        publish(tmp_path, number)
    IndexWriter(tmp_path, RECIPE).withdraw({2, 4})
    publish(tmp_path, 50)
    kept = [int(number) for segment in open_index(tmp_path, RECIPE).segments for number in segment.numbers]
    assert sorted(kept) == [1, 3, 5, 6, 7, 8, 50]


def test_everything_withdrawn_merges_to_nothing(tmp_path: Path) -> None:
    for number in range(1, MAX_SEGMENTS + 1):
        publish(tmp_path, number)
    IndexWriter(tmp_path, RECIPE).withdraw({*range(1, 100)})
    publish(tmp_path, 99)
    opened = open_index(tmp_path, RECIPE)
    assert (opened.assets, opened.latest_number) == (0, 0)
    publish(tmp_path, 100)
    assert answering(open_index(tmp_path, RECIPE)) == [100]


def test_replacing_counts_only_when_it_ends_well(tmp_path: Path) -> None:
    publish(tmp_path, 1, 2)
    IndexWriter(tmp_path, RECIPE).withdraw({2})
    with contextlib.suppress(ZeroDivisionError), IndexWriter(tmp_path, RECIPE).rebuild() as add:
        add(made_entries(7))
        raise ZeroDivisionError
    assert answering(open_index(tmp_path, RECIPE)) == [1]
    with IndexWriter(tmp_path, RECIPE).rebuild() as add:
        add(made_entries(2, 8))
        add([])
        add(made_entries(9))
    assert answering(open_index(tmp_path, RECIPE)) == [2, 8, 9]
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_replacing_heals_a_damaged_list_and_another_recipe(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    (tmp_path / "generation.json").write_bytes(b"\0" * 50)
    with IndexWriter(tmp_path, RECIPE).rebuild() as add:
        add(made_entries(2))
    assert answering(open_index(tmp_path, RECIPE)) == [2]
    with IndexWriter(tmp_path, "v1-0123456789ab").rebuild() as add:
        add(made_entries(3))
    assert answering(open_index(tmp_path, "v1-0123456789ab")) == [3]


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    """One byte of every file, at random places, by everything that opens an index."""
    publish(tmp_path, 1, 2, dimensions=4)
    chance = random.Random(5)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "publish.lock"]
    assert len(files) == 17
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
    publish(tmp_path, 1, 2)
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
    publish(tmp_path, 1)
    next(tmp_path.glob("segment-*/hashes.npy")).unlink()
    with pytest.raises(IndexNotReady, match="hashes"):
        open_index(tmp_path, RECIPE)


def test_a_segment_merged_away_while_it_is_being_opened(tmp_path: Path) -> None:
    """The reader has read the list, the writer merges and removes; the reader reads the new list."""
    for number in range(1, MAX_SEGMENTS + 1):
        publish(tmp_path, number)

    def read(look: Callable[[], list[int]]) -> None:
        waiting = [True]

        def meanwhile(event: str, given: tuple[Any, ...]) -> None:
            if waiting and event == "open" and str(given[0]).endswith("manifest.json"):
                waiting.clear()
                publish(tmp_path, 99)

        sys.addaudithook(meanwhile)
        assert look() == [*range(1, MAX_SEGMENTS + 1), 99]
        assert not waiting

    assert ended(forked(lambda: read(lambda: answering(open_index(tmp_path, RECIPE))))) == 0


def test_numbers_are_read_while_segments_are_merged_away(tmp_path: Path) -> None:
    """With a writer that merges all the time, no reader is ever told of damage."""

    def write() -> None:
        for number in range(1, 120):
            publish(tmp_path, number)

    writer = forked(write)
    seen, before = 0, None
    while seen < 100:
        before = open_index(tmp_path, RECIPE, before)
        numbers = numbers_in(tmp_path)
        assert numbers == frozenset(range(1, len(numbers) + 1))
        assert len(numbers) >= before.assets >= seen
        seen = before.assets
    assert ended(writer) == 0


def test_killed_before_every_file_operation(tmp_path: Path) -> None:
    """In the middle of a publishing that merges: before or after, nothing between, nothing left."""
    base = tmp_path / "base"
    for number in range(1, MAX_SEGMENTS + 1):
        publish(base, number)
    codes, step = [-signal.SIGKILL], 0
    while codes[-1] == -signal.SIGKILL:
        step += 17
        folder = tmp_path / str(step)
        shutil.copytree(base, folder)
        codes.append(killed_before(step, lambda where=folder: publish(where, 50)))  # type: ignore[misc]
        assert numbers_in(folder) in (
            frozenset(range(1, MAX_SEGMENTS + 1)),
            frozenset({*range(1, MAX_SEGMENTS + 1), 50}),
        )
        publish(folder, 51)
        assert 51 in numbers_in(folder)
        generation = segments.read_generation(folder)
        assert generation is not None
        assert {path.name for path in folder.iterdir()} == {"publish.lock", "generation.json", *generation.segments}
    assert codes[-1] == 0
    assert len(codes) > 15


def test_full_disk_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    publish(tmp_path, 1, 2)
    lay = sorted(path.name for path in tmp_path.iterdir())

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        with pytest.raises(OSError, match="too large"):
            publish(tmp_path, 3)

    assert ended(forked(full)) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == lay
    assert answering(open_index(tmp_path, RECIPE)) == [1, 2]


def test_two_publishers_and_one_that_withdraws(tmp_path: Path) -> None:
    def add(first: int) -> None:
        for number in range(first, first + 15):
            publish(tmp_path, number)

    def withdraw() -> None:
        for number in range(100, 115, 3):
            IndexWriter(tmp_path, RECIPE).withdraw({number})

    publish(tmp_path, 1)
    children = [forked(lambda: add(100)), forked(lambda: add(200)), forked(withdraw)]
    assert [ended(pid) for pid in children] == [0, 0, 0]
    expected = {1, *range(100, 115), *range(200, 215)} - set(range(100, 115, 3))
    assert numbers_in(tmp_path) == expected
    assert answering(open_index(tmp_path, RECIPE)) == sorted(expected)


class AnyOrder(RuleBasedStateMachine):
    """Publishing, withdrawing and replacing in any order, against a set of numbers."""

    @initialize(seed=st.integers(0, 10**9))
    def begin(self, seed: int) -> None:
        self.held = tempfile.TemporaryDirectory()
        self.folder, self.alive, self.latest = Path(self.held.name), set[int](), 0
        self.withdrawn = set[int]()
        self.opened: Index | None = None

    @rule(count=st.integers(1, 4))
    def add(self, count: int) -> None:
        numbers = range(self.latest + 1, self.latest + 1 + count)
        publish(self.folder, *numbers)
        self.latest += count
        self.alive |= set(numbers)

    @rule(share=st.floats(0, 1))
    def withdraw(self, share: float) -> None:
        numbers = frozenset(sorted(self.alive)[: int(len(self.alive) * share)])
        IndexWriter(self.folder, RECIPE).withdraw(numbers)
        self.alive -= numbers

    @rule()
    def rebuild(self) -> None:
        with IndexWriter(self.folder, RECIPE).rebuild() as add:
            add(made_entries(*sorted(self.alive)))

    @invariant()
    def answers(self) -> None:
        if hasattr(self, "folder"):
            self.opened = open_index(self.folder, RECIPE, self.opened)
            assert answering(self.opened) == sorted(self.alive)
            assert self.opened.assets == len(self.alive)

    def teardown(self) -> None:
        if hasattr(self, "held"):
            assert numbers_in(self.folder) == self.alive
            self.held.cleanup()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = examples(max_examples=15, stateful_step_count=20, deadline=None, derandomize=True)


def vectors_of(opened: Index) -> list[NDArray[np.float16] | None]:
    return [segment.vectors for segment in opened.segments]


def test_vectors_are_there_when_all_have_one(tmp_path: Path) -> None:
    publish(tmp_path, 1, 2, dimensions=8)
    (vectors,) = vectors_of(open_index(tmp_path, RECIPE))
    assert vectors is not None
    assert vectors.shape == (2, 8)
    assert vectors.dtype == np.float16
