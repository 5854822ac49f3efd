"""Store, originals and index agree, whatever interrupts the adding of assets and whatever happens to their bytes."""

import asyncio
import io
import os
import resource
import signal
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image

from guardian.app import App, opened_store
from guardian.catalog.results import Added, AddOutcome
from guardian.catalog.wanted import Wanted
from guardian.cli import main
from guardian.config import Config
from guardian.errors import AlreadyRunning
from guardian.housekeeping import prepare
from guardian.matching.index import reader, segments
from guardian.matching.index.joining import FEW
from guardian.model import Asset, AssetState, Rights
from guardian.store import hold
from tests import forked as forked_command
from tests.kept_workers import run_in_app
from tests.matching.forks import ended, forked

RECIPE = "v5-none"


async def added(app: App, *paths: Path, again: bool = False, **facts: Any) -> list[Added]:
    collection = facts.pop("collection", "press")
    wanted = [Wanted(path, collection, **facts) for path in paths]
    return [result async for result in app.catalog.add(wanted, again=again)]


def add(config: Config, *paths: Path, **facts: Any) -> list[Added]:
    results: list[Added] = run_in_app(config, lambda app: added(app, *paths, **facts))
    return results


def assets(config: Config) -> list[Asset]:
    with opened_store(config) as store, store.read() as tx:
        return tx.assets.list()


def all_agree(config: Config, count: int, withdrawn: int = 0) -> None:
    """As many assets as said are protected; each is in the index once, its original whole; nothing is left over."""
    known = [asset for asset in assets(config) if asset.state is AssetState.PROTECTED]
    assert len(known) == count
    assert len(assets(config)) == count + withdrawn
    folder = config.data_dir / "index" / RECIPE
    found = reader.contents(folder, RECIPE, every_byte=True)
    assert sorted(found.numbers) == [asset.number for asset in known]
    assert sorted(found.ids) == sorted(asset.id for asset in known)
    generation = segments.read_generation(folder)
    assert generation is not None
    left = {path.name for path in folder.iterdir()} - {"merge.lock"}
    assert left == {"publish.lock", "generation.json", *generation.segments}
    kept = {path.name for path in (config.data_dir / "originals").rglob("*") if path.is_file()}
    assert {name for name in kept if not name.startswith(".")} == {asset.sha256 for asset in assets(config)}


def test_each_file_is_counted_when_it_was_looked_at_and_told_of_when_it_is_durable(config: Config, mine: Path) -> None:
    (mine / "notes.txt").write_text("no picture")
    paths = [path for path in sorted(mine.rglob("*")) if path.is_file()]
    looked_at: list[int] = []

    async def job(app: App) -> None:
        adding = app.catalog.add([Wanted(path, "press") for path in paths], lambda: looked_at.append(1))
        assert [result.path for result in [await anext(adding)]] == paths[:1]
        assert len(looked_at) == config.catalog.batch, "the first result comes when the whole batch is durable"
        assert len([result async for result in adding]) == len(paths) - 1
        assert len(looked_at) == len(paths)

    run_in_app(config, job)


