"""The exchanges of a use: what the site sent, byte by byte, in a WACZ that viewers can replay."""

import asyncio
import gzip
import hashlib
import json
import ssl
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from warcio.archiveiterator import ArchiveIterator

from guardian.evidence.capture_folder import opened_capture_folder
from guardian.evidence.exchanges import Exchanges, keep_exchanges, site_of, take_exchanges
from guardian.evidence.page_visit import ExchangeServices
from guardian.evidence.step_result import combined
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.evidence.wacz import WaczFacts, surt, write_wacz
from guardian.fetch.credentials import Credentials
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from guardian.model import Comparison
from guardian.urls.addresses import canonical_url
from tests.databases import store_in
from tests.evidence.comparisons import subject_of
from tests.fetch.conftest import patient
from tests.websites import GIF, Raw, Redirect, Says, Site, Status, running

PAGE = """<!doctype html><html><head><title>Beautiful \u202eprints</title>
<link rel=stylesheet href=/style.css></head><body>
<img src=/thief.gif alt=stolen><img src=/other.gif srcset="/other-big.gif 2x"><img src=/missing.gif></body></html>"""
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Captured:
    """What one capture left: its result, and the bytes of its files by their names."""

    exchanges: Exchanges
    files: dict[str, bytes]

    @property
    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.files["exchanges.json"])
        return found

    @property
    def left_out(self) -> dict[str, str]:
        return {one.name: one.reason for one in self.exchanges.taken.not_taken}


@pytest.fixture
def site() -> Iterator[Site]:
    yield from running()


@pytest.fixture
def subject(site: Site, tmp_path: Path) -> CaptureSubject:
    """A use on a page of the site, whose picture was kept when it was found."""
    site.put("/", Says(gzip.compress(PAGE.encode()), content_type="text/html", content_encoding="gzip"))
    site.put("/style.css", Says("body { background: url(/back.gif) }", content_type="text/css"))
    site.put("/thief.gif", Redirect("/cdn/thief.gif"))
    site.put("/cdn/thief.gif", Raw(CHUNKED % (len(GIF), GIF)))
    for name in ("other", "other-big", "back"):
        site.put(f"/{name}.gif", Says(GIF + name.encode(), content_type="image/gif"))
    site.put("/missing.gif", Status("404 Not Found"))

    original = tmp_path / "original.gif"
    original.write_bytes(GIF)
    found = subject_of(original, Vault(tmp_path / "evidence", 10**9), GIF, Comparison(0.99))
    finding = replace(
        found.finding, page_url=canonical_url(site.url + "/"), image_url=canonical_url(site.url + "/thief.gif")
    )
    return replace(found, finding=finding)


def taken(
    subject: CaptureSubject,
    folder: Path,
    max_requests: int = 60,
    max_bytes: int = 10**8,
    for_person: bool = True,
    is_of_absence: bool = False,
    beside: Sequence[str] = (),
    credentials: Credentials | None = None,
) -> Captured:
    """Capture a use, and in the end the pages `beside` it."""

    async def go() -> Captured:
        clock = lambda: datetime.now(UTC)  # noqa: E731
        store = store_in(folder)
        try:
            async with WebClient(patient(), clock=clock) as web:
                vault = Vault(folder / "evidence", 10**9)
                services = ExchangeServices(
                    Fetcher.for_scan(web, credentials), store, vault, clock, max_requests, for_person, is_of_absence
                )
                with opened_capture_folder(folder, max_bytes) as captured:
                    exchanges = await take_exchanges(subject, captured, services)
                    for url in beside:
                        await site_of(exchanges, services.fetcher).get(url, kind="page")
                    kept = await keep_exchanges(exchanges, captured)
                    exchanges = replace(exchanges, taken=combined(exchanges.taken, kept))
                    return Captured(exchanges, {one.name: captured.path_of(one).read_bytes() for one in captured.files})
        finally:
            store.close()

    return asyncio.run(go())


def records(wacz: bytes, folder: Path) -> list[tuple[str, str, str, bytes]]:
    """Return type, address, protocol line and payload of each record, each checked against its digests."""
    (folder / "read.wacz").write_bytes(wacz)
    with zipfile.ZipFile(folder / "read.wacz") as archive, archive.open("archive/data.warc.gz") as file:
        found = []
        for record in ArchiveIterator(file, check_digests="raise"):
            line = record.http_headers.statusline if record.http_headers else ""
            content = record.content_stream().read()
            found.append((record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), line, content))
        return found


