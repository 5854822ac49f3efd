"""The whole of matching, by rates: copies are found, distractors are not, and answers follow the index."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from demo.photographs import DISTRACTORS, PROTECTED
from guardian.errors import IndexNotReady, NotAnImage, TooPlain
from guardian.evaluation import attacks
from guardian.matching.combine import MAX_MATCHES, MIN_PROBABILITY
from guardian.matching.features.fingerprint import Fingerprint
from guardian.matching.index import segments
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.recipe import report_recipe
from guardian.matching.settings import MatchingSettings
from guardian.model import Comparison, MatchReport
from tests.matching.pictures import Pixels, clouds, drawing, encoded, noise, photograph

NAMES = tuple(each.name for each in PROTECTED)
EDITS = ("jpeg10_30", "down128", "grayscale", "hflip", "rot5_15", "rot90", "crop40", "overlay_text", "meme")
COPIES = 100


@dataclass(frozen=True)
class Found:
    edit: str
    name: str
    comparison: Comparison | None

    @property
    def probability(self) -> float:
        return self.comparison.probability if self.comparison else 0.0


_FINGERPRINTS: dict[tuple[str, str], Fingerprint] = {}
"""By recipe and photograph, which several indexes hold."""


def publish(folder: Path, matcher: Matcher, names: tuple[str, ...], first: int = 1) -> None:
    for name in names:
        if (matcher.recipe, name) not in _FINGERPRINTS:
            content = encoded(photograph(name, 800), "PNG")
            _FINGERPRINTS[matcher.recipe, name] = matcher.fingerprint(content)
    entries = [(first + at, name, _FINGERPRINTS[matcher.recipe, name]) for at, name in enumerate(names)]
    IndexWriter(folder / matcher.recipe, matcher.recipe).publish(entries)


def of(report: MatchReport, name: str) -> Comparison | None:
    return next((match.comparison for match in report.matches if match.asset_id == name), None)


def certainly(report: MatchReport, name: str) -> Comparison:
    comparison = of(report, name)
    assert comparison is not None
    assert comparison.probability > 0.9
    return comparison


def probability(report: MatchReport, name: str) -> float:
    comparison = of(report, name)
    return comparison.probability if comparison else 0.0


@pytest.fixture(scope="module")
def matcher(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    """All of the demo's protected photographs, in two segments."""
    folder = tmp_path_factory.mktemp("index")
    made = Matcher(MatchingSettings(), None, folder)
    publish(folder, made, NAMES[:10])
    publish(folder, made, NAMES[10:], first=11)
    return made


