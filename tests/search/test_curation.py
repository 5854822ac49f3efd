"""The same picture twice, one scene from two sides, and poor files."""

import io
import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.hashing import hash_upright
from guardian.matching.settings import MatchingSettings
from guardian.model import Asset, Rights
from guardian.search.aspects import SCALE, Aspect, projections
from guardian.search.curation import Poorness, duplicates, names_another_owner, quality_of, siblings
from guardian.search.rows import Rows


def _asset(number: int, picture: Image.Image, work: str) -> Asset:
    return Asset(
        id=f"asset_{number:032x}", number=number, title=f"picture {number}", collection="c", path=f"/p/{number}.png",
        sha256=f"{number:064x}", width=picture.width, height=picture.height,
        added_at=datetime(2026, 1, 1, tzinfo=UTC), work_id=work,
    )  # fmt: skip


def test_the_same_picture_is_one_cluster_with_its_best_version_first(photographs: dict[str, Image.Image]) -> None:
    small = photographs["coffee"].resize((300, 200))
    pictures = [photographs["coffee"], photographs["astronaut"], small, photographs["rocket"]]
    assets = {number: _asset(number, one, f"work_{number}") for number, one in enumerate(pictures, 1)}
    greys = [np.asarray(one.convert("L")) for one in pictures]
    rows = Rows(
        np.arange(1, 5), np.ones(4, dtype=bool), np.stack([appearance_of(np.asarray(one)).values for one in pictures])
    )

    hashes = {number: hash_upright(grey) for number, grey in enumerate(greys, 1)}
    found = duplicates(assets, hashes, [rows], bits=40)
    assert [[asset.number for asset in cluster.assets] for cluster in found] == [[1, 3]]

    assets[2] = replace(assets[2], work_id="work_4")
    found = duplicates(assets, {}, [rows], bits=40)
    assert [{asset.number for asset in cluster.assets} for cluster in found] == [{2, 4}], "versions of one work"


def test_two_frames_of_one_scene_are_siblings_and_versions_are_not(photographs: dict[str, Image.Image]) -> None:
    scene = photographs["coffee"]
    width, height = scene.size
    moved = scene.crop((width // 10, height // 12, width, height))
    pictures = [scene, moved, photographs["astronaut"], photographs["rocket"]]
    rows = Rows(
        np.arange(1, 5), np.ones(4, dtype=bool), np.stack([appearance_of(np.asarray(one)).values for one in pictures])
    )
    assets = {number: _asset(number, one, f"work_{number}") for number, one in enumerate(pictures, 1)}

    assert [{one.number for one in cluster.assets} for cluster in siblings(assets, [rows])] == [{1, 2}]
    assets[2] = replace(assets[2], work_id="work_1")
    assert siblings(assets, [rows]) == []


def _shoots(number: int, pictures: int, noise: float) -> tuple[dict[int, Asset], dict[int, NDArray[np.uint8]], Rows]:
    """Assets of so many shoots, with hashes and vectors that differ by so much noise within one."""
    random = np.random.default_rng(7)
    shoot = random.integers(0, number, pictures)

    def vectors(width: int) -> NDArray[np.int8]:
        found = random.normal(size=(number, width))[shoot] + noise * random.normal(size=(pictures, width))
        return np.round(SCALE * found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.int8)

    known = {Aspect.LOOK: vectors(64), Aspect.COLOUR: vectors(24), Aspect.SHAPE: vectors(32)}
    rows = Rows(np.arange(pictures), np.ones(pictures, dtype=bool), np.empty((pictures, 0), np.uint8), known)
    flipped = np.packbits(random.random((pictures, 256)) < noise / 6, axis=1)
    codes = random.integers(0, 256, (number, 32), dtype=np.uint8)[shoot] ^ flipped
    picture = Image.new("L", (8, 6))
    # Some are versions of one work.
    assets = {one: _asset(one, picture, f"work_{one if one % 7 else 0}") for one in random.permutation(pictures)}
    return assets, dict(enumerate(codes)), rows


def _joined(pairs: list[tuple[int, int]]) -> set[frozenset[int]]:
    groups: dict[int, frozenset[int]] = {}
    for pair in pairs:
        both = groups.get(pair[0], frozenset({pair[0]})) | groups.get(pair[1], frozenset({pair[1]}))
        groups |= dict.fromkeys(both, both)
    return set(groups.values())


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5])
def test_clusters_are_what_comparing_every_pair_says(noise: float) -> None:
    assets, hashes, rows = _shoots(25, 120, noise)
    exact = {aspect: vectors.astype(np.int64) for aspect, vectors in rows.known_vectors.items()}

    def is_alike(one: int, other: int, aspect: Aspect, least: float) -> bool:
        return bool(exact[aspect][one] @ exact[aspect][other] >= least * SCALE**2)

    same, of_scene = [], []
    for one, other in combinations(assets, 2):
        look = exact[Aspect.LOOK][[one, other]]
        cosine = look[0] @ look[1] / np.prod(np.linalg.norm(look, axis=1))
        is_version = assets[one].work_id == assets[other].work_id
        if is_version or (cosine >= 0.9 and np.bitwise_count(hashes[one] ^ hashes[other]).sum() <= 31):
            same.append((one, other))
        if not is_version and all(
            is_alike(one, other, aspect, least)
            for aspect, least in (
                (Aspect.LOOK, 0.9),
                (Aspect.COLOUR, projections()[Aspect.COLOUR].much_alike),
                (Aspect.SHAPE, projections()[Aspect.SHAPE].alike),
            )
        ):
            of_scene.append((one, other))

    found = (duplicates(assets, hashes, [rows], bits=31), siblings(assets, [rows]))
    for clusters, pairs in zip(found, (same, of_scene), strict=True):
        assert {frozenset(one.number for one in cluster.assets) for cluster in clusters} == _joined(pairs)