def test_each_exchange_of_a_page_is_in_the_warc_as_it_was(site: Site, subject: CaptureSubject, tmp_path: Path) -> None:
    captured = taken(subject, tmp_path)
    answers = {
        url: (line[:3], body)
        for kind, url, line, body in records(captured.files["page.wacz"], tmp_path)
        if kind == "response"
    }
    assert answers[f"{site.url}/"] == ("200", PAGE.encode())
    assert answers[f"{site.url}/thief.gif"][0] == "302"
    assert answers[f"{site.url}/cdn/thief.gif"] == ("200", GIF)
    assert answers[f"{site.url}/style.css"][1].startswith(b"body")
    assert answers[f"{site.url}/other-big.gif"] == ("200", GIF + b"other-big")
    assert answers[f"{site.url}/back.gif"] == ("200", GIF + b"back")
    assert answers[f"{site.url}/missing.gif"][0] == "404"

    requests = [url for kind, url, _, _ in records(captured.files["page.wacz"], tmp_path) if kind == "request"]
    assert sorted(requests) == sorted(answers)
    assert captured.files["picture.gif"] == GIF
    assert captured.exchanges.page is not None
    assert captured.exchanges.image is not None
    assert {one.content for one in captured.exchanges.pictures} >= {GIF + b"other", GIF + b"back"}
    assert captured.left_out == {f"{site.url}/missing.gif": "the site answered 404"}
    assert captured.exchanges.unreachable is None


def test_what_is_known_of_connections_can_be_read_without_a_viewer(
    site: Site, subject: CaptureSubject, tmp_path: Path
) -> None:
    captured = taken(subject, tmp_path)
    picture = next(one for one in captured.listed if one["url"].endswith("/cdn/thief.gif"))
    raw = CHUNKED % (len(GIF), GIF)
    assert picture["response_sha256"] == hashlib.sha256(raw).hexdigest()
    assert picture["headers"] == [["Content-Type", "image/gif"], ["Transfer-Encoding", "chunked"]]
    assert (picture["status"], picture["remote_address"], picture["remote_port"]) == (200, "127.0.0.1", site.port)
    assert picture["request"].startswith("GET /cdn/thief.gif HTTP/1.1\r\n")
    assert f"referer: {site.url}/" in picture["request"].lower()
    assert picture["began_at"] <= picture["ended_at"]
    assert (picture["tls_version"], picture["certificates_sha256"], picture["incomplete"]) == (None, [], None)


def test_the_wacz_is_whole_and_its_index_leads_to_each_answer(
    site: Site, subject: CaptureSubject, tmp_path: Path
) -> None:
    """What `wacz validate` checks, and beyond it that each line of the index leads to its record."""
    path = tmp_path / "page.wacz"
    path.write_bytes(taken(subject, tmp_path).files["page.wacz"])
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
        content = {name: archive.read(name) for name in archive.namelist()}

    package = json.loads(content["datapackage.json"])
    assert (package["profile"], package["wacz_version"]) == ("data-package", "1.1.1")
    assert {one["path"] for one in package["resources"]} == set(content) - {
        "datapackage.json",
        "datapackage-digest.json",
    }
    for one in package["resources"]:
        assert one["hash"] == f"sha256:{hashlib.sha256(content[one['path']]).hexdigest()}"
        assert one["bytes"] == len(content[one["path"]])
    digest = json.loads(content["datapackage-digest.json"])
    assert digest["hash"] == f"sha256:{hashlib.sha256(content['datapackage.json']).hexdigest()}"

    head, *pages = [json.loads(line) for line in content["pages/pages.jsonl"].splitlines()]
    assert head["format"] == "json-pages-1.0"
    assert [one["url"] for one in pages] == [f"{site.url}/", f"{site.url}/thief.gif"]
    assert pages[0]["title"] == "Beautiful prints"
    assert (package["mainPageUrl"], package["mainPageDate"]) == (pages[0]["url"], pages[0]["ts"])

    meta, block = content["indexes/index.idx"].decode().splitlines()
    assert json.loads(meta.removeprefix("!meta 0 ")) == {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}
    where = json.loads(block[block.index("{") :])
    assert (where["offset"], where["length"]) == (0, len(content["indexes/index.cdx.gz"]))
    lines = gzip.decompress(content["indexes/index.cdx.gz"]).decode().splitlines()
    assert lines == sorted(lines)
    assert len(lines) == 8
    warc = content["archive/data.warc.gz"]
    for line in lines:
        key, moment, rest = line.split(" ", 2)
        facts = json.loads(rest)
        assert key == surt(facts["url"])
        record = gzip.decompress(warc[int(facts["offset"]) : int(facts["offset"]) + int(facts["length"])])
        assert record.startswith(b"WARC/1.1\r\n")
        assert f"WARC-Target-URI: {facts['url']}\r\n".encode() in record
        assert f"WARC-Payload-Digest: {facts['digest']}\r\n".encode() in record
        assert f"HTTP/1.1 {facts['status']}".encode() in record
        assert moment[:8] == f"{datetime.now(UTC):%Y%m%d}"


