"""`guardian run --once`, and what `guardian run` says and refuses. The daemon at work is in test_walkthrough."""

import base64
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from guardian.model import Message, ScanCounts, TaskKind
from tests.cli.home import Home, made_home
from tests.conftest import Answer
from tests.databases import store_in

SECRET = "LEGAL_SECRET"


@pytest.fixture
def watched(own: Home, site: Any, receiver: Any, photographs: dict[str, Image.Image]) -> Home:
    """Two pages, one with a copy and one with a stranger, and somebody to tell."""
    photographs["coffee"].transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(site.folder / "copy.jpg", quality=70)
    photographs["cat"].save(site.folder / "cat.jpg")
    with (own.folder / "config.yaml").open("a") as config:
        config.write(
            f"sources:\n  - {{name: gallery, kind: page, url: '{site.page('gallery.html', 'copy.jpg')}'}}\n"
            f"  - {{name: blog, kind: page, url: '{site.page('blog.html', 'cat.jpg')}'}}\n"
            f"destinations:\n  - {{name: legal, kind: webhook, url: '{receiver.url}', secret_env: {SECRET}}}\n"
        )
    return own


def test_once_scans_every_source_and_sends_what_is_due(watched: Home, receiver: Any) -> None:
    done = watched.guardian("run", "--once", code=1, **{SECRET: receiver.secrets[0]})
    assert done.stdout.splitlines() == [
        "gallery: completed",
        "blog: completed",
        "2 pages, 2 images, compared with 2 protected assets: 1 copy, 1 clear",
    ]
    (post,) = receiver.accepted
    assert post.signed_by == (0,)
    assert '"delivered"' in done.stderr, "logs go to standard error"
    (message,) = watched.lines("delivery", "list", "--json")
    assert message["state"] == "done"
    assert message["webhook_id"] == post.id


def test_once_with_nothing_found_is_0(watched: Home, site: Any, receiver: Any) -> None:
    site.page("gallery.html", "cat.jpg")
    watched.guardian("run", "--once", **{SECRET: receiver.secrets[0]})
    assert receiver.posts == []


def test_once_ends_when_a_receiver_fails_and_keeps_its_message(watched: Home, receiver: Any) -> None:
    # It is tried again at a random moment, which must not lie within this run.
    receiver.then(Answer(500, {"retry-after": "3600"}))
    said = watched.guardian("run", "--once", code=1, **{SECRET: receiver.secrets[0]}).stdout
    assert said.endswith("1 message not delivered yet, 0 given up: `guardian delivery list` says why\n")
    (message,) = watched.lines("delivery", "list", "--json")
    assert (message["state"], message["attempts"]) == ("due", 1)
    assert "500" in message["last_error"]


def test_once_a_failing_source_is_named_and_the_others_are_scanned(watched: Home, site: Any, receiver: Any) -> None:
    (site.folder / "blog.html").unlink()
    said = watched.guardian("run", "--once", code=1, **{SECRET: receiver.secrets[0]}).stdout
    assert "gallery: completed" in said
    assert "blog: failed (" in said
    site.page("gallery.html", "cat.jpg")
    assert "1 clear" in watched.guardian("run", "--once", code=3, **{SECRET: receiver.secrets[0]}).stdout


def test_without_sources_there_is_nothing_to_do_but_deliver(own: Home) -> None:
    assert own.guardian("run", "--once").stdout == "0 images, compared with 2 protected assets: nothing found\n"


def test_a_secret_file_serves_as_well(watched: Home, receiver: Any) -> None:
    config, secret = watched.folder / "config.yaml", watched.folder / "secret"
    config.write_text(config.read_text().replace(f"secret_env: {SECRET}", "secret_file: secret"))
    other = "whsec_" + base64.b64encode(b"a secret for the time of rotation").decode()
    secret.write_text(f"# the new one first\n{other}\n{receiver.secrets[0]}\n")
    secret.chmod(0o600)
    watched.guardian("run", "--once", code=1)
    assert receiver.accepted[0].signed_by == (0,), "the receiver still has the old one"
    assert len(receiver.accepted[0].headers["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize("words", [("run", "--twice"), ("run", "gallery")])
def test_wrong_words_are_2(own: Home, words: tuple[str, ...]) -> None:
    assert "Usage: guardian run" in own.guardian(*words, code=2).stderr


def test_a_source_that_another_process_is_scanning_is_left_to_it(watched: Home, receiver: Any) -> None:
    secret = {SECRET: receiver.secrets[0]}
    store = store_in(watched.folder / "data")
    with store.begin() as tx:
        tx.processes.beat("other", timedelta(minutes=5), host="there", pid=99, command="guardian run")
        running = tx.scans.start("gallery", datetime.now(UTC), "other", timedelta(minutes=5))
    assert "gallery: another process is scanning it" in watched.guardian("run", "--once", **secret).stdout
    refused = watched.guardian("scan", "gallery", code=4).stderr
    assert "gallery is being scanned by process 99 on there (`guardian run`) since 20" in refused
    with store.begin() as tx:
        tx.scans.end(running.id, datetime.now(UTC), "completed", ScanCounts())
    assert "1 copy" in watched.guardian("run", "--once", code=1, **secret).stdout
    with store.read() as tx:
        assert [process.id for process in tx.processes.living()] == ["other"], "those that ended have left"
    store.close()


def test_once_what_failed_while_the_clock_was_a_year_ahead_is_tried_at_once(tmp_path: Path, receiver: Any) -> None:
    home = made_home(
        tmp_path / "home",
        f"destinations:\n  - {{name: legal, kind: webhook, url: '{receiver.url}', secret_env: {SECRET}}}\n",
    )
    now = datetime.now(UTC)
    with closing(store_in(home.folder / "data")) as store, store.begin() as tx:
        tx.messages.add(Message("msg_late", "case.opened", now, b'{"type": "case.opened", "data": {}}'))
        task = tx.tasks.add(TaskKind.DELIVER, "late", due_at=now, at=now, destination="legal", message_id="msg_late")
        assert task is not None
        # As if the clock had been a year ahead when the receiver failed.
        tx.tasks.postpone(task.id, now + timedelta(days=365), "503")
    home.guardian("run", "--once", **{SECRET: receiver.secrets[0]})
    assert [post.id for post in receiver.accepted] == ["msg_late"]
