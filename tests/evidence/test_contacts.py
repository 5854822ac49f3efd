"""Who is behind a site: its own words, security.txt, registries on loopback, and where notices go."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.contacts import ContactServices, take_contacts
from guardian.evidence.exchanges import Exchanges
from guardian.evidence.http_records import keep_response
from guardian.evidence.settings import EvidenceSettings
from guardian.evidence.site_contacts import contacts_on
from guardian.evidence.step_result import StepResult
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.fetch.fetcher import Fetcher
from guardian.fetch.web import WebClient
from guardian.matching.settings import EmbeddingSettings, MatchingSettings
from guardian.matching.workers import Workers
from guardian.model import Response
from tests.evidence.comparisons import subject_of
from tests.fetch.conftest import patient
from tests.kept_workers import kept
from tests.websites import Redirect, Says, Site, running

PAGE = """<!doctype html><title>Shop</title><p>Nice pictures</p>
<footer>© 2020-2026 Beispiel Handels GmbH | <a href="/agb">AGB</a>
<a href="/unternehmen/impressum">Impressum</a></footer>"""
IMPRINT = """<!doctype html><address>Beispiel GmbH, Gasse 1, 1010 Wien</address>
<p>E-Mail: office (at) beispiel (dot) example, USt-IdNr. ATU12345678</p>
<a href="mailto:Legal@beispiel.example?subject=x">Recht</a> <a href="tel:+431234567">Tel</a>"""
DOMAIN = {
    "objectClassName": "domain",
    "ldhName": "beispiel.example",
    "handle": "D1",
    "status": ["client transfer prohibited"],
    "nameservers": [{"ldhName": "ns1.host.example"}],
    "events": [{"eventAction": "registration", "eventDate": "2020-01-01T00:00:00Z"}],
    "entities": [
        {
            "roles": ["registrar"],
            "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Registrar\u202e AG"]]],
            "entities": [
                {
                    "roles": ["abuse"],
                    "vcardArray": [
                        "vcard",
                        [["email", {}, "text", "abuse@registrar.example"], ["tel", {}, "uri", "tel:+49.1"]],
                    ],
                }
            ],
        },
        {"roles": ["registrant"], "vcardArray": ["vcard", [["fn", {}, "text", "REDACTED FOR PRIVACY"]]]},
    ],
}
NETWORK = {
    "objectClassName": "ip network",
    "handle": "NET-1",
    "name": "CLOUDFLARENET",
    "startAddress": "93.184.0.0",
    "endAddress": "93.184.255.255",
    "country": "US",
    "entities": [{"roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", "abuse@net.example"]]]}],
}

NOTHING = Exchanges(StepResult())
"""No exchanges: everything comes from what a scan kept."""


@dataclass
class Host:
    """A site, and what a capture of its page takes."""

    site: Site
    folder: Path
    vault: Vault

    def subject(self, page: str = PAGE, remote: str | None = None, operator: str = "127.0.0.1") -> CaptureSubject:
        """A use on a page of the site that was kept, with the address that it came from."""
        original = self.folder / "mine.jpg"
        original.write_bytes(b"not looked at")
        subject = subject_of(original, self.vault, b"nor this")
        url = f"{self.site.url}/page"
        headers = (("content-type", "text/html; charset=utf-8"),)
        at = datetime(2026, 5, 1, tzinfo=UTC)
        kept = keep_response(self.vault, Response(url, url, 200, headers, page.encode(), at, remote))
        finding = replace(subject.finding, page_url=url, image_url=f"{self.site.url}/i.jpg", page_sha256=kept)
        return replace(subject, finding=finding, case=replace(subject.case, operator=operator))

    def taken(
        self,
        subject: CaptureSubject,
        exchanges: Exchanges | None = None,
        kind: type[Workers] = Workers,
        **settings: Any,
    ) -> tuple[StepResult, dict[str, Any], Path]:
        captured = CaptureFolder(self.folder / "capture", 10**8)
        workers = kind(
            MatchingSettings(workers=1, timeout=timedelta(minutes=3)),
            EmbeddingSettings(),
            self.folder / "index",
            kept().pool,
        )

        async def go() -> StepResult:
            async with WebClient(patient(), clock=lambda: datetime.now(UTC)) as web:
                services = ContactServices(
                    vault=self.vault,
                    workers=workers,
                    site=Fetcher.for_scan(web),
                    registry=Fetcher.for_person(web),
                    settings=EvidenceSettings(**settings),
                    exchanges=exchanges or NOTHING,
                )
                return await take_contacts(subject, captured, services)

        taken = kept().run(go())
        path = captured.path / "contacts.json"
        return taken, json.loads(path.read_text()) if path.exists() else {}, captured.path


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    site: Site
    for site in running():
        yield Host(site, tmp_path, Vault(tmp_path / "vault", 10**8))


@pytest.fixture
def registry() -> Iterator[Site]:
    yield from running()


def asking(registry: Site) -> dict[str, Any]:
    return {"rdap": {"enabled": True, "endpoint": f"{registry.url}/"}}


def test_the_linked_imprint_is_read_first_and_is_enough(host: Host) -> None:
    host.site.put("/unternehmen/impressum", IMPRINT)
    host.site.put("/.well-known/security.txt", "Contact: mailto:sec@beispiel.example\nExpires: 2030-01-01T00:00:00Z\n")
    taken, told, folder = host.taken(host.subject())
    assert told["site"]["emails"] == ["legal@beispiel.example", "office@beispiel.example"]
    assert told["site"]["phones"] == ["+431234567"]
    assert told["site"]["postal"] == ["Beispiel GmbH, Gasse 1, 1010 Wien"]
    assert told["site"]["numbers"] == ["USt-IdNr. ATU12345678"]
    assert told["site"]["names"] == ["Beispiel Handels GmbH", "Beispiel GmbH"]
    (imprint,) = told["site"]["imprints"]
    assert (imprint["url"], imprint["holder"]) == (f"{host.site.url}/unternehmen/impressum", None)
    assert told["security_txt"]["contact"] == ["mailto:sec@beispiel.example"]
    assert told["security_txt"]["is_expired"] is False
    # The page itself was kept by the scan and is not asked for again; the imprint says enough.
    assert host.site.paths() == ["/unternehmen/impressum", "/.well-known/security.txt"]
    assert [file.name for file in taken.files] == ["contacts.json", "contacts/page-1.html.txt", "contacts/security.txt"]
    assert (folder / "contacts" / "page-1.html.txt").read_text() == IMPRINT
    assert taken.not_taken == ()


def test_registries_are_not_asked_unless_that_is_wanted(host: Host) -> None:
    _, told, _ = host.taken(host.subject(remote="93.184.216.34"))
    assert told["domain"] == {"problem": "not asked: evidence.rdap.enabled is false"}
    assert told["network"] == {"address": "93.184.216.34", "problem": "not asked: evidence.rdap.enabled is false"}
    assert [hint["address"] for hint in told["notices"]] == ["https://dmca.copyright.gov/osp/"]


def test_registries_say_who_holds_domain_and_network(host: Host, registry: Site) -> None:
    registry.put("/ip/93.184.216.34", json.dumps(NETWORK), content_type="application/rdap+json")
    taken, told, folder = host.taken(host.subject(remote="93.184.216.34"), **asking(registry))
    assert told["domain"] == {"problem": "not asked: the site is named by its IP address"}
    network = told["network"]
    assert network.pop("asked") == f"{registry.url}/ip/93.184.216.34"
    assert network == {
        "address": "93.184.216.34",
        "answered_by": "127.0.0.1",
        "name": "CLOUDFLARENET",
        "handle": "NET-1",
        "range": "93.184.0.0 - 93.184.255.255",
        "country": "US",
        "abuse_emails": ["abuse@net.example"],
    }
    addresses = [hint["address"] for hint in told["notices"]]
    assert addresses == ["https://abuse.cloudflare.com/", "abuse@net.example", "https://dmca.copyright.gov/osp/"]
    assert json.loads((folder / "contacts" / "rdap-network.json").read_text()) == NETWORK
    assert "contacts/rdap-network.json" in [file.name for file in taken.files]


def test_the_domain_is_asked_by_its_registered_name_and_redirects_are_followed(host: Host, registry: Site) -> None:
    registry.put("/domain/beispiel.example", Redirect("/real/beispiel.example"))
    registry.put("/real/beispiel.example", json.dumps(DOMAIN), content_type="application/rdap+json")
    subject = host.subject()
    finding = replace(subject.finding, page_url="http://www.beispiel.example:1/page", page_sha256=None)
    _, told, _ = host.taken(replace(subject, finding=finding), **asking(registry))
    domain = told["domain"]
    assert (domain["registrar"], domain["abuse_emails"]) == ("Registrar AG", ["abuse@registrar.example"])
    assert domain["holder"] == ["REDACTED FOR PRIVACY"]
    assert domain["events"] == {"registration": "2020-01-01T00:00:00Z"}
    assert told["network"]["problem"] == "not asked: the IP address that the site answered from was not kept"
    assert {
        "address": "abuse@registrar.example",
        "why": "the contact for abuse, of the registrar Registrar AG",
    } in told["notices"]
    # The site is not there; that is said of each page.
    assert all("problem" in page for page in told["site"]["pages"])
    assert "problem" in told["security_txt"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Says("<html>no", status="200 OK"), "the answer cannot be read: it is no JSON"),
        (Says("[" * 100_000), "the answer cannot be read: it is no JSON"),
        (Says('{"a": 1}'), "the answer cannot be read: it is no answer of RDAP"),
        (Says("{}", status="404 Not Found"), "the site answered 404"),
    ],
)
def test_a_registry_that_does_not_answer_is_said(host: Host, registry: Site, answer: Says, words: str) -> None:
    registry.put("/ip/93.184.216.34", answer)
    _, told, _ = host.taken(host.subject(remote="93.184.216.34"), **asking(registry))
    assert words in told["network"]["problem"]


def test_private_networks_are_not_asked_about(host: Host, registry: Site) -> None:
    _, told, _ = host.taken(host.subject(remote="10.0.0.7"), **asking(registry))
    assert told["network"]["problem"] == "not asked: 10.0.0.7 belongs to no public network"
    assert registry.asked == []


def test_without_links_a_few_usual_places_are_tried_as_robots_txt_allows(host: Host) -> None:
    host.site.put("/robots.txt", "User-agent: *\nDisallow: /imprint\n")
    host.site.put("/contact", "<p>write to help@beispiel.example</p>")
    _, told, _ = host.taken(host.subject("<p>nothing here"))
    assert host.site.paths() == ["/", "/impressum", "/contact", "/legal", "/.well-known/security.txt"]
    assert told["site"]["emails"] == ["help@beispiel.example"]
    problems = {page["url"].rpartition("/")[2]: page.get("problem", "") for page in told["site"]["pages"]}
    assert "robots" in problems["imprint"]
    assert "404" in problems["impressum"]


@pytest.mark.parametrize(
    ("words", "phones", "numbers"),
    [
        ("Tel. +49 30 123456<br>10115 Berlin<br>HRB 1234 B", ["+49 30 123456"], ["HRB 1234 B"]),
        ("<b>Telefon:</b> (030) 12 34-56, Fax 99<br>HRA Nr. 99", ["(030) 12 34-56"], ["HRA Nr. 99"]),
        ("Téléphone : 01 23 45 67 89", ["01 23 45 67 89"], []),
        ("Phone <span>+1 (555) 010-0100</span>", ["+1 (555) 010-0100"], []),
        ("Hotel 12345678, Telegraph 1844 1845, tel 12", [], []),
    ],
)
def test_phone_and_register_numbers_are_read_from_the_words(words: str, phones: list[str], numbers: list[str]) -> None:
    page = Response(
        "https://a.example/", "https://a.example/", 200, (("content-type", "text/html; charset=utf-8"),),
        f"<body>{words}</body>".encode(), datetime.now(UTC),
    )  # fmt: skip
    found = contacts_on(page)
    assert (list(found.phones), list(found.numbers)) == (phones, numbers)


def test_names_and_addresses_are_read_from_pages_of_contacts_alone() -> None:
    words = "<p>Kaffee GmbH<br>Gasse 1<br>10115 Berlin</p>"
    for heading, names, postal, holder in (
        ("Impressum", ("Kaffee GmbH",), ("Gasse 1, 10115 Berlin",), "Kaffee GmbH"),
        ("About our customers", ("Kaffee GmbH",), ("Gasse 1, 10115 Berlin",), None),
        ("Impressum-Urteil des Landgerichts", ("Kaffee GmbH",), ("Gasse 1, 10115 Berlin",), None),
        ("Our customers", (), (), None),
    ):
        url, headers = "https://a.example/5", (("content-type", "text/html; charset=utf-8"),)
        page = Response(url, url, 200, headers, f"<h1>{heading}</h1>{words}".encode(), datetime.now(UTC))
        found = contacts_on(page)
        assert (found.names, found.postal) == (names, postal)
        assert (found.imprint.holder if found.imprint is not None else None) == holder


def test_a_page_without_links_is_asked_about_at_the_front_page(host: Host) -> None:
    host.site.put("/", "<p>Welcome</p><footer><a href=/firma>Kontakt</a></footer>")
    host.site.put("/firma", IMPRINT)
    _, told, _ = host.taken(host.subject("<p>nothing here"))
    assert host.site.paths() == ["/", "/firma", "/.well-known/security.txt"]
    assert told["site"]["emails"]


def test_the_page_of_the_capture_takes_the_place_of_that_of_the_scan(host: Host, registry: Site) -> None:
    registry.put("/ip/93.184.216.35", json.dumps(NETWORK))
    subject = host.subject("<p>old@beispiel.example", remote="93.184.216.34")
    url, headers = f"{host.site.url}/page", (("content-type", "text/html"),)
    page = Response(url, url, 200, headers, b"<p>new@beispiel.example", datetime.now(UTC), "93.184.216.35")
    _, told, _ = host.taken(subject, Exchanges(StepResult(), page), **asking(registry))
    assert told["site"]["emails"] == ["new@beispiel.example"]
    assert told["network"]["name"] == "CLOUDFLARENET"


def test_a_site_that_is_silent_is_not_asked_again(host: Host) -> None:
    taken, told, _ = host.taken(host.subject(), Exchanges(StepResult(), unreachable="no answer within 20 s"))
    assert host.site.asked == []
    assert taken.not_taken[0].reason == "not asked: no answer within 20 s"
    assert told["security_txt"]["problem"] == "not asked: no answer within 20 s"
    assert told["site"]["names"] == ["Beispiel Handels GmbH"]


def test_of_an_account_the_pages_of_its_platform_are_not_read(host: Host) -> None:
    taken, told, _ = host.taken(
        host.subject(operator="etsy.com/shop/thief"),
        takedown_addresses=[{"host": "127.0.0.1", "address": "ip@platform.example", "note": "our contact"}],
    )
    assert host.site.paths() == ["/.well-known/security.txt"]
    assert told["notices"][0] == {"address": "ip@platform.example", "why": "our contact (named in your configuration)"}
    assert taken.not_taken == ()


def test_a_hostile_page_does_no_harm(host: Host) -> None:
    page = "<a href='/contact'>" + "\u202eevil" * 1000 + "</a><address>" + "a@b.example " * 50_000 + "</address>"
    page += "".join(f"<a href='mailto:x{number}@y.example'>" for number in range(500))
    page += "<script type='application/ld+json'>" + "[" * 50_000 + "</script>"
    host.site.put("/contact", "ftp")
    _, told, _ = host.taken(host.subject(page))
    assert len(told["site"]["emails"]) == 20
    assert all(len(text) <= 300 for text in told["site"]["postal"])
    assert "\u202e" not in json.dumps(told, ensure_ascii=False)


class CrashedByImprints(Workers):
    """Workers that a parser's mistake ends at any imprint."""

    async def run(self, job: Callable[..., Any], *arguments: Any) -> Any:
        if arguments[0].final_url.endswith("impressum"):
            return await super().run(os._exit, 9)
        return await super().run(job, *arguments)


