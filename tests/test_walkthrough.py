"""The whole job with the real command: protect, watch, find, tell; killed, reloaded, started twice."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests import forked
from tests.cli.home import NO_CAPTURES

SECRET = "GUARDIAN_TEST_SECRET"
COPY_AT = "copy.jpg"


class Watch:
    """A working folder with protected photographs, a page to watch and a receiver to tell."""

    def __init__(self, folder: Path, site: Any, receiver: Any) -> None:
        self.folder, self.site, self.receiver = folder, site, receiver
        self.environment = os.environ | {SECRET: receiver.secrets[0]}
        self._running: list[forked.Daemon | subprocess.Popen[str]] = []

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def configure(self, *sources: str, more: str = "") -> None:
        listed = "".join(f"  - {source}\n" for source in sources) or "  []\n"
        self.config.write_text(
            "fetch:\n  contact: test@example.com\n  allow_networks: [127.0.0.0/8]\n  delay_per_host: 0s\n"
            f"web: {{listen: '127.0.0.1:0'}}\nmatching: {{workers: 1}}\n{NO_CAPTURES}\nsources:\n{listed}"
            "destinations:\n"
            f"  - {{name: legal, kind: webhook, url: '{self.receiver.url}', secret_env: {SECRET}}}\n{more}"
        )

    def guardian(self, *words: str, code: int = 0) -> str:
        """What a command writes, which is forked: see tests/forked.py."""
        done = forked.guardian(*words, "--config", self.config, environment=self.environment)
        assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, *, is_forked: bool = True) -> "forked.Daemon | subprocess.Popen[str]":
        """`guardian run`, until the test ends."""
        words = ("run", "--config", str(self.config))
        process: forked.Daemon | subprocess.Popen[str]
        with (self.folder / f"log-{len(self._running)}").open("w") as log:
            if is_forked:
                process = forked.Daemon(*words, errors=log, environment=self.environment)
            else:
                command = [*forked.GUARDIAN, *words]
                process = subprocess.Popen(command, stdout=log, stderr=log, text=True, env=self.environment)
        self._running.append(process)
        return process

    def events(self, number: int = -1) -> list[dict[str, Any]]:
        """What a daemon has logged so far."""
        at = number if number >= 0 else len(self._running) - 1
        lines = (self.folder / f"log-{at}").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_for_event(self, name: str, seconds: float = 60, **facts: object) -> dict[str, Any]:
        """The first event of this name, with these facts, that the newest daemon logged."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = [event for event in self.events() if event.items() >= ({"event": name} | facts).items()]
            if found:
                return found[0]
            try:
                self._running[-1].wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"the daemon ended: {self.events()}")
        raise AssertionError(f"no {name} in {self.events()}")

    def close(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory, photographs: dict[str, Image.Image]) -> Path:
    """A working folder `watch` and two protected photographs in `mine`, made once: tests copy it."""
    folder = tmp_path_factory.mktemp("protected")
    assert forked.guardian("init", folder / "watch").returncode == 0
    mine = folder / "mine"
    mine.mkdir()
    for name in ("astronaut", "coffee"):
        photographs[name].save(mine / f"{name}.png")
    add = ("asset", "add", mine, "--collection", "portfolio", "--config", folder / "watch" / "config.yaml")
    assert forked.guardian(*add).returncode == 0
    return folder


@pytest.fixture
def watch(
    tmp_path: Path, protected: Path, site: Any, receiver: Any, photographs: dict[str, Image.Image]
) -> Iterator[Watch]:
    """Two photographs are protected; the page shows an edited copy of one, and a stranger."""
    folder = tmp_path / "watch"
    shutil.copytree(protected / "watch", folder)
    width, height = photographs["astronaut"].size
    cut = photographs["astronaut"].crop((0, 0, round(width * 0.8), round(height * 0.8)))
    cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(site.folder / COPY_AT, quality=70)
    photographs["rocket"].save(site.folder / "stranger.jpg")
    one = Watch(folder, site, receiver)
    one.configure(
        f"{{name: gallery, kind: page, url: '{site.page('gallery.html', COPY_AT, 'stranger.jpg')}', every: 1h}}"
    )
    yield one
    one.close()


def test_from_a_folder_of_pictures_to_a_signed_alert(watch: Watch) -> None:
    said = watch.guardian("run", "--once", code=1)
    assert "gallery: completed" in said
    assert "1 copy" in said
    assert "1 clear" in said
    (post,) = watch.receiver.posts
    assert post.signed_by == (0,)
    message = json.loads(post.body)
    assert message["type"] == "case.opened"
    assert "astronaut" in message["data"]["asset"]["title"]
    assert len(post.body) < 20_000
    again = watch.guardian("run", "--once", code=1)
    assert "1 copy" in again
    assert len(watch.receiver.posts) == 1, "the same copy is told once"
    assert watch.guardian("case", "list").count("case_") == 1


