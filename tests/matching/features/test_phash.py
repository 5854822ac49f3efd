"""The published hash: what other tools compute of the same file, and near for what looks the same."""

import io
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

from demo.photographs import DISTRACTORS, PROTECTED
from guardian.evaluation import attacks
from guardian.matching.features.image import decode
from guardian.matching.features.phash import phash
from guardian.matching.matcher import Matcher
from guardian.matching.settings import MatchingSettings
from tests.matching.pictures import encoded, noise, photograph

ROOT = Path(__file__).resolve().parents[3]
NAMES = [each.name for each in (*PROTECTED, *DISTRACTORS)]


def hashed(content: bytes) -> str:
    return phash(decode(content, MatchingSettings()).grey)


def bits_apart(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("longer_side", [200, 640, 2400])
def test_another_tool_says_nearly_the_same_of_the_same_file(name: str, longer_side: int) -> None:
    """Decoders differ by a grey level, and a large picture is reduced in one step more: hardly a bit of 64."""
    content = encoded(photograph(name, longer_side), quality=90)
    theirs = str(imagehash.phash(Image.open(io.BytesIO(content))))
    assert bits_apart(hashed(content), theirs) <= 2


def test_it_is_written_as_sixteen_hexadecimal_digits() -> None:
    made = hashed(encoded(photograph("coffee"), "PNG"))
    assert len(made) == 16
    assert str(imagehash.hex_to_hash(made)) == made


@pytest.fixture(scope="module")
def wholes() -> dict[str, str]:
    """The hash of each photograph as it is."""
    return {name: hashed(encoded(photograph(name), "PNG", compress_level=1)) for name in NAMES}


@pytest.mark.parametrize("edit", ["jpeg10_30", "down128", "grayscale", "bright_contr_sat"])
def test_copies_are_near(edit: str, wholes: dict[str, str]) -> None:
    random = np.random.default_rng(2)
    distances = [
        bits_apart(wholes[name], hashed(encoded(attacks.apply(edit, photograph(name), random, []))))
        for name in NAMES[:12]
    ]
    assert np.median(distances) <= 6


def test_other_pictures_are_far(wholes: dict[str, str]) -> None:
    assert min(bits_apart(one, other) for one, other in combinations(wholes.values(), 2)) > 16


def test_the_picture_is_hashed_upright() -> None:
    picture = photograph("rocket")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(np.ascontiguousarray(np.rot90(picture)), "PNG", exif=exif)
    assert bits_apart(hashed(turned), hashed(encoded(picture, "PNG"))) <= 1


@pytest.mark.parametrize("shape", [(24, 24), (24, 3000), (3000, 24)])
def test_any_shape_has_one(shape: tuple[int, int]) -> None:
    assert len(hashed(encoded(noise(1, *shape), "PNG", compress_level=1))) == 16


def test_assets_and_candidates_carry_the_same(tmp_path: Path) -> None:
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    content = encoded(photograph("chelsea"))
    expected = hashed(content)
    assert matcher.fingerprint(content).perceptual_hash == expected
    assert matcher.match(content).perceptual_hash == expected


def test_a_worker_starts_without_loading_it() -> None:
    program = "import sys, guardian.matching.matcher; print('imagehash' in sys.modules, 'scipy.fft' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
