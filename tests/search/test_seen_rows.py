"""What scans have met is ranked beside the assets; vectors beside its segments are made again when they are damaged."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from guardian.matching.features.appearance_bytes import BYTES_OF_VERSIONS
from guardian.matching.features.small import small_fingerprint
from guardian.matching.settings import MatchingSettings
from guardian.memory.remembering import Memory
from guardian.memory.settings import MemorySettings
from guardian.model import NewlySeen
from guardian.search.aspects import Aspect, vectors_of
from guardian.search.question import By, Kind, Question
from guardian.search.ranking import rank
from guardian.search.seen_rows import SeenPictures
from guardian.store import Store
from tests.databases import store_in
from tests.memory.made import met, picture

RECIPE = "s1-none"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A database in which four pictures of two hosts are remembered; their numbers are 1 to 4."""
    opened = store_in(tmp_path)
    memory = Memory(opened, tmp_path / "memory", RECIPE, MemorySettings())
    memory.remember(opened, [met(1), met(2), met(3, "other.example"), met(4, "other.example")])
    memory.write_waiting()
    yield opened
    opened.close()


def _encoded(seed: int) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(picture(seed).rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def test_seen_pictures_are_found_with_their_previews(store: Store, tmp_path: Path) -> None:
    question = Question(tmp_path, RECIPE, {Kind.SEEN: None}, content=_encoded(3), by=By.LOOK, top=2)

    answer = rank(MatchingSettings(), question)

    assert answer.searched == {Kind.SEEN: 4}
    assert answer.found[0].key == (Kind.SEEN, 3)
    assert answer.found[0].score > 0.95
    assert len(answer.found) == 2
    assert (answer.found[0].preview or b"")[:2] == b"\xff\xd8"

    with store.read() as tx:
        shop = np.array(sorted(tx.seen.numbers(host="shop.example")))
    question = Question(tmp_path, RECIPE, {Kind.SEEN: shop}, content=_encoded(3))
    assert {one.key[1] for one in rank(MatchingSettings(), question).found} == {1, 2}


def _damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)


def test_a_damaged_part_is_named_and_the_rest_is_searched(store: Store, tmp_path: Path) -> None:
    memory = Memory(store, tmp_path / "memory", RECIPE, MemorySettings())
    (first,) = (tmp_path / "memory" / RECIPE).glob("segment-*")
    memory.remember(store, [met(5)])
    memory.write_waiting()
    (second,) = set((tmp_path / "memory" / RECIPE).glob("segment-*")) - {first}
    question = Question(tmp_path, RECIPE, {Kind.SEEN: None}, content=_encoded(5), by=By.LOOK)

    _damage(first / "appearance.npy")
    _damage(second / "previews.npy")
    answer = rank(MatchingSettings(), question)
    assert [one.key[1] for one in answer.found] == [5]
    assert answer.searched == {Kind.SEEN: 1}
    assert answer.found[0].preview is None, "a result is worth having without its picture"
    (named,) = answer.not_searched
    assert first.name in named


def test_kept_vectors_are_believed_only_when_they_are_whole(store: Store, tmp_path: Path) -> None:
    first = SeenPictures(tmp_path / "memory", RECIPE).rows().rows[0]
    expected = vectors_of(first.appearances, Aspect.LOOK)
    assert np.array_equal(first.vectors(Aspect.LOOK), expected)
    (kept,) = (tmp_path / "memory" / "derived").glob("*look*.npy")

    _damage(kept)
    again = SeenPictures(tmp_path / "memory", RECIPE).rows().rows[0]
    assert np.array_equal(again.vectors(Aspect.LOOK), expected)

    stale = kept.with_name("segment-gone.a1-p1-look.00000000.npy")
    stale.write_bytes(b"")
    SeenPictures(tmp_path / "memory", RECIPE).rows()
    assert not stale.exists()
    assert kept.exists(), "it was written again, under the same name"


def test_pictures_remembered_by_an_earlier_version_are_ranked_by_what_is_known_of_them(tmp_path: Path) -> None:
    opened = store_in(tmp_path)
    memory = Memory(opened, tmp_path / "memory", RECIPE, MemorySettings())
    memory.remember(opened, [_met_by_version(1, 1), _met_by_version(2, 2)])
    memory.write_waiting()
    memory.remember(opened, [met(3)])
    memory.write_waiting()

    _each_is_found(tmp_path, 3)
    # More segments than are kept apart: they are joined.
    for number in range(4, 10):
        memory.remember(opened, [_met_by_version(number % 3 + 1, number)])
        memory.write_waiting()
    _each_is_found(tmp_path, 9)
    opened.close()


def _met_by_version(version: int, seed: int) -> NewlySeen:
    now = small_fingerprint(picture(seed))
    return met(seed, fingerprint=replace(now, appearance=now.appearance[: BYTES_OF_VERSIONS[version]]))


def _each_is_found(folder: Path, count: int) -> None:
    for number in range(1, count + 1):
        answer = rank(MatchingSettings(), Question(folder, RECIPE, {Kind.SEEN: None}, content=_encoded(number)))
        assert answer.not_searched == ()
        assert answer.searched == {Kind.SEEN: count}
        assert answer.found[0].key == (Kind.SEEN, number)
        assert answer.found[0].alike[Aspect.LOOK] > 0.99
