"""Crash-safe storage: whatever happens to a writer or to the bytes, readers see a whole generation or are told."""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching.index import segments
from guardian.matching.index.segments import Generation
from guardian.matching.index.writer import IndexWriter
from tests.matching.forks import ended, forked, killed_before

RECIPE = "v3-none"


def arrays(seed: int, count: int = 20) -> dict[str, NDArray[Any]]:
    generator = np.random.default_rng(seed)
    return {
        "numbers": np.arange(seed * 1000, seed * 1000 + count, dtype=np.int64),
        "vectors": generator.normal(size=(count, 6)).astype(np.float16),
        "names": np.array([f"asset-{seed}-{row}" for row in range(count)], dtype="S32"),
    }


def add(folder: Path, seed: int, count: int = 20) -> None:
    """Publish one more segment."""
    with segments.publishing(folder):
        before = segments.read_generation(folder) or Generation(0, RECIPE)
        name = segments.write_segment(folder, arrays(seed, count), {"seed": seed, "count": count})
        names = (*before.segments, name)
        segments.write_generation(folder, Generation(before.number + 1, RECIPE, names, before.withdrawn))


def seeds(folder: Path) -> list[int]:
    """The seeds of everything that counts, each segment read and compared with what was written."""
    generation = segments.read_generation(folder)
    found = []
    for name in generation.segments if generation else ():
        segment = segments.open_segment(folder, name)
        for key, expected in arrays(segment.notes["seed"], segment.notes["count"]).items():
            assert np.array_equal(segment.arrays[key], expected)
        found.append(segment.notes["seed"])
    return found


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def counting(folder: Path) -> set[str]:
    """What may lie in the folder, by its generation."""
    generation = segments.read_generation(folder)
    return {"publish.lock", *(("generation.json", *generation.segments) if generation else ())}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index folder with two segments and three numbers withdrawn."""
    where = tmp_path / "index"
    add(where, 1)
    add(where, 2)
    IndexWriter(where, RECIPE).withdraw({1001, 2003, 77})
    return where


def test_nothing_published() -> None:
    assert segments.read_generation(Path("nowhere")) is None


def test_what_is_written_is_read(folder: Path) -> None:
    generation = segments.read_generation(folder)
    assert generation is not None
    assert (generation.number, generation.recipe) == (3, RECIPE)
    assert generation.withdrawn == {77, 1001, 2003}
    assert seeds(folder) == [1, 2]
    assert names(folder) == counting(folder)


def test_arrays_of_all_shapes(tmp_path: Path) -> None:
    written = {
        "empty": np.zeros((0, 32), np.uint8),
        "scalar_like": np.array([7], np.int16),
        "turned": np.arange(12, dtype=np.float32).reshape(3, 4).T,
        "flags": np.array([True, False]),
    }
    name = segments.write_segment(tmp_path, written, {"made": "up"})
    segment = segments.open_segment(tmp_path, name)
    assert dict(segment.notes) == {"made": "up"}
    for key, expected in written.items():
        assert segment.arrays[key].dtype == expected.dtype
        assert np.array_equal(segment.arrays[key], expected)


def test_arrays_are_mapped_read_only(folder: Path) -> None:
    generation = segments.read_generation(folder)
    assert generation is not None
    vectors = segments.open_segment(folder, generation.segments[0]).arrays["vectors"]
    assert not vectors.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        vectors[0, 0] = 1


def test_objects_are_never_stored(tmp_path: Path) -> None:
    """Reading them back would run whatever they say."""
    with pytest.raises(ValueError, match="allow_pickle"):
        segments.write_segment(tmp_path, {"names": np.array(["a", None], dtype=object)}, {})
    assert names(tmp_path) == set()


def files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "publish.lock")


def test_every_flipped_bit_of_the_lists_is_noticed(folder: Path) -> None:
    """Exhaustive for the files in which a number, a name or a checksum stands."""
    tried = 0
    for path in files(folder):
        if path.suffix != ".json":
            continue
        whole = path.read_bytes()
        for place in range(len(whole)):
            for bit in range(8):
                path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
                with pytest.raises(IndexNotReady):
                    seeds(folder)
                tried += 1
        path.write_bytes(whole)
    assert tried > 5000
    assert seeds(folder) == [1, 2]


def test_every_flipped_byte_of_the_arrays_is_noticed(tmp_path: Path) -> None:
    add(tmp_path, 1, count=3)
    for path in files(tmp_path):
        if path.suffix != ".npy":
            continue
        whole = path.read_bytes()
        for place in range(len(whole)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
            with pytest.raises(IndexNotReady, match=path.name):
                seeds(tmp_path)
        path.write_bytes(whole)
    assert seeds(tmp_path) == [1]


@examples(max_examples=200, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(["generation.json", "manifest.json", "numbers.npy", "vectors.npy", "names.npy"]),
    kind=st.sampled_from(["cut", "grow", "replace", "insert", "missing"]),
    share=st.floats(0, 1, exclude_max=True),
    inserted=st.binary(min_size=1, max_size=8),
)
def test_changed_files_are_noticed(
    tmp_path_factory: pytest.TempPathFactory, name: str, kind: str, share: float, inserted: bytes
) -> None:
    folder = tmp_path_factory.mktemp("index")
    add(folder, 1, count=4)
    path = next(folder.rglob(name))
    whole = path.read_bytes()
    place = int(len(whole) * share)
    changed = {
        "cut": whole[:place],
        "grow": whole + inserted,
        "replace": whole[:place] + inserted + whole[place + len(inserted) :],
        "insert": whole[:place] + inserted + whole[place:],
        "missing": None,
    }[kind]
    if changed is None:
        path.unlink()
    else:
        path.write_bytes(changed)
    if changed is None and name == "generation.json":
        assert segments.read_generation(folder) is None
    elif changed is not None and said(changed, name) == said(whole, name):
        assert seeds(folder) == [1]
    else:
        with pytest.raises(IndexNotReady, match="rebuild"):
            seeds(folder)


def said(content: bytes, name: str) -> object:
    """White space between the parts of JSON says nothing."""
    with contextlib.suppress(ValueError):
        return json.loads(content) if name.endswith(".json") else content
    return content


@pytest.mark.parametrize("text", ["[]", "null", "7", '"x"', "{}", '{"crc32": 1}', '{"generation": []}', "[" * 100_000])
def test_other_json_is_damage(folder: Path, text: str) -> None:
    (folder / "generation.json").write_text(text)
    with pytest.raises(IndexNotReady):
        segments.read_generation(folder)


def test_damaged_index_is_not_withdrawn_from_silently(folder: Path) -> None:
    (folder / "generation.json").write_text("{}")
    with pytest.raises(IndexNotReady):
        IndexWriter(folder, RECIPE).withdraw({5})
    assert len(names(folder)) == 4


def test_withdrawing_adds_up_and_survives_publishing(folder: Path) -> None:
    IndexWriter(folder, RECIPE).withdraw({5})
    add(folder, 3)
    generation = segments.read_generation(folder)
    assert generation is not None
    assert generation.withdrawn == {5, 77, 1001, 2003}
    assert generation.number == 5


def test_withdrawing_from_nothing_is_nothing(tmp_path: Path) -> None:
    IndexWriter(tmp_path, RECIPE).withdraw({5})
    assert segments.read_generation(tmp_path) is None


def test_segments_that_no_longer_count_go_and_stay_readable_where_mapped(folder: Path) -> None:
    generation = segments.read_generation(folder)
    assert generation is not None
    mapped = segments.open_segment(folder, generation.segments[0])
    with segments.publishing(folder):
        segments.write_generation(folder, Generation(4, RECIPE, generation.segments[1:]))
    assert names(folder) == counting(folder)
    for key, expected in arrays(1).items():
        assert np.array_equal(mapped.arrays[key], expected)


def test_leftovers_of_a_dead_writer_go(folder: Path) -> None:
    (folder / "aside-segment-of-a-dead-writer").mkdir()
    (folder / "aside-segment-of-a-dead-writer" / "vectors.npy").write_bytes(b"half")
    (folder / "segment-never-counted").mkdir()
    (folder / "generation.json.f00d").write_bytes(b"half")
    (folder / "notes of the administrator.txt").write_text("mine")
    with segments.publishing(folder):
        assert names(folder) == {*counting(folder), "notes of the administrator.txt"}


def test_leftovers_are_kept_while_nobody_knows_what_counts(folder: Path) -> None:
    before = names(folder)
    (folder / "generation.json").write_bytes(b"damaged")
    with segments.publishing(folder):
        assert names(folder) == before


def limited(size: int, job: Callable[[], None]) -> int:
    """Run a job in a child whose files may not pass `size` bytes, as on a full disk; 0 when it got an OSError."""

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        with pytest.raises(OSError, match="too large"):
            job()

    return ended(forked(small))


@pytest.mark.parametrize("size", [0, 1, 100, 200, 260])
def test_full_disk(folder: Path, size: int) -> None:
    before, lay = segments.read_generation(folder), names(folder)
    assert limited(size, lambda: add(folder, 3)) == 0
    assert segments.read_generation(folder) == before
    assert seeds(folder) == [1, 2]
    assert names(folder) == lay
    add(folder, 3)
    assert seeds(folder) == [1, 2, 3]


def test_disk_full_when_only_the_list_is_still_to_be_written(folder: Path) -> None:
    """The segment is there, the generation that would name it is not: the segment goes, or disks fill up for good."""
    IndexWriter(folder, RECIPE).withdraw(range(100_000, 101_000))
    before, lay = segments.read_generation(folder), names(folder)
    assert (folder / "generation.json").stat().st_size > 6000
    assert limited(6000, lambda: add(folder, 3)) == 0
    assert segments.read_generation(folder) == before
    assert names(folder) == lay


def test_really_full_disk(tmp_path: Path) -> None:
    """A file system of one megabyte, where the kernel allows to mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root mounts")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        folder = disk / "index"
        add(folder, 1)
        lay = names(folder)
        with pytest.raises(OSError, match="No space left"):
            add(folder, 2, count=30_000)
        assert names(folder) == lay
        assert seeds(folder) == [1]
        add(folder, 3)
        assert seeds(folder) == [1, 3]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_killed_before_every_file_operation(tmp_path: Path) -> None:
    """At each point the generation before or the one after is whole, and the next writer cleans up."""
    codes, step = [-signal.SIGKILL], 0
    while codes[-1] == -signal.SIGKILL:
        step += 1
        folder = tmp_path / str(step)
        add(folder, 1)
        codes.append(killed_before(step, lambda where=folder: add(where, 2)))  # type: ignore[misc]
        assert seeds(folder) in ([1], [1, 2])
        expected = [*seeds(folder), 3]
        add(folder, 3)
        assert seeds(folder) == expected
        assert names(folder) == counting(folder)
    assert codes[-1] == 0
    assert step > 10


