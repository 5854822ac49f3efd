"""Real worker processes: what happens to one stays with it, and none outlives its parent."""

import asyncio
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from guardian.errors import IndexNotReady, NotAnImage, OverLimit, TooPlain, WorkerLost, WorkersUnavailable
from guardian.matching.index.writer import IndexWriter
from guardian.matching.matcher import Matcher
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from tests.kept_workers import kept
from tests.matching import jobs
from tests.matching.features.test_image import png_that_says
from tests.matching.pictures import encoded, noise, photograph

ROOT = Path(__file__).resolve().parents[2]
COFFEE = encoded(photograph("coffee", 400))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where jobs note their process ids."""
    return tmp_path / "pids"


def noted(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()]


def with_workers(folder: Path, test: Callable[[Workers], Awaitable[Any]], **settings: Any) -> Any:
    """Run a test in an event loop of its own: the workers end with it."""
    chosen = MatchingSettings(**{"workers": 2, **settings})

    async def run() -> Any:
        return await test(Workers(chosen, EmbeddingSettings(), folder / "index"))

    return anyio.run(run)


def with_kept_workers(folder: Path, test: Callable[[Workers], Awaitable[Any]]) -> Any:
    """Run a test that does its workers no harm: they stay for the next one."""

    async def run() -> Any:
        return await test(Workers(MatchingSettings(workers=2), EmbeddingSettings(), folder / "index", kept().pool))

    return kept().run(run())


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone_within(descriptor: int, seconds: float) -> bool:
    """Wait for the end of a process that need not be our child."""
    ready = select.select([descriptor], [], [], seconds)[0]
    os.close(descriptor)
    return bool(ready)


def test_a_crash_is_tried_once_more_in_another_process(tmp_path: Path, log: Path) -> None:
    async def test(workers: Workers) -> None:
        with pytest.raises(WorkerLost, match=r"twice: it crashed \(SIGSEGV\)") as caught:
            await workers.run(jobs.crash, log)
        assert (caught.value.reason, caught.value.failures) == ("crashed", 2)
        assert await workers.run(os.getpid) not in noted(log)

    with_workers(tmp_path, test)
    first, second = noted(log)
    assert first != second
    assert not is_running(first)
    assert not is_running(second)


def test_a_crash_that_does_not_come_again_costs_nothing(tmp_path: Path, log: Path) -> None:
    async def test(workers: Workers) -> int:
        return await workers.run(jobs.crash_at_first, log)

    survivor = with_workers(tmp_path, test)
    assert noted(log)[1:] == [survivor]


def test_a_worker_that_was_killed_costs_its_image_nothing(tmp_path: Path, log: Path) -> None:
    """By a person, or by the kernel for want of memory: the image is tried again after a pause."""

    async def test(workers: Workers) -> int:
        return await workers.run(jobs.be_killed, log, 1)

    survivor = with_workers(tmp_path, test)
    assert noted(log)[1:] == [survivor]


def test_workers_that_are_killed_again_and_again_are_no_fault_of_the_image(tmp_path: Path, log: Path) -> None:
    async def test(workers: Workers) -> None:
        with pytest.raises(WorkerLost, match=r"a worker process was killed \(SIGKILL\)") as caught:
            await workers.run(jobs.be_killed, log, 9)
        assert caught.value.reason == "worker_killed"
        assert caught.value.failures == 0

    with_workers(tmp_path, test)
    assert len(noted(log)) == 3


def test_an_image_whose_worker_was_killed_is_tried_again_with_no_other_beside_it(tmp_path: Path, log: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    async def test(workers: Workers) -> None:
        neighbour = asyncio.create_task(workers.run(jobs.wait_at, gate))
        with await asyncio.to_thread(gate.open, "wb"):
            # The second worker is ready: it dies at once.
            await workers.run(os.getpid)
            killed = asyncio.create_task(workers.run(jobs.be_killed, log, 1))
            while not (log.exists() and noted(log)):
                await asyncio.wait({killed}, timeout=0.05)
            # Longer than the pause before the second attempt.
            await asyncio.wait({killed}, timeout=2)
            assert len(noted(log)) == 1
        await neighbour
        survivor = await killed
        assert noted(log)[1:] == [survivor]

    with_workers(tmp_path, test)


def test_an_exit_is_told_from_a_crash(tmp_path: Path, log: Path) -> None:
    async def test(workers: Workers) -> None:
        with pytest.raises(WorkerLost, match="twice: it ended by itself with exit code 7") as left:
            await workers.run(jobs.leave, log, 7)
        assert left.value.failures == 2

    with_workers(tmp_path, test)


def test_an_idle_worker_that_is_killed_concerns_no_image(tmp_path: Path) -> None:
    async def test(workers: Workers) -> None:
        idle = await workers.run(os.getpid)
        descriptor = os.pidfd_open(idle)
        os.kill(idle, signal.SIGKILL)
        assert gone_within(descriptor, 60)
        assert await workers.run(os.getpid) != idle

    with_workers(tmp_path, test)


def test_what_libraries_write_and_read_disturbs_no_answer(tmp_path: Path) -> None:
    async def test(workers: Workers) -> int:
        return await workers.run(jobs.chatter)

    assert with_kept_workers(tmp_path, test) == 9


def test_a_system_that_allows_no_process_is_no_fault_of_the_image(tmp_path: Path) -> None:
    async def test(workers: Workers) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(WorkersUnavailable, match="no worker process can be started: Too many open files"):
                await workers.run(os.getpid)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert await workers.run(os.getpid) > 0

    with_workers(tmp_path, test)


def test_a_crash_leaves_others_in_flight_alone(tmp_path: Path, log: Path) -> None:
    """The neighbour works before, during and after the crash, in one process."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    waited: list[int] = []

    async def wait(workers: Workers) -> None:
        waited.append(await workers.run(jobs.wait_at, gate))

    async def test(workers: Workers) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(wait, workers)
            door = await anyio.to_thread.run_sync(lambda: gate.open("wb"))
            with pytest.raises(WorkerLost, match="died on this image, twice"):
                await workers.run(jobs.crash, log)
            assert waited == []
            door.close()

    with_workers(tmp_path, test)
    assert len(waited) == 1
    assert waited[0] not in noted(log)
    assert len(set(noted(log))) == 2


