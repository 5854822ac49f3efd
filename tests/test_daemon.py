"""What the daemon refuses to start with, or to reload. The daemon at work is in test_walkthrough."""

import base64
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from guardian.daemon.health import disk_problem
from tests import forked
from tests.cli.home import Home, made_home

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes for one secret.").decode()
HOOK = "destinations:\n  - {name: legal, kind: webhook, url: 'https://legal.example/', secret_env: LEGAL_SECRET}\n"


class Daemon:
    """`guardian run` over a home; its log is read line by line as it comes."""

    def __init__(self, home: Home) -> None:
        environment = os.environ | {"LEGAL_SECRET": SECRET}
        words = ("run", "--config", home.folder / "config.yaml")
        self.process, self._log = forked.Daemon.heard(*words, environment=environment)

    def until(self, word: str) -> str:
        """The next line of the log that holds this word; fails when the daemon ends before."""
        said = []
        for line in self._log:
            said.append(line)
            if word in line:
                return line
        raise AssertionError(f"it ended before it said {word}: {said}")

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return made_home(tmp_path / "home", f"web: {{listen: '127.0.0.1:0'}}\n{HOOK}")


@pytest.fixture
def daemon(home: Home) -> Iterator[Daemon]:
    one = Daemon(home)
    yield one
    one.close()


@pytest.mark.parametrize("words", [("run",), ("run", "--once")])
def test_a_missing_secret_refuses_the_start_rather_than_keep_every_alert_waiting(
    home: Home, words: tuple[str, ...]
) -> None:
    said = home.guardian(*words, code=2).stderr
    assert "destination legal: environment variable LEGAL_SECRET is not set" in said


@pytest.mark.parametrize("words", [("run",), ("run", "--once")])
def test_without_a_contact_nobody_is_visited(home: Home, words: tuple[str, ...]) -> None:
    (home.folder / "config.yaml").write_text("matching: {workers: 1}\n")
    assert "fetch.contact is not set" in home.guardian(*words, code=2).stderr


def test_a_wrong_rule_refuses_the_start_with_its_place(home: Home) -> None:
    (home.folder / "rules" / "30-mine.yaml").write_text("rules:\n  - {name: mine, when: {}, then: shout}\n")
    assert "30-mine.yaml:2:28: rules.0.then:" in home.guardian("run", code=2, LEGAL_SECRET=SECRET).stderr


def test_a_reload_that_cannot_work_leaves_the_configuration_before_at_work(home: Home, daemon: Daemon) -> None:
    mistakes = {
        "web: {listen: '192.0.2.1:80'}\n" + HOOK: "cannot listen at 192.0.2.1:80",
        "store: {url: 'mysql://db.example/guardian'}\n" + HOOK: "guardian speaks SQLite and PostgreSQL",
        HOOK.replace("LEGAL_SECRET", "ANOTHER"): "environment variable ANOTHER is not set",
        "delivery: {ca_file: missing.pem}\n" + HOOK: "missing.pem",
        "rules_dir: nowhere\n" + HOOK: "no rule file",
        "data_dir: elsewhere\n" + HOOK: "that needs a restart",
    }
    daemon.until('"event": "started"')
    good = (home.folder / "config.yaml").read_text()
    for mistake, said in mistakes.items():
        (home.folder / "config.yaml").write_text(f"fetch: {{contact: test@example.com}}\n{mistake}")
        daemon.reload()
        assert said in daemon.until("reload_refused")
        (home.folder / "config.yaml").write_text(good)
        daemon.reload()
        daemon.until('"event": "reloaded"')
        daemon.until('"event": "started"')

    daemon.process.terminate()
    daemon.until('"event": "stopped"')
    assert daemon.process.wait(60) == 0


def test_a_reload_applies_logging_too(home: Home, daemon: Daemon) -> None:
    assert daemon.until("started").startswith("{"), "json is the default"
    config = home.folder / "config.yaml"
    good = config.read_text()
    config.write_text(f"{good}logging: {{format: text}}\n")
    daemon.reload()
    assert not daemon.until(" started ").startswith("{")

    config.write_text(f"{good}logging: {{format: json, level: warning}}\n")
    daemon.reload()
    daemon.until(" reloaded ")
    config.write_text(good.replace("legal.example", "other.example"))
    daemon.reload()
    # Between the two no event of level info was written: the next is of the third configuration.
    assert '"address"' in daemon.until('"event"')


def test_sigterm_breaks_off_the_rebuilding_of_an_index_and_the_next_start_finishes_it(
    home: Home, tmp_path: Path, photographs: dict[str, Image.Image]
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for number in range(24):
        photographs["coffee"].resize((300, 200)).rotate(number).save(mine / f"{number:02}.jpg")
    home.guardian("asset", "add", mine, "--collection", "press")
    descriptors = next((home.folder / "data" / "index").glob("*/segment-*/descriptors.npy"))
    content = bytearray(descriptors.read_bytes())
    content[len(content) // 2] ^= 1
    descriptors.write_bytes(content)
    daemon = Daemon(home)
    daemon.until("index_rebuilt")
    daemon.process.terminate()
    assert "unfinished" in daemon.until("stopping")
    assert daemon.process.wait(60) == 0
    daemon.close()
    assert "damaged" in home.guardian("index", "verify", code=4).stderr
    home.guardian("run", "--once", LEGAL_SECRET=SECRET)
    assert "the index is sound: 24 assets" in home.guardian("index", "verify").stdout


def test_a_full_disk_is_a_problem_before_it_stops_everything(tmp_path: Path) -> None:
    assert disk_problem(tmp_path, 0) is None
    assert f" are free in {tmp_path}" in str(disk_problem(tmp_path, 10**18))
    # As when its disk was unmounted.
    assert str(disk_problem(tmp_path / "gone")).startswith(f"{tmp_path}/gone: ")


def test_a_scan_that_hangs_is_cut_off_after_the_grace_period_and_is_due_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        page = f"http://127.0.0.1:{silent.getsockname()[1]}/page.html"
        home = made_home(
            tmp_path / "home",
            "web: {listen: '127.0.0.1:0'}\nschedule: {grace_period: 100ms}\n"
            f"sources:\n  - {{name: silent, kind: page, url: '{page}'}}\n",
        )
        daemon = Daemon(home)
        try:
            daemon.until("nobody_is_told")
            silent.settimeout(60)
            visitor, _ = silent.accept()
            daemon.process.terminate()
            assert '"scans_in_flight": 1' in daemon.until("stopping")
            assert '"event": "audit_head"' in daemon.until(":")
            assert '"event": "stopped"' in daemon.until(":"), "and no failure is logged"
            assert daemon.process.wait(60) == 0
            visitor.close()
        finally:
            daemon.close()
    assert "interrupted" in home.guardian("coverage").stdout