@pytest.fixture(scope="module")
def copies(matcher: Matcher) -> list[Found]:
    """A hundred copies: each edit of about eleven photographs, each photograph under five or six edits."""
    others = [drawing(seed) for seed in range(12)]
    found = []
    for number in range(COPIES):
        edit, name = EDITS[number % len(EDITS)], NAMES[(number * 4 + number // len(EDITS)) % len(NAMES)]
        copy = attacks.apply(edit, photograph(name, 800), np.random.default_rng(number), others)
        found.append(Found(edit, name, of(matcher.match(encoded(copy, quality=85)), name)))
    return found


def test_copies_are_found(copies: list[Found]) -> None:
    assert {(one.edit) for one in copies} == set(EDITS)
    assert {one.name for one in copies} == set(NAMES)
    missed = [(one.edit, one.name, round(one.probability, 3)) for one in copies if one.probability < 0.9]
    assert len(copies) - len(missed) >= 95, missed


def test_copies_are_described(copies: list[Found]) -> None:
    """What was measured says what was done, for nearly every copy that was found."""
    told = {
        "hflip": lambda it: it.transform.mirrored and "mirrored" in it.description,
        "rot90": lambda it: abs(abs(it.transform.angle_degrees) - 90) < 2 and "turned" in it.description,
        "rot5_15": lambda it: 4 < abs(it.transform.angle_degrees) < 16 and "turned" in it.description,
        "crop40": lambda it: 0.33 < it.asset_coverage < 0.48 and it.candidate_coverage > 0.95,
        "down128": lambda it: it.transform.scale < 0.3 and "reduced" in it.description,
        "meme": lambda it: it.asset_coverage > 0.95 and 0.65 < it.candidate_coverage < 0.92,
        "grayscale": lambda it: it.description == "the whole image" and not it.transform.mirrored,
    }
    sure = [one for one in copies if one.probability >= 0.9 and one.edit in told]
    wrong = [(one.edit, one.name, one.comparison) for one in sure if not told[one.edit](one.comparison)]
    assert len(sure) > 60
    assert len(wrong) <= 0.04 * len(sure), wrong


def test_measurements_of_copies_are_within_their_bounds(copies: list[Found]) -> None:
    for comparison in (one.comparison for one in copies if one.comparison):
        assert MIN_PROBABILITY <= comparison.probability < 1
        assert comparison.hash_distance is not None
        assert 0 <= comparison.hash_distance <= 128
        assert comparison.aligned_similarity is None or -1 <= comparison.aligned_similarity <= 1
        assert (comparison.embedding_similarity, comparison.region_embedding_similarity) == (None, None)
        assert comparison.transform is not None
        assert comparison.transform.scale > 0
        assert -180 <= comparison.transform.angle_degrees <= 180


def distractors() -> dict[str, Pixels]:
    """More than sixty pictures that copy nothing: photographs, faces, textures, drawings, lettering, noise."""
    found = {each.name: photograph(each.name) for each in DISTRACTORS}
    faces = (np.asarray(data.lfw_subset()) * 255).astype(np.uint8)
    for number in range(0, 160, 11):
        face = Image.fromarray(faces[number]).resize((300, 300), Image.Resampling.BICUBIC).convert("RGB")
        found[f"face {number}"] = np.asarray(face)
    for seed in range(100, 112):
        found[f"clouds {seed}"] = clouds(seed, roughness=1.0 + seed % 4 * 0.3)
    for seed in range(200, 216):
        found[f"drawing {seed}"] = drawing(seed, 300 + seed % 5 * 150, 300)
    for seed in range(300, 306):
        caption = attacks.as_meme(drawing(seed), np.random.default_rng(seed))
        found[f"meme {seed}"] = attacks.with_text(caption, np.random.default_rng(seed), 3)
    for seed in range(400, 404):
        found[f"noise {seed}"] = noise(seed)
    for seed in range(500, 505):
        blobs = data.binary_blobs(300, rng=seed).astype(np.uint8) * 200
        found[f"blobs {seed}"] = np.repeat(blobs[:, :, None], 3, axis=2)
    return found


def test_strangers_are_not_found(matcher: Matcher) -> None:
    likely = {}
    pictures = distractors()
    assert len(pictures) >= 60
    for name, picture in pictures.items():
        report = matcher.match(encoded(picture, quality=88))
        likely[name] = report.matches[0].comparison.probability if report.matches else 0.0
    assert {name: value for name, value in likely.items() if value > 0.5} == {}
    assert sum(value > 0.1 for value in likely.values()) <= 2


def test_other_assets_than_the_one_copied_stay_improbable(matcher: Matcher) -> None:
    """More likely none than a copy: well below what the shipped rules put before a person."""
    for name in NAMES[:12]:
        report = matcher.match(encoded(photograph(name, 700), quality=60))
        certainly(report, name)
        assert [
            match for match in report.matches if match.asset_id != name and match.comparison.probability > 0.5
        ] == []


def test_the_report(matcher: Matcher) -> None:
    report = matcher.match(encoded(photograph("coffee", 500)))
    assert report.recipe == report_recipe(MatchingSettings(), None)
    assert (report.width, report.height) == photograph("coffee", 500).shape[1::-1]
    assert (report.up_to_number, report.assets_searched) == (len(NAMES), len(NAMES))
    assert not report.partial
    probabilities = [match.comparison.probability for match in report.matches]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(probabilities) <= MAX_MATCHES
    assert min(probabilities) >= MIN_PROBABILITY


def test_the_same_bytes_have_the_same_answer(matcher: Matcher) -> None:
    content = encoded(attacks.as_meme(photograph("rocket"), np.random.default_rng(1)))
    assert matcher.match(content) == matcher.match(content)


@pytest.mark.parametrize("degrees", [-30, -10, 10, 30, 90, 180, -90])
def test_angles_are_counter_clockwise_as_seen(matcher: Matcher, degrees: int) -> None:
    turned = Image.fromarray(photograph("astronaut")).rotate(degrees, expand=True)
    comparison = of(matcher.match(encoded(turned)), "astronaut")
    assert comparison is not None
    assert comparison.probability > 0.5
    transform = comparison.transform
    assert transform is not None
    assert abs((transform.angle_degrees - degrees + 180) % 360 - 180) < 1
    assert not transform.mirrored


def test_the_angle_of_a_mirrored_copy_is_that_after_undoing_the_mirror(matcher: Matcher) -> None:
    mirrored = Image.fromarray(np.ascontiguousarray(photograph("astronaut")[:, ::-1])).rotate(20, expand=True)
    transform = certainly(matcher.match(encoded(mirrored)), "astronaut").transform
    assert transform is not None
    assert transform.mirrored
    assert abs(abs(transform.angle_degrees) - 20) < 1


def test_the_matrix_maps_full_upright_pixels_of_both(matcher: Matcher) -> None:
    """The candidate is enormous and stored on its side; the asset was 800 pixels wide at most."""
    asset = photograph("motorcycle_left", 800)
    height, width = asset.shape[:2]
    large = Image.fromarray(asset).resize((width * 4, height * 4), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(large.rotate(90, expand=True), quality=85, exif=exif)
    report = matcher.match(content)
    assert (report.width, report.height) == (width * 4, height * 4)
    transform = certainly(report, "motorcycle_left").transform
    assert transform is not None
    matrix = np.array(transform.matrix).reshape(2, 3)
    assert matrix[:, :2] == pytest.approx(np.eye(2) * 4, abs=0.05)
    assert np.abs(matrix[:, 2]).max() < 8
    assert transform.scale == pytest.approx(4, rel=0.02)
    assert transform.asset_box == pytest.approx((0, 0, 1, 1), abs=0.02)


def test_a_crop_says_which_part(matcher: Matcher) -> None:
    asset = photograph("coffee", 800)
    height, width = asset.shape[:2]
    part = np.ascontiguousarray(asset[height // 4 : height * 3 // 4, width // 3 :])
    comparison = certainly(matcher.match(encoded(part)), "coffee")
    assert comparison.transform is not None
    assert comparison.transform.asset_box == pytest.approx((1 / 3, 1 / 4, 1, 3 / 4), abs=0.02)
    assert comparison.transform.candidate_box == pytest.approx((0, 0, 1, 1), abs=0.02)
    assert comparison.asset_coverage == pytest.approx(1 / 3, abs=0.02)
    assert "crop of 3" in comparison.description


def test_two_assets_in_one_picture(matcher: Matcher) -> None:
    tiles = [attacks.resized(photograph(name), 400, 300) for name in ("coffee", "chelsea")]
    gap = np.full((300, 12, 3), 255, np.uint8)
    report = matcher.match(encoded(np.hstack([tiles[0], gap, tiles[1], gap, drawing(7, 400, 300)])))
    assert {match.asset_id for match in report.matches if match.comparison.probability > 0.9} == {"coffee", "chelsea"}
    boxes = [certainly(report, name).transform for name in ("coffee", "chelsea")]
    assert [round(box.candidate_box[0], 1) for box in boxes if box] == [0.0, 0.3]


def test_only_assets_newer_than_asked_for(matcher: Matcher) -> None:
    content = encoded(photograph("coffee", 500))
    number = NAMES.index("coffee") + 1
    assert probability(matcher.match(content, newer_than=number - 1), "coffee") > 0.9
    later = matcher.match(content, newer_than=number)
    assert of(later, "coffee") is None
    assert later.up_to_number == len(NAMES)
    nothing = matcher.match(content, newer_than=len(NAMES))
    assert nothing.matches == ()


def test_the_fast_profile_finds_the_easy_ones(tmp_path: Path) -> None:
    matcher = Matcher(MatchingSettings(profile="fast"), None, tmp_path)
    publish(tmp_path, matcher, NAMES[:8])
    found = 0
    for name in NAMES[:8]:
        for edit in ("jpeg10_30", "grayscale", "hflip"):
            copy = attacks.apply(edit, photograph(name), np.random.default_rng(3), [drawing(1)] * 9)
            found += probability(matcher.match(encoded(copy)), name) > 0.9
    assert found >= 22


def test_an_empty_index_has_nothing_to_say(tmp_path: Path) -> None:
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    matcher.warm()
    report = matcher.match(encoded(photograph("coffee", 300)))
    assert (report.matches, report.up_to_number, report.assets_searched) == ((), 0, 0)


def test_answers_follow_the_index(tmp_path: Path) -> None:
    """One matcher, as a worker keeps it: what is published is found at the next image, what is withdrawn is gone."""
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    content = encoded(photograph("rocket", 500))
    assert matcher.match(content).matches == ()
    publish(tmp_path, matcher, ("rocket", "coffee"))
    assert probability(matcher.match(content), "rocket") > 0.9
    IndexWriter(tmp_path / matcher.recipe, matcher.recipe).withdraw({1})
    report = matcher.match(content)
    assert of(report, "rocket") is None
    assert (report.assets_searched, report.up_to_number) == (1, 2)
    with IndexWriter(tmp_path / matcher.recipe, matcher.recipe).rebuild() as add:
        add([(7, "rocket again", matcher.fingerprint(content))])
    report = matcher.match(content)
    assert probability(report, "rocket again") > 0.9
    assert (report.assets_searched, report.up_to_number) == (1, 7)


def test_segments_make_no_difference(tmp_path: Path) -> None:
    """The same assets in one segment or in six: the same matches. Only how common a keypoint is may differ."""
    together, apart = (Matcher(MatchingSettings(), None, tmp_path / name) for name in ("together", "apart"))
    publish(tmp_path / "together", together, NAMES[:6])
    for number, name in enumerate(NAMES[:6]):
        publish(tmp_path / "apart", apart, (name,), first=number + 1)
    for name in NAMES[:6]:
        content = encoded(attacks.apply("crop70", photograph(name), np.random.default_rng(4), [drawing(1)] * 9))
        one, other = together.match(content), apart.match(content)
        assert probability(one, name) == pytest.approx(probability(other, name), abs=0.05)
        assert one.assets_searched == other.assets_searched == 6


def test_a_flipped_byte_is_noticed_when_the_index_is_opened(tmp_path: Path) -> None:
    first = Matcher(MatchingSettings(), None, tmp_path)
    publish(tmp_path, first, ("coffee",))
    chance = random.Random(3)
    files = [path for path in (tmp_path / first.recipe).rglob("*") if path.suffix in (".npy", ".json")]
    assert len(files) >= 14
    for path in files:
        whole = path.read_bytes()
        place = chance.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(IndexNotReady, match="rebuild"):
            Matcher(MatchingSettings(), None, tmp_path).refresh()
        path.write_bytes(whole)
    assert probability(first.match(encoded(photograph("coffee"))), "coffee") > 0.9


def test_a_damaged_list_is_noticed_by_a_matcher_at_work(tmp_path: Path) -> None:
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    publish(tmp_path, matcher, ("coffee",))
    matcher.match(encoded(photograph("coffee", 300)))
    (tmp_path / matcher.recipe / "generation.json").write_bytes(b'{"crc32": 0}')
    with pytest.raises(IndexNotReady, match="damaged"):
        matcher.match(encoded(photograph("coffee", 300)))


def test_an_index_of_another_recipe_is_refused(tmp_path: Path) -> None:
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    publish(tmp_path, matcher, ("coffee",))
    generation = segments.read_generation(tmp_path / matcher.recipe)
    assert generation is not None
    with segments.publishing(tmp_path / matcher.recipe):
        older = segments.Generation(9, "v0-none", generation.segments)
        segments.write_generation(tmp_path / matcher.recipe, older)
    with pytest.raises(IndexNotReady, match="v0-none"):
        matcher.match(encoded(photograph("coffee", 300)))


def test_what_is_no_picture_is_said_before_the_index_is_looked_at(tmp_path: Path) -> None:
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    with pytest.raises(NotAnImage):
        matcher.match(b"not a picture")
    with pytest.raises(TooPlain):
        matcher.match(encoded(np.full((90, 90, 3), 255, np.uint8), "PNG"))


@pytest.mark.parametrize("shape", [(24, 24), (24, 3000), (3000, 24), (40, 12_000)])
def test_any_shape_has_an_answer(matcher: Matcher, shape: tuple[int, int]) -> None:
    report = matcher.match(encoded(noise(9, shape[1], shape[0]), "PNG", compress_level=1))
    assert (report.height, report.width) == shape
    assert all(match.comparison.probability < 0.5 for match in report.matches)


def test_a_picture_that_is_protected_many_times_is_found_all_the_same(tmp_path: Path) -> None:
    """Its descriptors are common then, and its buckets crowded; neither may hide it, though it may wait for review."""
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    generator, asset = np.random.default_rng(0), photograph("astronaut")
    versions = [
        attacks.recompressed(attacks.shrunk(asset, 512 - 4 * number), int(generator.integers(40, 95)))
        for number in range(20)
    ]
    # Each several times: to crowd a bucket they need not differ.
    made = [matcher.fingerprint(encoded(one)) for one in versions] * 5
    entries = [(number + 1, f"version-{number}", one) for number, one in enumerate(made)]
    IndexWriter(tmp_path / matcher.recipe, matcher.recipe).publish(entries)
    host = drawing(77, 900, 700)
    small = attacks.shrunk(np.ascontiguousarray(asset[60:400, 80:420]), 260)
    host[100 : 100 + small.shape[0], 300 : 300 + small.shape[1]] = small
    for picture in (asset, host):
        best = matcher.match(encoded(picture)).matches[0]
        assert best.asset_id.startswith("version-")
        assert best.comparison.probability > 0.6


def test_a_newer_asset_is_judged_as_if_all_were_new(tmp_path: Path) -> None:
    """Pages of one site, protected one after the other: what the last shares with the others is not its own."""
    matcher = Matcher(MatchingSettings(), None, tmp_path)
    decor = [photograph(name, 200) for name in ("coins", "flower", "page", "moon")]

    def page(name: str) -> Pixels:
        return attacks.in_screenshot(photograph(name), np.random.default_rng(5), decor)

    names = ("coffee", "chelsea", "china", "rocket")
    entries = [(n + 1, name, matcher.fingerprint(encoded(page(name), "PNG"))) for n, name in enumerate(names)]
    for entry in entries:
        IndexWriter(tmp_path / matcher.recipe, matcher.recipe).publish([entry])
    web = encoded(page("astronaut"), "PNG")
    whole, newer = matcher.match(web), matcher.match(web, newer_than=3)
    assert all(match.asset_id == "rocket" for match in newer.matches)
    assert probability(newer, "rocket") == pytest.approx(probability(whole, "rocket"), abs=0.02)
    assert probability(newer, "rocket") < 0.5
    copy = encoded(attacks.recompressed(page("rocket"), 60))
    assert certainly(matcher.match(copy, newer_than=3), "rocket")