def test_the_whole_life_of_assets(config: Config, mine: Path, photographs: dict[str, Image.Image]) -> None:
    """Added, known again by their bytes, known as nearly the same, too poor to protect, taken out, added again."""
    again = mine / "again.png"
    again.write_bytes((mine / "coffee.png").read_bytes())
    near = mine / "near.jpg"
    Image.open(mine / "coffee.png").save(near, quality=60)
    plain, small, torn = mine / "plain.png", mine / "small.png", mine / "torn.jpg"
    Image.new("RGB", (400, 300), "white").save(plain)
    photographs["cat"].resize((20, 15)).save(small)
    torn.write_bytes(b"\xff\xd8\xff not a picture")
    absent = mine / "absent.png"

    async def life(app: App) -> None:
        paths = [mine / "coffee.png", again, near, plain, small, torn, absent, mine / "rocket.png"]
        coffee, copy, close, *poor, gone, rocket = await added(app, *paths)
        assert coffee.asset is not None
        assert not coffee.was_known
        assert coffee.asset.path == str(mine / "coffee.png")
        assert copy.was_known
        assert copy.asset == coffee.asset, "the first of several files names the asset"
        assert not close.was_known
        assert close.asset is not None
        assert [asset.id for asset in close.nearly] == [coffee.asset.id]
        assert [result.problem and result.problem.reason for result in poor] == [
            "too_plain",
            "too_small",
            "not_an_image",
        ]
        assert "20 x 15 pixels" in (poor[1].problem.detail if poor[1].problem else "")
        assert all(result.unmatchable and result.asset is None for result in poor)
        assert all(result.problem and result.problem.detail for result in poor)
        assert gone.problem is not None
        assert not gone.unmatchable
        assert (rocket.was_known, rocket.nearly) == (False, ())
        all_agree(config, 3)

        second = await added(app, *paths)
        assert [result.was_known for result in second] == [True, True, True, False, False, False, False, True]
        all_agree(config, 3)
        assert await app.catalog.repair() == 0

        assert await app.catalog.withdraw([coffee.asset.id, coffee.asset.id, "asset_unknown"]) == [coffee.asset]
        (out,) = await added(app, again)
        assert (out.outcome, out.problem) == (AddOutcome.REMOVED, None), "what was taken out stays out"
        assert out.asset is not None
        assert out.asset.id == coffee.asset.id
        all_agree(config, 2, withdrawn=1)

        (back,) = await added(app, again, again=True)
        assert back.asset is not None
        assert not back.was_known
        assert back.asset.id == coffee.asset.id
        assert back.asset.number > rocket.asset.number if rocket.asset else False
        assert back.asset.path == str(again)
        all_agree(config, 3)

    run_in_app(config, life)


def test_rights_given_come_before_those_of_the_file(config: Config, mine: Path) -> None:
    path = mine / "mine.jpg"
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "Ann in the file", "(c) Ann"
    Image.open(mine / "coffee.png").save(path, exif=exif)
    (result,) = add(config, path, rights=Rights(creator="Ann in the list"), tags=("sea", "sun"), title="Tïtle 猫")
    assert result.asset is not None
    assert result.asset.rights == Rights(creator="Ann in the list", copyright_notice="(c) Ann")
    assert (result.asset.title, result.asset.tags) == ("Tïtle 猫", ("sea", "sun"))


def test_every_format_that_is_named_is_read(config: Config, mine: Path) -> None:
    picture = Image.open(mine / "astronaut.png")
    for name in ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF", "BMP"):
        picture.save(mine / f"plain.{name.lower()}")
    picture.convert("CMYK").save(mine / "cmyk.jpg")
    cv2.imwrite(str(mine / "deep.png"), np.asarray(picture).astype(np.uint16)[..., ::-1] * 257)
    names = ["plain.jpeg", "plain.webp", "plain.gif", "plain.avif", "plain.tiff", "plain.bmp", "cmyk.jpg", "deep.png"]
    first, *others = add(config, mine / "plain.png", *(mine / name for name in names))
    assert first.asset is not None
    for name, result in zip(names, others, strict=True):
        assert result.asset is not None, f"{name}: {result.problem}"
        assert result.nearly, f"{name} is seen as the same picture"


def test_names_that_are_no_text(config: Config, mine: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(mine) + b"/d\xfcne\n.png"))
    (mine / "coffee.png").rename(odd)
    (result,) = add(config, odd)
    assert result.asset is not None
    assert result.asset.path == f"{mine}/d\\xfcne\n.png"
    assert result.asset.title == "d\\xfcne\n"
    all_agree(config, 1)