def test_what_does_not_fit_is_left_out_and_said(site: Site, subject: CaptureSubject, tmp_path: Path) -> None:
    few = taken(subject, tmp_path, max_requests=4)
    assert len(few.listed) == 4
    assert "max_requests" in few.left_out[f"{site.url}/other.gif"]
    assert few.files["picture.gif"] == GIF
    # The picture itself is asked for whatever the bound.
    assert taken(subject, tmp_path, max_requests=1).files["picture.gif"] == GIF

    site.put("/other.gif", Says(GIF + bytes(60_000), content_type="image/gif"))
    small = taken(subject, tmp_path, max_bytes=100_000)
    assert "do not fit" in small.left_out[f"{site.url}/other.gif"]
    assert "page.wacz" in small.files


def test_a_picture_that_is_another_one_by_now_is_said(site: Site, subject: CaptureSubject, tmp_path: Path) -> None:
    """The comparison of a capture is of the bytes that a scan kept; what came now may show something else."""
    assert taken(subject, tmp_path).exchanges.taken.differences == ()
    site.put("/cdn/thief.gif", Says(GIF + b"another", content_type="image/gif"))
    captured = taken(subject, tmp_path)
    assert captured.files["picture.gif"] == GIF + b"another"
    (difference,) = captured.exchanges.taken.differences
    assert "came with other bytes than when the use was last seen, 2026-05-01" in difference
    assert "but for what is said of the picture that came now" in difference


def test_of_an_absence_it_is_known_why_the_page_did_not_come(
    site: Site, subject: CaptureSubject, tmp_path: Path
) -> None:
    """What a browser is sent all the same is then said: the page may be gone for guardian only."""
    site.put("/", Status("403 Forbidden"))
    site.put("/thief.gif", Status("403 Forbidden"))
    captured = taken(subject, tmp_path, is_of_absence=True)
    assert captured.exchanges.failed is not None
    assert captured.exchanges.failed.status == 403
    assert "no picture came" in captured.left_out["picture"]


def test_robots_are_obeyed_unless_a_person_asks(site: Site, subject: CaptureSubject, tmp_path: Path) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /\n")
    scan = taken(subject, tmp_path, for_person=False)
    assert site.paths() == []
    assert "guardian evidence capture" in scan.left_out[f"{site.url}/"]
    assert scan.files == {"picture.gif": GIF}
    assert scan.exchanges.unreachable is None

    person = taken(subject, tmp_path)
    assert len(person.listed) == 8


def test_a_site_that_is_silent_is_unreachable_and_the_picture_is_the_kept_one(
    site: Site, subject: CaptureSubject, tmp_path: Path
) -> None:
    site.close()
    captured = taken(subject, tmp_path)
    assert captured.exchanges.unreachable is not None
    assert captured.files["picture.gif"] == GIF
    assert [one["status"] for one in captured.listed] == [None, None]
    about = next(one.about for one in captured.exchanges.taken.files if one.name == "picture.gif")
    assert "2026-05-01" in about


def test_of_a_folder_the_bytes_are_kept_and_it_is_said_that_there_is_no_exchange(
    subject: CaptureSubject, tmp_path: Path
) -> None:
    local = replace(
        subject, finding=replace(subject.finding, page_url="file:///in/a.gif", image_url="file:///in/a.gif")
    )
    captured = taken(local, tmp_path)
    assert captured.files == {"picture.gif": GIF}
    assert "on a disk" in captured.left_out["page.wacz"]