def test_a_hang_ends_at_its_limit_and_so_does_the_worker(tmp_path: Path, log: Path) -> None:
    async def test(workers: Workers) -> None:
        await workers.run(os.getpid)
        started = time.monotonic()
        with pytest.raises(WorkerLost, match=r"more than 0\.1 s") as caught:
            await workers.run(jobs.spin, log)
        assert time.monotonic() - started < 60
        assert (caught.value.reason, caught.value.failures) == ("timed_out", 1)
        (hung,) = noted(log)
        assert not is_running(hung)
        assert await workers.run(os.getpid) != hung

    with_workers(tmp_path, test, timeout=timedelta(seconds=0.1), workers=1)


def test_a_worker_that_gets_no_cpu_has_more_time_and_is_no_fault_of_the_image(tmp_path: Path, log: Path) -> None:
    async def test(workers: Workers) -> None:
        await workers.run(os.getpid)
        started = time.monotonic()
        with pytest.raises(WorkerLost, match="the machine is too busy; run it again") as caught:
            await workers.run(jobs.hang, log)
        assert 10 <= time.monotonic() - started < 60
        assert (caught.value.reason, caught.value.failures) == ("timed_out", 0)

    with_workers(tmp_path, test, timeout=timedelta(seconds=0.5))
    assert len(noted(log)) == 1, "it is not tried again"


def test_loading_is_not_charged_to_the_first_image(tmp_path: Path) -> None:
    """A worker needs longer to start than this limit."""

    async def test(workers: Workers) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(workers.run, os.getpid)

    with_workers(tmp_path, test, timeout=timedelta(seconds=0.6))


def test_never_more_at_once_than_there_are_workers(tmp_path: Path) -> None:
    seen: list[int] = []

    async def one(workers: Workers) -> None:
        seen.append(await workers.run(os.getpid))

    async def test(workers: Workers) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(one, workers)

    with_kept_workers(tmp_path, test)
    assert len(seen) == 12
    assert len(set(seen)) <= 2


def test_a_cancelled_caller_ends_its_worker(tmp_path: Path, log: Path) -> None:
    async def test(workers: Workers) -> None:
        os.mkfifo(log)
        async with anyio.create_task_group() as group:
            group.start_soon(workers.run, jobs.hang, log)
            pid = int((await anyio.to_thread.run_sync(log.read_bytes)).strip())
            descriptor = os.pidfd_open(pid)
            group.cancel_scope.cancel()
        assert gone_within(descriptor, 60)

    with_workers(tmp_path, test)


def test_eating_memory_fails_that_job_only(tmp_path: Path) -> None:
    async def test(workers: Workers) -> None:
        worker = await workers.run(os.getpid)
        with pytest.raises(MemoryError):
            await workers.run(jobs.eat, 3 * 1024**3)
        assert await workers.run(os.getpid) == worker

    with_workers(tmp_path, test, workers=1, max_memory=2 * 1024**3)


def test_a_picture_that_needs_too_much_memory_is_over_the_limit(tmp_path: Path) -> None:
    bomb = png_that_says(25_000, 25_000)

    async def test(workers: Workers) -> None:
        worker = await workers.run(os.getpid)
        with pytest.raises(OverLimit, match="max_memory"):
            await workers.fingerprint(bomb)
        assert (await workers.fingerprint(COFFEE)).width == 400
        assert await workers.run(os.getpid) == worker

    with_workers(tmp_path, test, workers=1, max_memory=2 * 1024**3, max_pixels=10**9)