def test_killed_between_post_and_mark_the_same_message_comes_again(watch: Watch, answer: Any) -> None:
    watch.receiver.then(answer(way="hang"))
    first = watch.start()
    watch.receiver.wait_for(1, 60)
    first.send_signal(signal.SIGKILL)
    first.wait()
    watch.start()
    before, after = watch.receiver.wait_for(2, 60)
    assert (after.id, after.body) == (before.id, before.body)
    assert after.signed_by == (0,)


def test_a_scan_works_beside_a_daemon_and_sigterm_ends_it_cleanly(watch: Watch) -> None:
    process = watch.start(is_forked=False)
    watch.receiver.wait_for(1, 60)
    watch.wait_for_event("scanned")
    watch.guardian("scan", "gallery", code=1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert watch.events()[-1]["event"] == "stopped"
    watch.guardian("scan", "gallery", code=1)


def test_sighup_reloads_and_a_wrong_configuration_is_passed_over(watch: Watch) -> None:
    process = watch.start()
    watch.receiver.wait_for(1, 60)
    good = watch.config.read_text()
    watch.config.write_text(good + "nonsense: true\n")
    process.send_signal(signal.SIGHUP)
    refused = watch.wait_for_event("reload_refused")
    assert "nonsense" in refused["reason"]
    page = watch.site.page("second.html", COPY_AT)
    watch.config.write_text(
        good.replace("destinations:", f"  - {{name: second, kind: page, url: '{page}'}}\ndestinations:")
    )
    process.send_signal(signal.SIGHUP)
    watch.wait_for_event("reloaded")
    watch.wait_for_event("scanned", source="second")
    assert process.poll() is None


def test_one_failing_source_and_one_hostile_image_stop_nobody(watch: Watch, tmp_path: Path) -> None:
    (watch.site.folder / "hostile.png").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(5000))
    (watch.site.folder / "hostile.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\x00" * 5000)
    page = watch.site.page("mixed.html", "hostile.png", "hostile.jpg", "missing.jpg", COPY_AT)
    watch.configure(
        f"{{name: gone, kind: page, url: '{watch.site.url}/no-such-page.html'}}",
        f"{{name: nowhere, kind: folder, path: '{tmp_path / 'nowhere'}'}}",
        f"{{name: mixed, kind: page, url: '{page}'}}",
    )
    said = watch.guardian("run", "--once", code=1)
    assert "gone: failed" in said
    assert "nowhere: failed" in said
    assert "mixed: completed" in said
    assert "1 copy" in said
    assert "2 unmatchable" in said
    assert len(watch.receiver.accepted) == 1


def test_the_daemon_answers_for_its_health(watch: Watch) -> None:
    watch.start()
    watch.receiver.wait_for(1, 60)
    address = watch.wait_for_event("started")["address"]
    assert httpx.get(f"http://{address}/health").json() == {"status": "alive"}
    assert httpx.get(f"http://{address}/ready").json() == {"ready": True, "problems": {}}
    metrics = httpx.get(f"http://{address}/metrics").text
    assert 'guardian_images_total{outcome="copy",source="gallery"} 1.0' in metrics
    assert "guardian_assets 2.0" in metrics


def test_check_answers_json_lines_in_the_order_of_the_targets(watch: Watch, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "b.txt").write_text("no picture")
    (pictures / "a.jpg").write_bytes((watch.site.folder / COPY_AT).read_bytes())
    targets = [
        f"{watch.site.url}/gallery.html",
        str(pictures),
        f"{watch.site.url}/stranger.jpg",
        str(tmp_path / "none.jpg"),
    ]
    lines = [json.loads(line) for line in watch.guardian("check", "--json", *targets, code=1).splitlines()]
    assert [(line["target"], line["outcome"]) for line in lines] == [
        (targets[0], "copy"),
        (targets[0], "clear"),
        (str(pictures / "a.jpg"), "copy"),
        (str(pictures / "b.txt"), "unmatchable"),
        (targets[2], "clear"),
        (targets[3], "error"),
    ]
    (match,) = lines[0]["matches"]
    assert match["decision"]["action"] == "alert"
    assert match["comparison"]["transform"]["mirrored"] is True
    assert match["asset"]["path"].endswith("/mine/astronaut.png")
    assert lines[0]["page_url"] == targets[0]
    assert watch.receiver.posts == [], "a check tells nobody"
    assert watch.guardian("case", "list").startswith("no cases")
