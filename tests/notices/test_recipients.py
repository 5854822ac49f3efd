"""To whom a notice may go: hints of the last capture first, then the site's own, then what stands on pages."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from guardian.evidence import Vault
from guardian.evidence.takedown_addresses import AGENT_DIRECTORY
from guardian.model import CaptureReason, EvidenceCapture, EvidenceFile
from guardian.model.notices import NoticeKind, NoticeLanguage
from guardian.notices.recipients import CONTACTS, addressee_of, recipients_of
from tests.notices.conftest import NOON, Bench

TOLD = {
    "notices": [{"address": "https://host.example/dmca", "why": "security.txt"}, {"why": "no address"}, "odd"],
    "site": {"emails": ["owner@thief.example\r\nBcc: x@y.example", "owner@thief.example", 7]},
}


def captured(bench: Bench, vault: Vault, case_id: str, content: bytes) -> None:
    digest = vault.keep(content)
    file = EvidenceFile(CONTACTS, digest, len(content), "application/json", "Who is behind it.")
    with bench.store.begin() as tx:
        tx.evidence.add(
            EvidenceCapture(
                id=f"capture_{digest[:8]}",
                case_id=case_id,
                finding_id=None,
                reason=CaptureReason.OPENED,
                asked_by=None,
                began_at=NOON,
                ended_at=NOON,
                page_url=None,
                image_url=None,
                guardian_version="1",
                files=(file,),
            )
        )


def test_captures_and_pages_name_recipients(bench: Bench, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 10**9)
    case_id = bench.used("https://thief.example/1")
    captured(bench, vault, case_id, json.dumps(TOLD).encode())
    with bench.store.read() as tx:
        found = recipients_of(tx, vault, [case_id, case_id])
    assert [one.address for one in found] == [
        "https://host.example/dmca",
        "owner@thief.example Bcc: x@y.example",
        "owner@thief.example",
    ]
    assert found[0].why == "security.txt"


def test_who_is_written_to_follows_from_what_is_written(bench: Bench, tmp_path: Path) -> None:
    """An offer of a licence goes to the shop, no notice under European law to a directory of the United States."""
    vault = Vault(tmp_path / "evidence", 10**9)
    case_id = bench.used("https://thief.example/1")
    hints = [
        {"address": "https://host.example/abuse", "why": "the host"},
        {"address": AGENT_DIRECTORY, "why": "agents"},
    ]
    told = {"notices": hints, "site": {"emails": ["owner@thief.example"]}}
    captured(bench, vault, case_id, json.dumps(told).encode())
    host, owner = "https://host.example/abuse", "owner@thief.example"
    with bench.store.read() as tx:
        found = {kind: [one.address for one in recipients_of(tx, vault, [case_id], kind)] for kind in NoticeKind}
    assert found == {
        NoticeKind.DMCA: [host, AGENT_DIRECTORY, owner],
        NoticeKind.DSA: [host, owner],
        NoticeKind.CEASE: [owner, host],
        NoticeKind.LICENCE_OFFER: [owner, host],
    }


def test_a_damaged_capture_names_nobody(bench: Bench, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 10**9)
    case_id = bench.used("https://thief.example/1")
    captured(bench, vault, case_id, b"[1, 2")
    with bench.store.read() as tx:
        assert recipients_of(tx, vault, [case_id]) == ()


IMPRINT = {
    "url": "https://www.thief.example/impressum",
    "holder": "Kaffee GmbH",
    "postal": ["Kaffee GmbH, Musterstraße 1, 10115 Berlin", "Musterstraße 1, 10115 Berlin"],
    "emails": ["info@thief.example", "privacy@lawyers.example"],
}


def test_a_letter_is_addressed_to_whom_the_site_names_without_a_doubt(bench: Bench, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 10**9)
    case_id = bench.used("https://thief.example/1")
    captured(bench, vault, case_id, json.dumps({"site": {"imprints": [IMPRINT]}}).encode())
    bench.notice_config = replace(bench.notice_config, vault=vault)

    letter = bench.draft(case_id, kind=NoticeKind.CEASE, language=NoticeLanguage.GERMAN)
    assert "An: Kaffee GmbH\nMusterstraße 1\n10115 Berlin\ninfo@thief.example\n" in letter.notice.text
    assert letter.notice.recipient == "info@thief.example"
    (said,) = [doubt for doubt in letter.doubts if "addressed to" in doubt]
    assert "Kaffee GmbH, Musterstraße 1, 10115 Berlin" in said
    assert "found on https://www.thief.example/impressum" in said

    named = bench.draft(case_id, kind=NoticeKind.CEASE, recipient="legal@thief.example")
    assert "To: legal@thief.example\n" in named.notice.text
    assert not any("addressed to" in doubt for doubt in named.doubts)
    to_host = bench.draft(case_id, kind=NoticeKind.DSA).notice
    assert (to_host.recipient, "Kaffee GmbH" in to_host.text) == (None, False)


BY_POST = ("Kaffee GmbH", "Musterstraße 1", "10115 Berlin")


@pytest.mark.parametrize(
    ("imprints", "found"),
    [
        ([{"holder": "Agentur X GmbH"}, {}], None),
        ([{"holder": None}, {}], None),
        ([{"holder": "KAFFEE GmbH"}, {}], (*BY_POST, "info@thief.example")),
        ([{"postal": ["1 High St, Bath BA1 1AA", "11 High St, Bath BA1 1AA"]}], ("Kaffee GmbH", "info@thief.example")),
        ([{"emails": ["a@mail.example", "b@mail.example"]}], BY_POST),
        ([{"emails": ["fo@mail.example", "info@mail.example"]}], BY_POST),
        ([{"postal": [], "emails": ["no address"]}], None),
        # Where the imprint led to somebody else's, and where one of several tenants of a domain has it.
        ([{"url": "https://host.example/impressum"}], None),
        ([{"url": "https://alice.thief.example/impressum"}], None),
        ([{"holder": 7, "url": "odd"}, "odd"], None),
        ([], None),
    ],
)  # fmt: skip
def test_where_imprints_leave_a_doubt_nobody_is_addressed(
    bench: Bench, tmp_path: Path, imprints: list[object], found: tuple[str, ...] | None
) -> None:
    vault = Vault(tmp_path / "evidence", 10**9)
    case_id = bench.used("https://thief.example/1")
    told = [IMPRINT | one if isinstance(one, dict) else one for one in imprints]
    captured(bench, vault, case_id, json.dumps({"site": {"names": ["Erika Muster"], "imprints": told}}).encode())
    with bench.store.read() as tx:
        addressee = addressee_of(tx, vault, [case_id], "thief.example")
        assert (addressee.lines if addressee is not None else None) == found
        assert addressee_of(tx, vault, [case_id], "platform.example/alice") is None


def test_what_one_imprint_says_is_nothing_about_uses_elsewhere(bench: Bench, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "evidence", 10**9)
    case_id = bench.used("https://alice.thief.example/1")
    imprint = IMPRINT | {"url": "https://alice.thief.example/impressum"}
    captured(bench, vault, case_id, json.dumps({"site": {"imprints": [imprint]}}).encode())

    def is_addressed(*case_ids: str) -> bool:
        with bench.store.read() as tx:
            return addressee_of(tx, vault, case_ids, "thief.example") is not None

    assert is_addressed(case_id)
    another = bench.used("https://alice.thief.example/2", number=1)
    assert not is_addressed(case_id, another)
    bench.used("https://bob.thief.example/1")
    assert not is_addressed(case_id)