POINTS = {
    "before an original is kept": ("os.rename", "/originals/", 1),
    "kept, one of two": ("os.rename", "/originals/", 2),
    "reserved": ("open", "publish.lock", 1),
    "while a segment is written": ("open", "descriptors.npy", 1),
    "before a segment has its name": ("os.rename", "/aside-", 1),
    "before it is published": ("os.rename", "/generation.json.", 1),
    "published, not yet protected": ("os.listdir", "/index/", 2),
    "in the second batch": ("os.rename", "/aside-", 2),
}


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_adding_then_repeated(config: Config, mine: Path, point: str) -> None:
    event, part, times = POINTS[point]
    paths = [mine / name for name in ("astronaut.png", "coffee.png", "rocket.png")]

    def killed() -> None:
        left = [times]

        def watch(happening: str, arguments: tuple[object, ...]) -> None:
            if happening == event and part in str(arguments[0]):
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        # Python keeps what a full disk has cut off of a compiled module, and cannot import it afterwards.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.addaudithook(watch)
        add(config, *paths)

    assert ended(forked(killed)) == -signal.SIGKILL
    states = {asset.state for asset in assets(config)}
    if point == "published, not yet protected":
        assert states == {AssetState.ADDING}
    assert all(result.asset for result in add(config, *paths))
    all_agree(config, 3)
    numbers = [asset.number for asset in assets(config)]
    assert len(set(numbers)) == 3


def test_disk_full_while_a_segment_is_written(config: Config, mine: Path, tmp_path: Path) -> None:
    """The command ends with one clear line; once there is room, the same command finishes."""
    words = [
        "asset",
        "add",
        str(mine),
        "--collection",
        "press",
        "--config",
        str(config.data_dir.parent / "config.yaml"),
    ]
    said = tmp_path / "said"

    def full() -> None:
        def watch(happening: str, arguments: tuple[object, ...]) -> None:
            if happening == "open" and "/aside-" in str(arguments[0]):
                # As when the disk fills up now.
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        sys.addaudithook(watch)
        sys.argv = ["guardian", *words]
        sys.stderr = said.open("w", buffering=1)
        with pytest.raises(SystemExit) as ending:
            main()
        assert ending.value.code == 4

    assert ended(forked(full)) == 0
    (line,) = said.read_text().splitlines()
    assert line.startswith("guardian: ")
    assert "File too large" in line
    assert [asset.state for asset in assets(config)] == [AssetState.ADDING] * 2
    done = forked_command.guardian(*words)
    assert (done.returncode, done.stderr) == (0, "")
    all_agree(config, 3)


def flip(path: Path, seed: int) -> None:
    whole = bytearray(path.read_bytes())
    whole[int(np.random.default_rng(seed).integers(len(whole)))] ^= 0x10
    path.write_bytes(whole)


def test_any_byte_of_the_index_flipped_is_noticed_and_made_anew(config: Config, mine: Path) -> None:
    folder = config.data_dir / "index" / RECIPE

    async def damage(app: App) -> None:
        await added(app, mine / "coffee.png", mine / "rocket.png")
        content = (mine / "coffee.png").read_bytes()
        before = await app.services.workers.match(content)
        names = sorted(path.name for path in next(folder.glob("segment-*")).iterdir())
        assert len(names) > 10
        for seed, name in enumerate([*names, "generation.json"]):
            (segment,) = folder.glob("segment-*")
            flip(folder / name if name == "generation.json" else segment / name, seed)
            assert await app.catalog.repair() == 2, f"{name} was damaged"
            all_agree(config, 2)
        after = await app.services.workers.match(content)
        assert [match.asset_id for match in after.matches] == [match.asset_id for match in before.matches]

    run_in_app(config, damage)


def test_damage_that_adding_meets_when_it_joins_segments(config: Config, mine: Path) -> None:
    folder = config.data_dir / "index" / RECIPE
    picture = Image.open(mine / "astronaut.png")
    paths = []
    for number in range(FEW + 1):
        paths.append(mine / f"part-{number}.png")
        picture.crop((number * 10, number * 5, number * 10 + 250, number * 5 + 200)).save(paths[-1])

    async def job(app: App) -> list[Added]:
        for path in paths[:-1]:
            await added(app, path)
        flip(next(folder.glob("segment-*")) / "descriptors.npy", 1)
        return await added(app, paths[-1])

    (last,) = run_in_app(config, job)
    assert last.asset is not None
    assert not last.was_known
    all_agree(config, len(paths))


