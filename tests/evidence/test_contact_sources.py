"""What single sources of contacts say: security.txt, registries, and the table of takedown addresses."""

import json
from datetime import UTC, datetime

import pytest

from guardian.evidence.rdap import domain_address, network_address, read_registration
from guardian.evidence.security_txt import parse_security_txt
from guardian.evidence.takedown_addresses import KNOWN, TakedownAddress, network_hints, platform_hints

NOW = datetime(2026, 5, 1, tzinfo=UTC)


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


def test_where_registries_are_asked() -> None:
    assert domain_address("thief.com", None) == "https://rdap.verisign.com/com/v1/domain/thief.com"
    assert domain_address("thief.zz", None) is None
    assert domain_address("thief.zz", "https://rdap.org/") == "https://rdap.org/domain/thief.zz"
    assert network_address("8.8.8.8", None) == "https://rdap.arin.net/registry/ip/8.8.8.8"
    assert network_address("2a00:1450::1", "https://rdap.org") == "https://rdap.org/ip/2a00:1450::1"
    assert network_address("10.1.2.3", None) is network_address("::1", None) is None


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
