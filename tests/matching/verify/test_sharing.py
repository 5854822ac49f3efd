"""What several assets share speaks for none of them; a picture that is protected twice keeps its evidence."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from guardian.evaluation import attacks
from guardian.matching.combine import ComparedPair
from guardian.matching.features.image import decode
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings
from tests.matching.pictures import Pixels, encoded, photograph

OTHERS = ("coffee", "chelsea", "china", "rocket")


def framed(picture: Pixels, seed: int = 5) -> Pixels:
    """On the page of one and the same invented network, advertisement included."""
    decor = [photograph("coins", 200), *(photograph(name, 100) for name in ("flower", "page", "moon"))]
    return attacks.in_screenshot(picture, np.random.default_rng(seed), decor)


def compared(folder: Path, assets: Sequence[Pixels], candidate: Pixels) -> dict[str, ComparedPair]:
    matcher = Matcher(MatchingSettings(), None, folder)
    entries = [(n + 1, str(n), matcher.fingerprint(encoded(asset, "PNG"))) for n, asset in enumerate(assets)]
    IndexWriter(folder / matcher.recipe, matcher.recipe).publish(entries)
    matcher.refresh()
    picture = decode(encoded(candidate, "PNG"), MatchingSettings())
    return {pair.asset.id: pair for pair in matcher.compared(picture)}


def test_a_shared_page_is_nobodys_own(tmp_path: Path) -> None:
    found = compared(tmp_path, [framed(photograph(name)) for name in OTHERS], framed(photograph("astronaut")))
    assert len(found) >= 3
    for pair in found.values():
        core = pair.measurement.alignment.core
        assert core is not None
        assert core.strength > 5
        assert pair.exclusive.cells <= 2


def test_a_page_that_only_one_asset_shows_is_its_own(tmp_path: Path) -> None:
    """Nothing in the catalogue says that it is a page; that is for the fitted confidence and for people."""
    found = compared(tmp_path, [framed(photograph("coffee")), photograph("chelsea")], framed(photograph("astronaut")))
    assert found["0"].exclusive.cells > 5


@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_a_picture_protected_twice_keeps_its_evidence(tmp_path: Path, name: str) -> None:
    asset = photograph(name)
    height, width = asset.shape[:2]
    cut = np.ascontiguousarray(asset[height // 10 :, : width * 9 // 10])
    found = compared(tmp_path, [asset, attacks.recompressed(asset, 50), cut], attacks.recompressed(asset, 60))
    assert set(found) == {"0", "1", "2"}
    for pair in found.values():
        core = pair.measurement.alignment.core
        assert core is not None
        assert pair.exclusive.cells > 0.9 * core.over_half * core.rich


def test_of_a_copy_on_a_shared_page_only_the_picture_is_own(tmp_path: Path) -> None:
    """The picture itself is protected, and so are other pages of the network."""
    assets = [*(framed(photograph(name)) for name in OTHERS), photograph("astronaut")]
    found = compared(tmp_path, assets, framed(photograph("astronaut")))
    mine = found[str(len(OTHERS))]
    assert mine.exclusive.cells > 15
    assert all(pair.exclusive.cells <= 3 for name, pair in found.items() if name != str(len(OTHERS)))


def test_a_stranger_has_next_to_nothing(tmp_path: Path) -> None:
    found = compared(tmp_path, [photograph(name) for name in OTHERS], photograph("astronaut"))
    assert all(pair.exclusive.cells < 8 for pair in found.values())


VARIANTS = (
    lambda picture: picture,
    lambda picture: attacks.with_text(picture, np.random.default_rng(1), 3),
    lambda picture: attacks.with_stickers(picture, np.random.default_rng(2), 3),
    lambda picture: attacks.as_meme(picture, np.random.default_rng(3)),
)


@pytest.mark.parametrize("with_original", [True, False])
@pytest.mark.parametrize("name", ["rocket", "coffee", "astronaut"])
def test_captioned_variants_do_not_take_each_others_evidence(tmp_path: Path, name: str, with_original: bool) -> None:
    """A catalogue holds a picture plain, with words, with stickers: a copy of it agrees with one where they differ."""
    asset = photograph(name)
    assets = [make(asset) for make in VARIANTS[0 if with_original else 1 :]]
    height, width = asset.shape[:2]
    crop = np.ascontiguousarray(asset[height // 5 : height * 4 // 5, width // 5 : width * 4 // 5])
    for candidate in (attacks.recompressed(asset, 60), crop):
        found = compared(tmp_path / str(len(candidate)), assets, candidate)
        shares = []
        for pair in found.values():
            core = pair.measurement.alignment.core
            assert core is not None
            shares.append(pair.exclusive.cells / max(1.0, core.over_half * core.rich))
        assert max(shares) > 0.8