def test_a_page_that_ends_its_worker_hides_nothing_that_others_say(host: Host, registry: Site) -> None:
    host.site.put("/unternehmen/impressum", IMPRINT, content_type="text/html")
    registry.put("/ip/93.184.216.34", json.dumps(NETWORK), content_type="application/rdap+json")
    subject = host.subject(remote="93.184.216.34")
    taken, told, folder = host.taken(subject, kind=CrashedByImprints, **asking(registry))
    assert told["network"]["abuse_emails"] == ["abuse@net.example"]
    (not_read,) = taken.not_taken
    assert not_read.name.endswith("/unternehmen/impressum")
    assert "a worker process died" in not_read.reason
    assert taken.is_worth_repeating
    # What it says can still be read by people.
    assert "Beispiel GmbH" in (folder / "contacts/page-1.html.txt").read_text()


def test_what_was_seen_on_no_site_has_no_contacts(host: Host) -> None:
    subject = host.subject()
    finding = replace(subject.finding, page_url="file:///x.jpg", image_url="file:///x.jpg")
    taken, _, _ = host.taken(replace(subject, finding=finding))
    assert taken.not_taken[0].reason == "the picture was not seen on a site of the web"


def test_settings_refuse_what_is_no_address() -> None:
    with pytest.raises(ValidationError, match="must be an address"):
        EvidenceSettings(rdap={"enabled": True, "endpoint": "rdap.org"})  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="takedown_addresses"):
        EvidenceSettings(takedown_addresses=[{"host": "", "address": "x@y.example"}])  # type: ignore[arg-type]
