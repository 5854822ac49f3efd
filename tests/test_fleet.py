"""Several processes on one database share the sources; when one is killed, the others go on with its work.

On PostgreSQL each daemon has a data folder of its own, as on machines of their own; on SQLite they share one.
"""

import io
import json
import os
import re
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from PIL import Image

from guardian.app import App
from guardian.catalog.wanted import Wanted
from guardian.config import load_config
from guardian.model import TaskKind, TaskState
from guardian.store import Store
from tests import forked
from tests.cli.home import Home, made_home
from tests.kept_workers import run_in_app
from tests.websites import Asked, Says, Site, Wire

SECRET = "FLEET_SECRET"
SOURCES = 6
PAGES = 3
"""Pages of each source beside its start; each shows a picture of its own, and the last a copy."""

LEASE = timedelta(seconds=6)
PATIENCE = 150
"""Seconds; the machine may be busy with other tests."""


class Galleries(Says):
    """/0/ ... /5/ are the starts of galleries; each links to its pages. Who asks first for `held` is held back."""

    def __init__(self, photographs: dict[str, Image.Image]) -> None:
        super().__init__()
        # Copies of two assets, so that there are two cases and two messages.
        self.copies = []
        for name in ("astronaut", "coffee"):
            width, height = photographs[name].size
            self.copies.append(photographs[name].crop((0, 0, round(width * 0.8), round(height * 0.8))))
        self.stranger = photographs["rocket"]
        self.held: str | None = None
        self.is_asked, self.is_free = threading.Event(), threading.Event()

    def say(self, asked: Asked, wire: Wire) -> None:
        if asked.path == self.held:
            # Another one may ask for it at any time: a suspended process loses its scan while this test still waits.
            self.held = None
            self.is_asked.set()
            self.is_free.wait(PATIENCE)
        place = re.fullmatch(r"/(\d)/(?:(page|own)/(\d))?", asked.path)
        if place is None:
            wire.answer(b"", "404 Not Found")
            return
        source, kind, number = place.groups()
        if kind is None:
            wire.answer("".join(f"<a href='/{source}/page/{n}'>{n}</a>" for n in range(PAGES)).encode())
        elif kind == "page":
            wire.answer(f"<img src='/{source}/own/{number}'>".encode())
        else:
            wire.answer(self.picture(int(source), int(number)), content_type="image/jpeg")

    def picture(self, source: int, number: int) -> bytes:
        """Every picture has bytes of its own, so that none is answered by what is remembered of another."""
        out = io.BytesIO()
        shown = self.copies[source % 2] if number == PAGES - 1 else self.stranger
        # Sides differ, or one would be another's rendition.
        shown.resize((300 + 10 * source, 240 + 10 * number)).save(out, "JPEG", quality=60 + source)
        return out.getvalue()