def publish_for_ever(folder: Path) -> None:
    """Grows to four segments, then keeps the newest two: every kind of change, again and again."""
    number = 0
    while True:
        number += 1
        add(folder, number, count=200)
        generation = segments.read_generation(folder)
        if generation and len(generation.segments) > 4:
            with segments.publishing(folder):
                kept = generation.segments[-2:]
                segments.write_generation(folder, Generation(generation.number + 1, RECIPE, kept, frozenset({number})))


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """From outside, while the child writes: after a random number of looks at the folder."""
    chance = random.Random(7)
    number = 0
    for _ in range(25):
        pid = forked(lambda: publish_for_ever(tmp_path))
        wanted = number + chance.randint(1, 8)
        while (segments.read_generation(tmp_path) or Generation(0, RECIPE)).number < wanted:
            pass
        for _ in range(chance.randint(0, 60)):
            segments.read_generation(tmp_path)
        os.kill(pid, signal.SIGKILL)
        assert ended(pid) == -signal.SIGKILL
        assert seeds(tmp_path)
        generation = segments.read_generation(tmp_path)
        assert generation is not None
        assert generation.number >= wanted
        number = generation.number
    with segments.publishing(tmp_path):
        assert names(tmp_path) == counting(tmp_path)


def test_two_publishers_at_once(tmp_path: Path) -> None:
    """Neither loses what the other published."""

    def publish(first: int) -> None:
        for seed in range(first, first + 20):
            add(tmp_path, seed, count=2)

    children = [forked(lambda first=first: publish(first)) for first in (100, 200, 300)]  # type: ignore[misc]
    assert [ended(pid) for pid in children] == [0, 0, 0]
    found = seeds(tmp_path)
    assert sorted(found) == [*range(100, 120), *range(200, 220), *range(300, 320)]
    generation = segments.read_generation(tmp_path)
    assert generation is not None
    assert generation.number == 60


def test_the_lock_of_a_dead_publisher_is_free(folder: Path) -> None:
    def die_holding() -> None:
        with segments.publishing(folder):
            os.kill(os.getpid(), signal.SIGKILL)

    assert ended(forked(die_holding)) == -signal.SIGKILL
    add(folder, 3)
    assert seeds(folder) == [1, 2, 3]