def test_limits_hold_before_the_first_job(tmp_path: Path) -> None:
    """Whatever the first job is: reading metadata of a hostile file is one too."""

    async def test(workers: Workers) -> None:
        assert await workers.run(jobs.limit_of_memory) == 3 * 1024**3
        assert await workers.run(jobs.ignored_signals) == {signal.SIGINT, signal.SIGHUP}

    with_workers(tmp_path, test, workers=1, max_memory=3 * 1024**3)


def test_workers_die_with_a_parent_that_is_killed(tmp_path: Path, log: Path) -> None:
    os.mkfifo(log)
    program = [sys.executable, "-m", "tests.matching.starts_workers", str(log), "2"]
    parent = subprocess.Popen(program, cwd=ROOT)
    try:
        pids: list[int] = []
        while len(pids) < 2:
            pids += [int(line) for line in log.read_bytes().split()]
        watched = [os.pidfd_open(pid) for pid in pids]
        assert all(is_running(pid) for pid in pids)
    finally:
        parent.kill()
        parent.wait()
    gone = [gone_within(descriptor, 10) for descriptor in watched]
    assert gone == [True, True]


def test_a_decoder_may_complain_for_ever(tmp_path: Path) -> None:
    """libtiff does so on standard error, for each strip of a broken file; nobody reads that pipe."""

    async def test(workers: Workers) -> None:
        assert await workers.run(jobs.complain, 1 << 22) == 1 << 22

    with_workers(tmp_path, test, timeout=timedelta(seconds=5))


def test_reasons_arrive_from_workers(tmp_path: Path) -> None:
    async def test(workers: Workers) -> None:
        with pytest.raises(NotAnImage, match="HTML") as caught:
            await workers.match(b"<html>")
        assert caught.value.reason == "not_an_image"
        with pytest.raises(TooPlain):
            await workers.fingerprint(encoded(noise(1, 8, 8), "PNG"))

    with_kept_workers(tmp_path, test)


def test_a_damaged_index_arrives_from_workers_and_hinders_no_fingerprint(tmp_path: Path) -> None:
    """A damaged index is made anew from fingerprints."""

    async def test(workers: Workers) -> None:
        workers.index_folder.mkdir(parents=True)
        (workers.index_folder / "generation.json").write_text("{")
        with pytest.raises(IndexNotReady, match="damaged"):
            await workers.match(COFFEE)
        with pytest.raises(IndexNotReady, match="damaged"):
            await workers.warm()
        assert len((await workers.fingerprint(COFFEE)).points) > 100

    with_kept_workers(tmp_path, test)


def test_answers_are_those_of_the_matcher_and_follow_the_index(tmp_path: Path, settings: MatchingSettings) -> None:
    async def test(workers: Workers) -> None:
        await workers.warm()
        assert (await workers.match(COFFEE)).matches == ()
        entry = (1, "coffee", await workers.fingerprint(COFFEE))
        IndexWriter(workers.index_folder, workers.index_recipe).publish([entry])
        report = await workers.match(COFFEE)
        assert [match.asset_id for match in report.matches] == ["coffee"]
        assert report == Matcher(settings, None, tmp_path / "index").match(COFFEE)
        assert report.recipe == workers.report_recipe
        assert (await workers.match(COFFEE, newer_than=1)).matches == ()

    with_kept_workers(tmp_path, test)


def test_missing_weights_are_told_and_matching_goes_on(tmp_path: Path) -> None:
    async def test() -> None:
        chosen = EmbeddingSettings(model="ViT-B-32", weights=str(tmp_path / "nowhere.pt"))
        workers = Workers(MatchingSettings(workers=1), chosen, tmp_path / "index")
        assert workers.without_descriptor is not None
        assert "nowhere.pt" in workers.without_descriptor
        assert workers.index_recipe.endswith("-none")
        assert (await workers.fingerprint(COFFEE)).embedding is None

    anyio.run(test)


def test_nought_means_one_for_each_processor(tmp_path: Path) -> None:
    assert Workers(MatchingSettings(workers=0), EmbeddingSettings(), tmp_path).count == os.cpu_count()
    assert Workers(MatchingSettings(workers=3), EmbeddingSettings(), tmp_path).count == 3


def test_without_a_descriptor_the_parent_loads_nothing_that_looks_at_pixels(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nimport guardian.app\n"
        "from guardian.matching.settings import EmbeddingSettings, MatchingSettings\n"
        f"guardian.app.Workers(MatchingSettings(), EmbeddingSettings(), Path({str(tmp_path)!r}))\n"
        "heavy = {'cv2', 'numpy', 'numba', 'PIL', 'scipy', 'torch', 'alembic', 'apscheduler', 'fastapi', 'uvicorn'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stdout == "heavy: []\n", ran.stdout + ran.stderr
