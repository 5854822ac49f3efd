"""The desk over a real socket, with a database of its own and somebody of each role."""

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import httpx
import pytest

from guardian.cli.acting import this_user
from guardian.evidence import Vault
from guardian.model import Person, Role
from guardian.people.passwords import hash_of
from guardian.people.signing_in import begin_session, digest_of
from guardian.store import Store
from guardian.store.ids import new_id
from guardian.web.app import build_app
from guardian.web.desk import Desk
from guardian.web.metrics import Metrics
from guardian.web.serving import serving
from guardian.web.settings import WebSettings
from tests.databases import store_in

PASSWORD = "correct horse battery"


@dataclass
class Served:
    """A desk that answers at `url`."""

    url: str
    desk: Desk

    @property
    def store(self) -> Store:
        return self.desk.store

    def client(self) -> httpx.Client:
        """A browser that nobody has signed in with."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=60)

    def signed_in(self, name: str) -> httpx.Client:
        """A browser in which somebody is signed in; it sends the session's secret with all it sends.

        The session is begun here: to see that a password is the right one takes a tenth of a second of CPU.
        """
        with self.store.begin() as tx:
            found = tx.people.named(name.lower())
            assert found is not None
            secret, session = begin_session(tx, found[0], "127.0.0.1", self.desk.clock())
        client = self.client()
        client.cookies.set("guardian", secret, domain="127.0.0.1")
        client.headers["x-csrf-token"] = session.csrf
        return client

    def signed_in_by_password(self, name: str) -> httpx.Client:
        """The same, by the form and the password of all."""
        client = self.client()
        form = re.search(r'name="form" value="([^"]+)"', client.get("/login").text)
        assert form is not None
        data = {"username": name, "password": PASSWORD, "form": form[1]}
        assert client.post("/login", data=data).status_code == 303
        with self.store.read() as tx:
            session = tx.people.session(digest_of(client.cookies["guardian"]))
        assert session is not None
        client.headers["x-csrf-token"] = session.csrf
        return client


def opened_desk(folder: Path, settings: WebSettings) -> Desk:
    """A desk over a new database in this folder."""
    store = store_in(folder)
    vault = Vault(folder / "evidence", max_bytes=10**9)
    add_people(store)
    return Desk(store, vault, folder, lambda: datetime.now(UTC), settings)


def add_people(store: Store) -> None:
    """Somebody of each role, all with one password, whose hash is made once in this process."""
    at = datetime.now(UTC)
    with store.begin() as tx:
        for name, role in (("Anna", Role.ADMIN), ("Rita", Role.REVIEWER), ("Vera", Role.VIEWER)):
            person = Person(new_id("user"), name, role, at)
            assert tx.people.add(person, _hash())
            tx.audit.add(this_user(), "user.added", person.id, at, {"name": name, "role": role.value})


@lru_cache(maxsize=1)
def _hash() -> str:
    return hash_of(PASSWORD)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A desk on loopback, started once for each file."""
    yield from served_desk(opened_desk(tmp_path_factory.mktemp("desk"), WebSettings()))


def served_desk(desk: Desk) -> Iterator[Served]:
    """Serve a desk on loopback until the body ends, then close its database."""
    metrics = Metrics(desk.store, desk.vault, desk.clock)
    started, stop = threading.Event(), threading.Event()
    address: list[str] = []

    async def serve() -> None:
        app = build_app(metrics, dict, list, desk)
        async with serving(app, "127.0.0.1:0") as at:
            address.append(at)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(60)
    yield Served(f"http://{address[0]}", desk)
    stop.set()
    thread.join()
    desk.store.close()