def test_a_missing_index_and_a_missing_original(config: Config, mine: Path) -> None:
    async def job(app: App) -> None:
        first, _ = await added(app, mine / "coffee.png", mine / "rocket.png")
        for path in sorted((config.data_dir / "index").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        told: list[tuple[int, int]] = []
        assert await app.catalog.repair() == 2
        all_agree(config, 2)
        assert await app.catalog.rebuild(lambda done, total: told.append((done, total))) == 2
        assert (told[0], told[-1]) == ((0, 2), (2, 2))
        assert first.asset is not None
        original = next((config.data_dir / "originals").rglob(first.asset.sha256))
        whole = original.read_bytes()
        left_out: list[tuple[str, str]] = []
        for damage in (whole[:-1], None):
            left_out.clear()
            original.write_bytes(damage) if damage else original.unlink()
            (mine / "coffee.png").rename(mine / "away.png")
            assert await app.catalog.rebuild(left_out=lambda asset, why: left_out.append((asset.path, why))) == 1
            ((path, why),) = left_out
            assert path == str(mine / "coffee.png")
            assert "restore" in why or "where it was added from" in why
            report = await app.services.workers.match((mine / "rocket.png").read_bytes())
            assert report.assets_searched == 1, "fewer than are protected, so that answers are partial"

            (mine / "away.png").rename(mine / "coffee.png")
            (again,) = await added(app, mine / "coffee.png")
            assert again.outcome is AddOutcome.KNOWN
            assert original.read_bytes() == whole, "restored by the file that is there again"
            all_agree(config, 2)

    run_in_app(config, job)


def test_taken_out_by_another_process_it_is_out_of_the_next_answer(config: Config, mine: Path) -> None:
    command = ("--config", config.data_dir.parent / "config.yaml", "asset", "remove")

    async def job(app: App) -> None:
        coffee, rocket = await added(app, mine / "coffee.png", mine / "rocket.png")
        assert coffee.asset
        assert rocket.asset
        buffer = io.BytesIO()
        Image.open(mine / "coffee.png").save(buffer, "JPEG", quality=50)
        answers = app.services.workers
        assert (await answers.match(buffer.getvalue())).matches[0].asset_id == coffee.asset.id
        out = await asyncio.to_thread(forked_command.guardian, *command, coffee.asset.id)
        assert out.returncode == 0
        report = await answers.match(buffer.getvalue())
        assert coffee.asset.id not in {match.asset_id for match in report.matches}
        assert report.assets_searched == 1
        assert await app.catalog.repair() == 0

    run_in_app(config, job)


def test_what_is_withdrawn_is_erased_from_the_index(config: Config, mine: Path) -> None:
    """One asset of six in a segment: adding alone would not write that again."""
    paths = sorted(mine.glob("*.png"))
    for path in list(paths):
        paths.append(path.with_stem(f"{path.stem}-part"))
        Image.open(path).crop((0, 0, 250, 200)).save(paths[-1])
    folder = config.data_dir / "index" / RECIPE

    def is_on_disk(asset: Asset) -> bool:
        (ids,) = [path.read_bytes() for path in folder.glob("segment-*/ids.npy")]
        return asset.id.encode() in ids

    async def life(app: App) -> None:
        taken = (await added(app, *paths))[0].asset
        assert taken is not None
        assert await app.catalog.rebuild() == len(paths)
        await app.catalog.withdraw([taken.id])
        await app.catalog.repair()
        assert is_on_disk(taken)
        await prepare(app)
        assert not is_on_disk(taken)
        all_agree(config, len(paths) - 1, withdrawn=1)

        before = segments.read_generation(folder)
        await app.catalog.erase_withdrawn()
        assert segments.read_generation(folder) == before, "nothing is left to erase"

    run_in_app(config, life)


def test_taken_out_while_the_index_is_damaged(config: Config, mine: Path) -> None:
    async def job(app: App) -> None:
        coffee, _ = await added(app, mine / "coffee.png", mine / "rocket.png")
        assert coffee.asset
        flip(config.data_dir / "index" / RECIPE / "generation.json", 3)
        assert await app.catalog.withdraw([coffee.asset.id]) == [coffee.asset]
        assert await app.catalog.repair() == 1

    run_in_app(config, job)


def test_one_process_adds_at_a_time(config: Config, mine: Path) -> None:
    impatient = config.model_copy(update={"catalog": config.catalog.model_copy(update={"wait": timedelta()})})

    async def job(app: App) -> None:
        with hold(config.data_dir, "catalog"):
            with pytest.raises(AlreadyRunning, match="catalog"):
                await added(app, mine / "coffee.png")
            assert await app.catalog.repair() == 0, "whoever adds mends as well"
        assert (await added(app, mine / "coffee.png"))[0].asset

    run_in_app(impatient, job)


def test_adding_waits_while_another_process_adds(config: Config, mine: Path) -> None:
    async def job(app: App) -> None:
        with hold(config.data_dir, "catalog"):
            adding = asyncio.create_task(added(app, mine / "coffee.png"))
            done, _ = await asyncio.wait([adding], timeout=0.5)
            assert not done
        assert (await adding)[0].asset

    run_in_app(config, job)


def test_assets_carry_the_hash_that_other_tools_compare(config: Config, mine: Path) -> None:
    (told,) = add(config, mine / "coffee.png")
    (asset,) = assets(config)
    assert told.asset is not None
    assert told.asset.perceptual_hash == asset.perceptual_hash is not None
    theirs = imagehash.phash(Image.open(mine / "coffee.png"))
    assert imagehash.hex_to_hash(asset.perceptual_hash) - theirs <= 2, "bits of 64"


def test_assets_of_earlier_versions_get_theirs_when_the_index_is_rebuilt(config: Config, mine: Path) -> None:
    add(config, mine / "coffee.png")
    (before,) = assets(config)
    database = sqlite3.connect(config.data_dir / "guardian.db")
    with database:
        database.execute("UPDATE assets SET perceptual_hash = NULL")
    database.close()

    assert run_in_app(config, lambda app: app.catalog.rebuild()) == 1
    assert assets(config) == [before]


def test_an_animation_is_one_asset_of_which_each_frame_is_found(
    config: Config, mine: Path, photographs: dict[str, Image.Image]
) -> None:
    config = config.model_copy(update={"matching": config.matching.model_copy(update={"max_frames": 3})})
    names = ("cat", "astronaut", "rocket", "coffee")
    first, *others = [photographs[name].resize((400, 300)) for name in names]
    shown = mine / "shown.webp"
    first.save(shown, save_all=True, append_images=others, duration=500, quality=90)

    async def found(app: App, name: str) -> list[tuple[str, int | None]]:
        copy = io.BytesIO()
        photographs[name].resize((300, 225)).save(copy, "JPEG", quality=80)
        report = await app.services.workers.match(copy.getvalue())
        return [
            (one.asset_id, one.comparison.asset_frame) for one in report.matches if one.comparison.probability > 0.9
        ]

    async def life(app: App) -> None:
        # The still joins no work of an animation that shows other pictures too.
        animation, still = await added(app, shown, mine / "coffee.png")
        assert animation.not_compared == ("frames from 4 on are not compared: 3 are looked at (matching.max_frames)",)
        assert still.not_compared == ()
        assert animation.asset is not None
        assert animation.versions == still.versions == ()
        id_ = animation.asset.id

        for _ in range(2):
            assert [await found(app, name) for name in names[:3]] == [[(id_, 1)], [(id_, 2)], [(id_, 3)]]
            assert await app.catalog.rebuild() == 2
        await app.catalog.withdraw([id_])
        assert await found(app, "rocket") == []

    run_in_app(config, life)