def test_a_large_shoot_takes_no_minutes() -> None:
    """All pairs of thousands of pictures are alike: the most that there can be to do."""
    assets, hashes, rows = _shoots(1, 4_000, 0.01)
    began = time.process_time()
    assert [len(cluster.assets) for cluster in duplicates(assets, hashes, [rows], bits=31)] == [4_000]
    assert [len(cluster.assets) for cluster in siblings(assets, [rows])] == [4_000]
    assert time.process_time() - began < 10


def _encoded(picture: Image.Image, **options: int) -> bytes:
    content = io.BytesIO()
    picture.save(content, "JPEG", **options)
    return content.getvalue()


def test_poor_files_are_told_from_good_ones(photographs: dict[str, Image.Image]) -> None:
    good = photographs["astronaut"]
    settings = MatchingSettings()

    assert quality_of(settings, _encoded(good, quality=92)).poor == ()
    assert quality_of(settings, _encoded(good, quality=92)).jpeg_quality == 92
    assert Poorness.COMPRESSED in quality_of(settings, _encoded(good, quality=15)).poor
    assert Poorness.TINY in quality_of(settings, _encoded(good.resize((200, 200)), quality=92)).poor
    blurred = good.filter(ImageFilter.GaussianBlur(4))
    assert quality_of(settings, _encoded(blurred, quality=92)).poor == (Poorness.BLURRED,)


def test_a_notice_of_somebody_else_is_told_from_ones_own() -> None:
    def named(notice: str | None, licensor: str | None = None) -> str | None:
        rights = Rights(copyright_notice=notice, licensor=licensor)
        return names_another_owner(rights, ["Müller Fotografie GmbH", "https://mueller-foto.example"])

    assert named("© 2024 Getty Images") == "© 2024 Getty Images"
    assert named("© MULLER, all rights reserved", "Big Stock Inc.") == "Big Stock Inc."
    assert named("© 2026 Anna Müller") is None
    assert named("Copyright 2019. All rights reserved. (c)") is None, "it names nobody"
    assert named(None) is None
    assert names_another_owner(Rights(copyright_notice="© Getty Images"), []) is None, "the owner is not known"
