"""What single sources of contacts say: security.txt, registries, and the table of takedown addresses."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guardian.evidence.rdap import domain_address, network_address, read_registration
from guardian.evidence.rdap_bootstrap import SHIPPED
from guardian.evidence.security_txt import parse_security_txt
from guardian.evidence.settings import RdapSettings
from guardian.evidence.takedown_addresses import KNOWN, TakedownAddress, network_hints, platform_hints

NOW = datetime(2026, 5, 1, tzinfo=UTC)
_SHIPPED_BY = datetime(2026, 12, 1, tzinfo=UTC)


def test_security_txt_with_signature_comments_and_odd_case() -> None:
    text = (
        b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA512\r\n\r\n# write to us\r\nCONTACT: mailto:a@b.example\r\n"
        b"Contact:  https://b.example/report\x1b[31m\r\nExpires: 2026-01-01T00:00:00Z\r\nUnknown: x\r\n"
        b"Policy: https://b.example/policy\r\n-----BEGIN PGP SIGNATURE-----\r\nabc: def\r\n"
    )
    read = parse_security_txt(text, NOW)
    assert read is not None
    assert read.contacts == ("mailto:a@b.example", "https://b.example/report [31m")
    assert read.fields["policy"] == ("https://b.example/policy",)
    assert set(read.fields) == {"contact", "policy", "expires"}
    assert read.is_expired is True


@pytest.mark.parametrize(
    ("content", "expired"),
    [
        (b"Contact: x\nExpires: 2027-01-01T00:00:00+02:00", False),
        (b"Contact: x\nExpires: soon", None),
        (b"Contact: x\nExpires: 2027-01-01", None),
        (b"Contact: x", None),
        (b"Contact: x\nExpires: 2027-01-01T00:00:00Z\nExpires: 2020-01-01T00:00:00Z", None),
    ],
)
def test_the_end_of_a_security_txt(content: bytes, expired: bool | None) -> None:
    read = parse_security_txt(content, NOW)
    assert read is not None
    assert read.is_expired is expired


@pytest.mark.parametrize(
    "content", [b"", b"<html>Contact: x", b"\xff\xfe", b"Expires: 2027-01-01T00:00:00Z", b"Contact:"]
)
def test_what_is_no_security_txt(content: bytes) -> None:
    assert parse_security_txt(content, NOW) is None


_BY_LIST, _BY_ENDPOINT = RdapSettings(), RdapSettings(endpoint="https://rdap.example/")


@pytest.mark.parametrize(
    ("domain", "asked"),
    [
        ("thief.com", "https://rdap.verisign.com/com/v1/domain/thief.com"),
        ("thief.fr", "https://rdap.nic.fr/domain/thief.fr"),
        ("thief.co.uk", "https://rdap.nominet.uk/uk/domain/thief.co.uk"),
        ("THIEF.shop", "https://rdap.gmoregistry.net/rdap/domain/THIEF.shop"),
        ("thief.xn--p1acf", "https://rdap.nic.xn--p1acf/domain/thief.xn--p1acf"),
        ("thief.de", None),
        ("thief.zz", None),
    ],
)
def test_where_domains_are_asked_about(domain: str, asked: str | None) -> None:
    assert domain_address(domain, _BY_LIST) == asked
    assert domain_address(domain, _BY_ENDPOINT) == f"https://rdap.example/domain/{domain}"


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("8.8.8.8", "https://rdap.arin.net/registry/ip/8.8.8.8"),
        ("93.184.216.34", "https://rdap.db.ripe.net/ip/93.184.216.34"),
        ("200.160.2.3", "https://rdap.lacnic.net/rdap/ip/200.160.2.3"),
        ("2a00:1450::1", "https://rdap.db.ripe.net/ip/2a00:1450::1"),
        ("2606:4700::1", "https://rdap.arin.net/registry/ip/2606:4700::1"),
    ],
)
def test_where_networks_are_asked_about(address: str, asked: str) -> None:
    assert network_address(address, _BY_LIST) == asked
    assert network_address(address, _BY_ENDPOINT) == f"https://rdap.example/ip/{address}"


def test_private_networks_are_never_asked_about() -> None:
    assert network_address("10.1.2.3", _BY_LIST) is network_address("::1", _BY_ENDPOINT) is None


def test_newer_bootstrap_files_of_the_user_take_precedence(tmp_path: Path) -> None:
    services = [[["zz", "de"], ["http://old.example/", "https://new.example/x/"]], [["co.zz"], ["https://co.example"]]]
    (tmp_path / "dns.json").write_text(json.dumps({"publication": "2030-01-01T00:00:00Z", "services": services}))
    settings = RdapSettings(bootstrap=tmp_path)

    assert domain_address("thief.zz", settings) == "https://new.example/x/domain/thief.zz"
    assert domain_address("thief.co.zz", settings) == "https://co.example/domain/thief.co.zz"
    assert domain_address("thief.com", settings) is None
    # What the folder lacks is taken from what is shipped.
    assert network_address("8.8.8.8", settings) == "https://rdap.arin.net/registry/ip/8.8.8.8"


@pytest.mark.parametrize("text", ["", "[]", '{"services": 5}', '{"services": [["zz"]]}', "[" * 5_000])
def test_a_bootstrap_file_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "dns.json").write_text(text)
    with pytest.raises(ValueError, match=r"dns\.json is no bootstrap file of RDAP"):
        domain_address("thief.com", RdapSettings(bootstrap=tmp_path))


@pytest.mark.parametrize("name", ["dns.json", "ipv4.json", "ipv6.json"])
def test_shipped_bootstrap_files_are_whole(name: str) -> None:
    told = json.loads((SHIPPED / name).read_text(encoding="utf-8"))
    assert datetime.fromisoformat(told["publication"]) < _SHIPPED_BY
    assert all(entries and urls for entries, urls in told["services"])
    assert all(url.startswith(("https://", "http://")) for _, urls in told["services"] for url in urls)


@pytest.mark.parametrize(
    "odd",
    [
        {"handle": None, "entities": {"a": 1}},
        {"handle": 5, "entities": [{"roles": "abuse", "vcardArray": "x"}, 7]},
        {
            "ldhName": ["x"],
            "entities": [{"roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", ["x"]], 1]]}],
        },
        {"handle": "x", "events": [{"eventDate": {}}], "nameservers": "none", "status": [None, {}]},
    ],
)
def test_odd_answers_of_registries_say_nothing(odd: object) -> None:
    read = read_registration(json.dumps(odd).encode())
    assert (read.abuse_emails, read.holder, read.registrar) == ((), (), "")


def test_values_of_registries_are_cleaned_and_bounded() -> None:
    card = ["vcard", [["fn", {}, "text", "A\u202eB" * 1000], ["adr", {"label": "Gasse 1\nWien"}, "text", []]]]
    told = {"handle": "x", "entities": [{"roles": ["registrant"], "vcardArray": card}] * 60}
    read = read_registration(json.dumps(told).encode())
    assert read.holder == (("AB" * 150), "Gasse 1 Wien")


def test_users_rows_come_before_the_table() -> None:
    own = [TakedownAddress("etsy.com", "our.contact@etsy.example", "the person who answers")]
    hints = platform_hints(["www.etsy.com", "i.etsystatic.com", "www.etsy.com"], own)
    assert [hint.address for hint in hints] == ["our.contact@etsy.example", "https://www.etsy.com/legal/ip/report"]
    assert "in your configuration" in hints[0].why
    assert "check it before use" in hints[1].why
    assert platform_hints(["notx.com"], ()) == []
    assert network_hints("Cloudflare, Inc.")[0].address == "https://abuse.cloudflare.com/"
    assert network_hints("HETZNER") == []


def test_every_row_of_the_table_is_an_address_of_the_web_or_of_mail() -> None:
    hosts = [row.host for row in KNOWN]
    assert hosts == sorted(set(hosts))
    assert all(row.address.startswith("https://") or row.address.count("@") == 1 for row in KNOWN)
