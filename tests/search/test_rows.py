"""Appearances of assets on disk: what is published is there, whatever happens to the disk."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from guardian.errors import IndexNotReady
from guardian.matching.features.appearance_bytes import APPEARANCE_BYTES
from guardian.search.aspects import Aspect, vectors_of
from guardian.search.rows import AssetRows


def _entries(*numbers: int) -> list[tuple[int, NDArray[np.uint8]]]:
    rng = np.random.default_rng(numbers[0])
    return [(number, rng.integers(0, 256, APPEARANCE_BYTES, dtype=np.uint8)) for number in numbers]


def _alive(rows: AssetRows) -> list[int]:
    return sorted(int(number) for one in rows.open() for number in one.numbers[one.alive])


def test_published_rows_are_read_with_their_vectors_and_withdrawn_ones_do_not_answer(tmp_path: Path) -> None:
    rows, entries = AssetRows(tmp_path), _entries(3, 4, 5)

    rows.publish(entries)
    rows.withdraw([4])

    assert rows.numbers() == {3, 5}
    assert _alive(rows) == [3, 5]
    opened = rows.open()[0]
    assert np.array_equal(opened.appearances[2], entries[2][1])
    for aspect in Aspect:
        assert np.array_equal(opened.vectors(aspect), vectors_of(opened.appearances, aspect))


def test_many_publishings_are_merged_and_lose_nothing(tmp_path: Path) -> None:
    rows = AssetRows(tmp_path)

    for number in range(1, 14):
        rows.publish(_entries(number))
    rows.withdraw([2])
    rows.publish(_entries(20))

    assert _alive(rows) == [1, *range(3, 14), 20]
    assert len(rows.open()) <= 9


def test_a_flipped_byte_is_noticed_and_publishing_begins_anew(tmp_path: Path) -> None:
    rows = AssetRows(tmp_path)
    rows.publish(_entries(1, 2))
    for damaged in ("appearances", "numbers"):
        file = next((tmp_path / "appearance").glob(f"segment-*/{damaged}.npy"))
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)

    with pytest.raises(IndexNotReady):
        rows.open()
    assert rows.numbers() == set(), "they are to be made again"
    rows.publish(_entries(1, 2))
    assert _alive(rows) == [1, 2]


def test_nothing_published_is_no_error(tmp_path: Path) -> None:
    assert AssetRows(tmp_path).numbers() == set()
    assert AssetRows(tmp_path).open() == []