def test_pages_that_name_who_is_behind_the_site_are_in_the_wacz_too(
    site: Site, subject: CaptureSubject, tmp_path: Path
) -> None:
    site.put("/imprint", Says("<p>Gasse 1, Wien</p>", content_type="text/html"))
    site.put("/heavy", Says(bytes(9 * 1024**2), content_type="text/html"))
    captured = taken(subject, tmp_path, beside=(f"{site.url}/imprint", f"{site.url}/heavy"))
    bodies = {url: body for kind, url, _, body in records(captured.files["page.wacz"], tmp_path) if kind == "response"}
    assert bodies[f"{site.url}/imprint"] == b"<p>Gasse 1, Wien</p>"
    assert f"{site.url}/heavy" not in bodies
    assert "do not fit beside the page" in captured.left_out[f"{site.url}/heavy"]
    with zipfile.ZipFile(tmp_path / "read.wacz") as archive:
        pages = [json.loads(line) for line in archive.read("pages/pages.jsonl").splitlines()[1:]]
    assert [one["url"].rpartition("/")[2] for one in pages] == ["", "thief.gif", "imprint"]
    assert pages[2]["title"] == f"{site.url}/imprint"


def test_a_site_whose_certificate_has_expired_is_captured_and_what_is_wrong_with_it_is_said(
    subject: CaptureSubject, tmp_path: Path
) -> None:
    """What guardian signs in with is sent to nobody whose name it cannot check."""
    for secure in running(context=expired(tmp_path)):
        url = f"https://localhost:{secure.port}/"
        secure.put("/", Says("<title>Shop</title><img src=/thief.gif>", content_type="text/html"))
        secure.put("/thief.gif", Says(GIF, content_type="image/gif"))
        secure.put("/robots.txt", "User-agent: *\nDisallow: /private\n")
        use = replace(subject, finding=replace(subject.finding, page_url=url, image_url=f"{url}thief.gif"))
        credentials = Credentials(url, lambda _: {"x-access": "secret"})
        for for_person in (True, False):
            captured = taken(use, tmp_path, credentials=credentials, for_person=for_person)
            first, second = captured.listed[:2]
            assert (first["status"], first["response_bytes"], first["certificate_problem"]) == (None, 0, None)
            assert first["incomplete"].startswith("its certificate did not verify: self-signed")
            assert (second["status"], second["incomplete"]) == (200, None)
            assert "self-signed" in second["certificate_problem"] or "expired" in second["certificate_problem"]
            assert len(second["certificates_sha256"]) == 1
            assert captured.files["picture.gif"] == GIF

            gap = captured.left_out["certificate of localhost"]
            assert gap.startswith("it did not verify: ")
            assert "self-signed" in gap
            assert "expired" in gap
            assert "it does not name localhost" in gap
            assert "valid from 2024-01-01 00:00Z to 2024-02-01 00:00Z, issued to CN=shop by CN=shop" in gap
            assert "no credentials were sent" in gap
            assert b"secret" not in b"".join(captured.files.values())
        assert secure.paths().count("/thief.gif") == 2
        assert not any("x-access" in one.headers for one in secure.asked)


def expired(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate of its own making that has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2024, 2, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "expired.pem").write_bytes(made.public_bytes(Encoding.PEM) + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "expired.pem")
    return context


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.Example.com/A/b?z=1&a=2", "com,example)/a/b?a=2&z=1"),
        ("http://shop.example:8080/", "example,shop:8080)/"),
        ("https://www2.shop.example", "example,shop)/"),
    ],
)
def test_keys_of_the_index_are_those_that_viewers_look_for(url: str, key: str) -> None:
    assert surt(url) == key


def test_a_wacz_of_1970_is_a_zip_file_too(tmp_path: Path) -> None:
    (tmp_path / "warc").write_bytes(b"")
    path, created = tmp_path / "page.wacz", datetime(1970, 1, 1, tzinfo=UTC)
    write_wacz(path, tmp_path / "warc", [], [], WaczFacts("Lamps", "guardian", created))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("datapackage.json"))["created"].startswith("1970-01-01")