class Daemon:
    """`guardian run` over a home; a thread reads its log as it comes and rings `news` at each line."""

    def __init__(self, home: Home, environment: dict[str, str], news: threading.Condition) -> None:
        words = ("run", "--config", home.folder / "config.yaml")
        self.process, self._log = forked.Daemon.heard(*words, environment=environment)
        self.events: list[dict[str, Any]] = []
        self.said: list[str] = []
        self.has_ended = False
        self._news = news
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._log:
            with self._news:
                self.said.append(line)
                if line.startswith("{"):
                    self.events.append(json.loads(line))
                self._news.notify_all()
        with self._news:
            self.has_ended = True
            self._news.notify_all()

    def heard(self, name: str, **facts: object) -> list[dict[str, Any]]:
        """Events of this name with these facts, so far."""
        wanted = {"event": name} | facts
        return [event for event in self.events if event.items() >= wanted.items()]

    def until(self, name: str, **facts: object) -> dict[str, Any]:
        """The first event of this name with these facts, once it is logged."""
        with self._news:
            self._news.wait_for(lambda: self.heard(name, **facts) or self.has_ended, PATIENCE)
            heard = self.heard(name, **facts)
        assert heard, "".join(self.said)
        return heard[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(60) == 0, "".join(self.said)


class Fleet:
    """Daemons on one database that watch six sources and tell one receiver."""

    def __init__(self, folder: Path, database: str, web: Site, receiver: Any, mine: Path) -> None:
        self.folder, self.database, self.web, self.receiver, self.mine = folder, database, web, receiver, mine
        self.every = "1h"
        self.news = threading.Condition()
        self.daemons: list[Daemon] = []
        self.store = Store(database)
        self.environment = os.environ | {SECRET: receiver.secrets[0]}

    @property
    def shares_a_folder(self) -> bool:
        return self.database.startswith("sqlite")

    def home(self, number: int = 0) -> Home:
        """The data folder of one daemon, made when first asked for."""
        folder = self.folder / ("home" if self.shares_a_folder else f"home-{number}")
        if folder.exists():
            return Home(folder)
        sources = "".join(
            f"  - {{name: s{n}, kind: site, url: '{self.web.url}/{n}/', every: {self.every}}}\n" for n in range(SOURCES)
        )
        return made_home(
            folder,
            f"store: {{url: '{self.database}'}}\nweb: {{listen: '127.0.0.1:0'}}\n"
            f"processes: {{lease: {LEASE.total_seconds():g}s}}\nsources:\n{sources}destinations:\n"
            f"  - {{name: legal, kind: webhook, url: '{self.receiver.url}', secret_env: {SECRET}}}\n",
        )

    def start(self) -> Daemon:
        home = self.home(len(self.daemons))
        config = home.folder / "config.yaml"
        content = config.read_text()
        # Not written anew without need: a daemon that begins just now would read an empty file.
        if (changed := content.replace("every: 1h", f"every: {self.every}")) != content:
            config.write_text(changed)
        daemon = Daemon(home, self.environment, self.news)
        self.daemons.append(daemon)
        return daemon

    def guardian(self, *words: str | Path, code: int | None = 0) -> "subprocess.CompletedProcess[str]":
        return self.home().guardian(*words, code=code, **{SECRET: self.receiver.secrets[0]})

    def whose(self, owner: str | None) -> Daemon:
        """The daemon that an owner's id stands for."""
        with self.store.read() as tx:
            pids = {process.id: process.pid for process in tx.processes.living()}
        (daemon,) = [one for one in self.daemons if one.process.pid == pids[owner or ""]]
        return daemon

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until this is so; asked again whenever a daemon says something."""
        with self.news:
            said = "\n".join("".join(daemon.said) for daemon in self.daemons)
            assert self.news.wait_for(condition, PATIENCE), said

    def suspend_outside_of_writes(self, daemon: "Daemon") -> None:
        """Suspend a daemon, but not in the midst of a write: others would wait for what it has locked."""
        with self.store.begin():
            # On SQLite this transaction is the only one that writes, and lasts until the process stands still.
            daemon.process.suspend()
        while self.is_a_transaction_left_open():
            daemon.process.send_signal(signal.SIGCONT)
            daemon.process.suspend()

    def is_a_transaction_left_open(self) -> bool:
        """Whether somebody's transaction on PostgreSQL stands open for a second; a living process is quicker."""
        if self.store.url.get_backend_name() == "sqlite":
            return False
        url = self.store.url.set(drivername="postgresql").render_as_string(hide_password=False)
        query = (
            "SELECT count(*), coalesce(bool_or(state_change < clock_timestamp() - interval '1 second'), false) "
            "FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(url, autocommit=True) as connection:
            while True:
                row = connection.execute(query).fetchone()
                assert row is not None
                open_now, is_old = row
                if is_old or not open_now:
                    return bool(is_old)

    def until_each_is_scanned(self, times: int = 1) -> None:
        self.until(lambda: all(len(self.completed(f"s{source}")) >= times for source in range(SOURCES)))

    def completed(self, source: str) -> list[Any]:
        with self.store.read() as tx:
            return [scan for scan in tx.scans.list(source) if scan.outcome == "completed"]

    def all_is_told(self) -> bool:
        with self.store.read() as tx:
            return {task.state for task in tx.tasks.list()} == {TaskState.DONE}

    def count_at_the_end(self) -> None:
        """Stop the daemons that live; then everything was answered and told, once, and nothing is left claimed."""
        self.until(self.all_is_told)
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.stop()

        with self.store.read() as tx:
            tasks, findings, scans = tx.tasks.list(), tx.findings.list(), tx.scans.list()
            assert tx.processes.living() == [], "whoever ended left the list"
        assert [task for task in tasks if task.state is not TaskState.DONE or task.leased_until or task.owner] == []
        assert [scan for scan in scans if scan.ended_at is None] == []
        copies = {f"/{source}/own/{PAGES - 1}" for source in range(SOURCES)}
        assert sorted(finding.image_url.removeprefix(self.web.url) for finding in findings) == sorted(copies)

        bodies = {post.id: post.body for post in self.receiver.posts}
        owed = [task for task in tasks if task.kind is TaskKind.DELIVER]
        assert len(bodies) == len(owed), "every message was delivered under an id of its own"
        assert all(bodies[post.id] == post.body for post in self.receiver.posts), "repeats are the same message"

        for source in range(SOURCES):
            (scan,) = self.completed(f"s{source}")
            words = scan.counts.as_words()
            answered = sum(words.get(word, 0) for word in ("clear", "copy", "review"))
            assert (words["pages"], answered) == (PAGES + 1, PAGES), f"s{source}: {words}"

    def close(self) -> None:
        for daemon in self.daemons:
            daemon.kill()
        self.store.close()


@pytest.fixture
def galleries(web: Site, photographs: dict[str, Image.Image]) -> Iterator[Galleries]:
    made = Galleries(photographs)
    web.put("*", made)
    yield made
    made.is_free.set()


@pytest.fixture
def fleet(
    tmp_path: Path, database: str, web: Site, galleries: Galleries, receiver: Any, photographs: dict[str, Image.Image]
) -> Iterator[Fleet]:
    """Two photographs are protected, by this process in the first daemon's data folder."""
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in ("astronaut", "coffee"):
        photographs[name].save(mine / f"{name}.png", compress_level=1)
    one = Fleet(tmp_path, database, web, receiver, mine)

    async def protect(app: App) -> None:
        wanted = [Wanted(file, "press") for file in sorted(mine.iterdir())]
        assert all([added.asset is not None async for added in app.catalog.add(wanted)])

    run_in_app(load_config(one.home().folder / "config.yaml"), protect)
    yield one
    one.close()


def test_two_share_the_sources_and_one_killed_in_a_scan_is_taken_over(fleet: Fleet, galleries: Galleries) -> None:
    galleries.held = "/3/page/1"
    for daemon in [fleet.start(), fleet.start()]:
        daemon.until("started")
    assert galleries.is_asked.wait(PATIENCE)
    with fleet.store.read() as tx:
        running_scan = tx.scans.last("s3")
    assert running_scan is not None
    killed = fleet.whose(running_scan.owner)
    killed.kill()
    galleries.is_free.set()
    (survivor,) = [daemon for daemon in fleet.daemons if daemon is not killed]
    survivor.until("took_over", processes=1)
    fleet.until_each_is_scanned()
    fleet.count_at_the_end()
    outcomes = Counter(scan.outcome for scan in _scans(fleet))
    assert outcomes["completed"] == SOURCES
    assert 1 <= outcomes["interrupted"] <= SOURCES, "what the killed one was at, and nothing of the survivor's"
    assert not survivor.heard("scan_failed")
    assert not survivor.heard("scan_taken_over")


def test_of_three_one_killed_between_post_and_mark_loses_no_message(fleet: Fleet, answer: Any) -> None:
    fleet.receiver.then(answer(way="hang"))
    for daemon in [fleet.start(), fleet.start(), fleet.start()]:
        daemon.until("started")
    fleet.receiver.wait_for(1, PATIENCE)
    with fleet.store.read() as tx:
        (posted,) = [task for task in tx.tasks.list(TaskKind.DELIVER) if task.owner is not None]
    killed = fleet.whose(posted.owner)
    killed.kill()
    fleet.until_each_is_scanned()
    fleet.until(lambda: any(daemon.heard("took_over", processes=1) for daemon in fleet.daemons))
    fleet.count_at_the_end()
    again = Counter(post.id for post in fleet.receiver.posts)
    assert sorted(again.values()) == [1, 2], "only what was being posted came twice"


def test_one_interval_gives_one_scan_however_many_daemons_there_are(fleet: Fleet) -> None:
    fleet.every = "5s"
    fleet.start()
    fleet.start()
    fleet.until_each_is_scanned(times=4)
    for source in (f"s{number}" for number in range(SOURCES)):
        starts = sorted(scan.started_at for scan in fleet.completed(source))
        # A scan may begin late, when others have their turn first, and the next one in time again.
        assert len(starts) <= (starts[-1] - starts[0]) / timedelta(seconds=5) + 2, f"{source}: {starts}"


def test_one_that_was_suspended_past_its_lease_finds_its_scan_taken_over_and_does_no_harm(
    fleet: Fleet, galleries: Galleries
) -> None:
    galleries.held = "/3/page/1"
    for daemon in [fleet.start(), fleet.start()]:
        daemon.until("started")
    assert galleries.is_asked.wait(PATIENCE)
    with fleet.store.read() as tx:
        cut_off = tx.scans.last("s3")
    assert cut_off is not None
    suspended = fleet.whose(cut_off.owner)
    (other,) = [daemon for daemon in fleet.daemons if daemon is not suspended]
    fleet.suspend_outside_of_writes(suspended)
    other.until("took_over", processes=1)
    other.until("scanned", source="s3")
    suspended.process.send_signal(signal.SIGCONT)
    galleries.is_free.set()
    said = suspended.until("scan_taken_over", source="s3")["reason"]
    assert "another process has taken over" in said
    fleet.until_each_is_scanned()
    fleet.count_at_the_end()


def test_commands_work_beside_a_daemon_that_is_scanning(
    fleet: Fleet, galleries: Galleries, photographs: dict[str, Image.Image]
) -> None:
    galleries.held = "/3/page/1"
    daemon = fleet.start()
    assert galleries.is_asked.wait(PATIENCE)
    refused = fleet.guardian("scan", "s3", code=4).stderr
    assert f"s3 is being scanned by process {daemon.process.pid} on " in refused
    assert "(`guardian run`) since 20" in refused
    fleet.until(lambda: fleet.completed("s0"))
    assert "1 copy" in fleet.guardian("scan", "s0", code=1).stdout, "another source is free"
    assert "1 copy" in fleet.guardian("check", f"{fleet.web.url}/1/own/{PAGES - 1}", code=1).stdout
    photographs["rocket"].save(fleet.mine / "rocket.png")
    assert "1 protected" in fleet.guardian("asset", "add", fleet.mine / "rocket.png", "--collection", "press").stdout
    fleet.guardian("licence", "add", "--host", "customer.example", "--collection", "press")
    assert "customer.example" in fleet.guardian("licence", "list").stdout
    assert "COPY" in fleet.guardian("check", f"{fleet.web.url}/1/own/0", code=1).stdout
    galleries.is_free.set()
    daemon.until("scanned", source="s3")
    daemon.stop()
    assert not daemon.heard("scan_failed")


def _scans(fleet: Fleet) -> list[Any]:
    with fleet.store.read() as tx:
        return tx.scans.list()
