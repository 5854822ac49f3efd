"""Changing an index: whatever is interrupted or done at once, it is the one before or the one after."""

import contextlib
import resource
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from guardian.matching.index import reader, segments
from guardian.matching.index.joining import FEW
from guardian.matching.index.reader import Index, open_index
from guardian.matching.index.writer import IndexWriter
from tests.matching.forks import ended, forked, killed_before
from tests.matching.made import (
    RECIPE,
    answering,
    is_on_disk,
    made_entries,
    made_fingerprint,
    numbers_in,
    publish_made,
    published,
    same,
    segments_in,
)


def test_publishing_nothing_writes_nothing(tmp_path: Path) -> None:
    IndexWriter(tmp_path, RECIPE).publish([])
    assert segments.read_generation(tmp_path) is None


def test_withdrawn_assets_are_gone_at_once_and_stay_gone(tmp_path: Path) -> None:
    publish_made(tmp_path, 1, 2, 3)
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
        publish_made(tmp_path, number)
    assert answering(open_index(tmp_path, RECIPE)) == [1, 3, *range(4, 20)]


def test_many_publishings_are_merged_and_nothing_is_lost(tmp_path: Path) -> None:
    opened = None
    for number in range(1, 41):
        publish_made(tmp_path, number, dimensions=4)
        opened = open_index(tmp_path, RECIPE, opened)
        assert len(opened.segments) <= FEW
        assert answering(opened) == list(range(1, number + 1))
    assert opened is not None
    assert all(same(made, made_fingerprint(number, dimensions=4)) for number, (_, made) in published(opened).items())


def test_a_large_segment_is_not_copied_at_each_merge(tmp_path: Path) -> None:
    publish_made(tmp_path, *range(1, 201))
    generation = segments.read_generation(tmp_path)
    assert generation is not None
    for number in range(201, 230):
        publish_made(tmp_path, number)
    after = segments.read_generation(tmp_path)
    assert after is not None
    assert generation.segments[0] in after.segments
    assert len(after.segments) <= FEW


def test_merging_drops_withdrawn_assets_from_disk(tmp_path: Path) -> None:
    for number in range(1, 9):
        publish_made(tmp_path, number)
    IndexWriter(tmp_path, RECIPE).withdraw({2, 4})
    publish_made(tmp_path, 50)
    kept = [int(number) for segment in open_index(tmp_path, RECIPE).segments for number in segment.numbers]
    assert sorted(kept) == [1, 3, 5, 6, 7, 8, 50]
    assert [is_on_disk(tmp_path, number) for number in (2, 4, 5, 50)] == [False, False, True, True]


def test_everything_withdrawn_merges_to_nothing(tmp_path: Path) -> None:
    for number in range(1, 9):
        publish_made(tmp_path, number)
    IndexWriter(tmp_path, RECIPE).withdraw({*range(1, 100)})
    publish_made(tmp_path, 99)
    opened = open_index(tmp_path, RECIPE)
    assert (opened.assets, opened.latest_number) == (0, 0)
    assert segments_in(tmp_path) == frozenset()
    assert not list(tmp_path.glob("segment-*"))
    publish_made(tmp_path, 100)
    assert answering(open_index(tmp_path, RECIPE)) == [100]


def test_replacing_counts_only_when_it_ends_well(tmp_path: Path) -> None:
    publish_made(tmp_path, 1, 2)
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
    publish_made(tmp_path, 1)
    (tmp_path / "generation.json").write_bytes(b"\0" * 50)
    with IndexWriter(tmp_path, RECIPE).rebuild() as add:
        add(made_entries(2))
    assert answering(open_index(tmp_path, RECIPE)) == [2]
    with IndexWriter(tmp_path, "v1-0123456789ab").rebuild() as add:
        add(made_entries(3))
    assert answering(open_index(tmp_path, "v1-0123456789ab")) == [3]


def test_killed_before_every_file_operation(tmp_path: Path) -> None:
    """In the middle of a publishing that merges: before or after, nothing between, nothing left."""
    base = tmp_path / "base"
    for number in range(1, 10):
        publish_made(base, number)
    before = segments_in(base)
    assert len(before) == FEW, "the next one is joined with all of them"
    codes, step = [-signal.SIGKILL], 0
    while codes[-1] == -signal.SIGKILL:
        step += 7
        folder = tmp_path / str(step)
        shutil.copytree(base, folder)
        codes.append(killed_before(step, lambda where=folder: publish_made(where, 50)))  # type: ignore[misc]
        assert numbers_in(folder) in (
            frozenset(range(1, 10)),
            frozenset({*range(1, 10), 50}),
        )
        publish_made(folder, 51)
        assert 51 in numbers_in(folder)
        generation = segments.read_generation(folder)
        assert generation is not None
        assert {path.name for path in folder.iterdir()} == {
            "publish.lock",
            "merge.lock",
            "generation.json",
            *generation.segments,
        }
        assert not before & segments_in(folder), "joined by the one that was killed, or by the next"
    assert codes[-1] == 0
    assert len(codes) > 15


def test_full_disk_leaves_the_index_as_it_was(tmp_path: Path) -> None:
    publish_made(tmp_path, 1, 2)
    lay = sorted(path.name for path in tmp_path.iterdir())

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
        with pytest.raises(OSError, match="too large"):
            publish_made(tmp_path, 3)

    assert ended(forked(full)) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == lay
    assert answering(open_index(tmp_path, RECIPE)) == [1, 2]


def test_two_publishers_and_one_that_withdraws(tmp_path: Path) -> None:
    def add(first: int) -> None:
        for number in range(first, first + 15):
            publish_made(tmp_path, number)

    def withdraw() -> None:
        for number in range(100, 115, 3):
            IndexWriter(tmp_path, RECIPE).withdraw({number})

    publish_made(tmp_path, 1)
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
        publish_made(self.folder, *numbers)
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
