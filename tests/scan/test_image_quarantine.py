"""Images whose worker is lost: tried again later, set aside after three failures of their own, freed by a person."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.app import App
from guardian.config import load_config
from guardian.model import Answer, Outcome, QuarantinedImage
from guardian.scan.context import context_of_scan
from guardian.scan.pipeline import check, scan
from guardian.scan.services import Services
from guardian.shipped import rules_folder
from guardian.sources.kinds import open_source
from guardian.sources.settings import FolderSettings
from tests.kept_workers import run_in_app

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOO_SHORT = "timeout: 1ms"
"""For any picture: each attempt ends its worker, as a hang does."""


@pytest.fixture
def pictures(tmp_path: Path, photographs: dict[str, Image.Image]) -> Path:
    """A folder with one picture, to be scanned."""
    shutil.copytree(rules_folder(), tmp_path / "rules")
    folder = tmp_path / "pictures"
    folder.mkdir()
    # Large enough that its worker computes for longer than the shortest limit.
    photographs["rocket"].resize((2400, 1600)).save(folder / "rocket.jpg")
    return folder


def with_app(folder: Path, job: Callable[[App], Coroutine[Any, Any, Any]], matching: str = "timeout: 60s") -> Any:
    path = folder / "config.yaml"
    path.write_text(f"fetch: {{contact: test@example.com}}\nmatching: {{workers: 1, {matching}}}\n")
    return run_in_app(load_config(path), job)


async def scanned(services: Services, folder: Path, at: datetime) -> Answer:
    settings = FolderSettings(name="pictures", kind="folder", path=folder)
    services = replace(services, clock=lambda: at)
    results = scan(services, context_of_scan(services, settings), open_source(settings))
    (answer,) = [result async for result in results if isinstance(result, Answer)]
    return answer


def quarantined(app: App) -> list[QuarantinedImage]:
    with app.store.read() as tx:
        return tx.quarantine.list(app.services.workers.report_recipe)


def reason(answer: Answer) -> str:
    assert answer.problem is not None
    assert answer.outcome is Outcome.ERROR, "no answer sounds clear"
    return answer.problem.reason.value


def test_an_image_that_ends_its_worker_waits_longer_each_time_and_is_set_aside_in_the_end(
    pictures: Path, tmp_path: Path
) -> None:
    async def job(app: App) -> None:
        later = NOON
        for pause in (timedelta(minutes=10), timedelta(hours=1)):
            assert reason(await scanned(app.services, pictures, later)) == "timed_out"
            (waiting,) = quarantined(app)
            assert (waiting.retry_at - later, waiting.is_set_aside) == (pause, False)

            answer = await scanned(app.services, pictures, later + pause / 2)
            assert answer.problem is not None
            assert "tried again at the first scan after 2026-11-24" in answer.problem.detail
            assert quarantined(app) == [waiting], "not tried before its time"
            later = waiting.retry_at

        assert reason(await scanned(app.services, pictures, later)) == "timed_out"
        (aside,) = quarantined(app)
        assert (aside.attempts, aside.failures, aside.is_set_aside) == (3, 3, True)
        assert aside.image_url.endswith("/rocket.jpg")

        answer = await scanned(app.services, pictures, later + timedelta(days=300))
        assert reason(answer) == "set_aside"
        assert answer.problem is not None
        assert f"guardian quarantine free {aside.sha256[:12]}" in answer.problem.detail

    with_app(tmp_path, job, TOO_SHORT)

    async def freed(app: App) -> None:
        # A person who asks is told the same: the answer would cost another worker.
        (asked,) = [one async for one in check(app.services, [str(pictures)]) if isinstance(one, Answer)]
        assert reason(asked) == "set_aside"

        with app.store.begin() as tx:
            assert tx.quarantine.free([quarantined(app)[0].sha256]) == 1
        assert (await scanned(app.services, pictures, NOON)).outcome is Outcome.CLEAR

    with_app(tmp_path, freed)


def test_an_image_that_is_matched_at_last_is_free(pictures: Path, tmp_path: Path) -> None:
    async def fail(app: App) -> None:
        await scanned(app.services, pictures, NOON)
        assert len(quarantined(app)) == 1

    async def succeed(app: App) -> None:
        answer = await scanned(app.services, pictures, NOON + timedelta(minutes=10))
        assert answer.outcome is Outcome.CLEAR
        assert quarantined(app) == []

    with_app(tmp_path, fail, TOO_SHORT)
    with_app(tmp_path, succeed)


def test_a_person_who_asks_does_not_wait_and_leaves_no_trace(pictures: Path, tmp_path: Path) -> None:
    async def fail(app: App) -> None:
        (asked,) = [one async for one in check(app.services, [str(pictures)]) if isinstance(one, Answer)]
        assert reason(asked) == "timed_out"
        assert quarantined(app) == []
        await scanned(app.services, pictures, NOON)

    async def ask(app: App) -> None:
        services = replace(app.services, clock=lambda: NOON)
        (asked,) = [one async for one in check(services, [str(pictures)]) if isinstance(one, Answer)]
        assert asked.outcome is Outcome.CLEAR

    with_app(tmp_path, fail, TOO_SHORT)
    with_app(tmp_path, ask)


def test_a_worker_that_is_killed_in_the_midst_of_a_scan_costs_no_picture(pictures: Path, tmp_path: Path) -> None:
    async def job(app: App) -> None:
        worker = await app.services.workers.run(os.getpid)
        # Stopped, so that it surely has the picture when it is killed.
        os.kill(worker, signal.SIGSTOP)
        scanning = asyncio.create_task(scanned(app.services, pictures, NOON))
        await asyncio.wait({scanning}, timeout=0.5)
        os.kill(worker, signal.SIGKILL)
        assert (await scanning).outcome is Outcome.CLEAR
        assert quarantined(app) == []

    with_app(tmp_path, job)
