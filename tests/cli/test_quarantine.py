"""`guardian quarantine` as a person runs it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from guardian.config import load_config
from guardian.matching.workers import Workers
from guardian.model import QuarantinedImage, SkipReason
from guardian.store import open_store
from tests.cli.home import Home, made_home

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WAITING = QuarantinedImage(
    "a" * 64,
    "https://a.example/i.jpg",
    SkipReason.WORKER_KILLED,
    "a worker process was killed (SIGKILL) while it had this image",
    attempts=1,
    failures=0,
    failed_at=NOON,
    retry_at=NOON + timedelta(minutes=10),
)
ASIDE = QuarantinedImage(
    "b" * 64,
    "https://b.example/\x1b[31m.jpg",
    SkipReason.CRASHED,
    "a worker process died on this image, once: it crashed (SIGSEGV)",
    attempts=2,
    failures=3,
    failed_at=NOON + timedelta(hours=1),
    retry_at=NOON + timedelta(hours=2),
)


def home_with(folder: Path, *images: QuarantinedImage) -> Home:
    home = made_home(folder / "home")
    config = load_config(home.folder / "config.yaml")
    recipe = Workers(config.matching, config.embedding, config.data_dir / "index").report_recipe
    store = open_store(config.store, config.data_dir)
    with store.begin() as tx:
        for image in images:
            tx.quarantine.put(image, recipe)
    store.close()
    return home


def test_what_waits_and_what_is_set_aside_is_listed(tmp_path: Path) -> None:
    home = home_with(tmp_path, WAITING, ASIDE)
    assert home.guardian("quarantine", "list").stdout == (
        "bbbbbbbbbbbb  set aside  https://b.example/\ufffd[31m.jpg\n"
        "              failed 2 times, last 2026-11-24 13:00Z: "
        "a worker process died on this image, once: it crashed (SIGSEGV)\n"
        "aaaaaaaaaaaa  tried again after 2026-11-24 12:10Z  https://a.example/i.jpg\n"
        "              failed once, last 2026-11-24 12:00Z: "
        "a worker process was killed (SIGKILL) while it had this image\n"
    )
    aside, waiting = home.lines("quarantine", "list", "--json")
    assert aside == {
        "sha256": "b" * 64,
        "image_url": "https://b.example/\x1b[31m.jpg",
        "state": "set_aside",
        "reason": "crashed",
        "detail": "a worker process died on this image, once: it crashed (SIGSEGV)",
        "attempts": 2,
        "failures": 3,
        "failed_at": "2026-11-24T13:00:00+00:00",
        "retry_at": None,
    }
    assert (waiting["state"], waiting["retry_at"]) == ("waiting", "2026-11-24T12:10:00+00:00")


def test_images_are_freed_by_name_and_all_together(tmp_path: Path) -> None:
    home = home_with(tmp_path, WAITING, ASIDE)
    assert "name the images" in home.guardian("quarantine", "free", code=2).stderr
    assert "no image in quarantine begins" in home.guardian("quarantine", "free", "cc", code=2).stderr
    assert home.guardian("quarantine", "free", "bbbb").stdout.startswith("freed 1 image:")
    assert [image["sha256"] for image in home.lines("quarantine", "list", "--json")] == ["a" * 64]
    assert home.guardian("quarantine", "free", "--all").stdout.startswith("freed 1 image:")
    assert home.guardian("quarantine", "list").stdout == "no image is in quarantine\n"
