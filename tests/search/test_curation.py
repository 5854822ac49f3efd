"""The same picture twice, one scene from two sides, and poor files."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from PIL import Image, ImageFilter

from guardian.matching.features.appearance import appearance_of
from guardian.matching.features.hashing import hash_upright
from guardian.matching.settings import MatchingSettings
from guardian.model import Asset, Rights
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
