"""What people build on, whole and to the byte: the JSON of every command that prints some, from one known database."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from guardian.cases import Edit, Kept, RecordedUse, decide, record
from guardian.cases.priority import points_of_rank
from guardian.model import (
    Action,
    Asset,
    Audience,
    CaseState,
    Comparison,
    Context,
    Decision,
    LicenceStatus,
    Rights,
    ScanCounts,
    Severity,
    Sighting,
    TaskKind,
    Transform,
)
from guardian.store import Store
from tests.cli.home import Home
from tests.databases import store_in
from tests.granting import grant_licence

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ASSET_ID = "asset_aaaaaaaaaaaaaaaa"
Read = Callable[[Callable[[Any], Any]], Any]


def filled(store: Store) -> None:
    """One asset, a licence, a case with one finding and a review, and the scans of one source."""
    with store.begin() as tx:
        asset = tx.assets.reserve(
            "a" * 64,
            title="Düne",
            collection="shop",
            path="/own/düne.jpg",
            size=(800, 600),
            at=NOON,
            tags=("sea", "cover"),
            rights=Rights(creator="Ann", registration="VA 1-234"),
        )
        tx.assets.note_perceptual_hash(asset.number, "c3a55a3c96694b2d")
        tx.assets.protect([asset.number])
        grant_licence(
            tx,
            "customer.example",
            at=NOON,
            asset_id=None,
            collection="shop",
            dates=(date(2020, 1, 1), date(2020, 12, 31)),
            territory="EU",
            proof_file="/contract.pdf",
        )
        case_id = record(tx, use_of(asset), Audience(("legal",))).case_id
        assert case_id is not None
        decide(tx, case_id, CaseState.CONFIRMED, Edit("mara", NOON + timedelta(hours=1), "ours"))
        failed = tx.scans.start("rival", NOON - timedelta(hours=2))
        counts = {"pages": 3, "clear": 2, "copy": 1, "error": 1, "fetched": 3, "left out: robots": 4}
        tx.scans.end(failed.id, NOON - timedelta(hours=1), "completed", ScanCounts.from_words(counts), None)
        tx.scans.end(tx.scans.start("rival", NOON).id, NOON, "failed", ScanCounts(), "it answered 403")


def use_of(asset: Asset) -> RecordedUse:
    """A mirrored copy on a stranger's page, with all that can be known of it."""
    transform = Transform((0.5, 0.0, 10.0, 0.0, 0.5, 20.0), True, 7.5, 0.5, (0.0, 0.0, 1.0, 0.6), (0.1, 0.2, 0.9, 1.0))
    return RecordedUse(
        sighting=Sighting(
            "rival", "https://cdn.example/i.jpg", "https://thief.example/1", NOON, Context(alt="a dune", caption="Düne")
        ),
        candidate_sha256="c" * 64,
        perceptual_hash="d1c49b8e3f20a657",
        asset=asset,
        comparison=Comparison(0.98765, 12, 80, 0.6, 0.64, transform, 0.87, None, 0.5, "mirrored"),
        licence_status=LicenceStatus.LAPSED,
        decision=Decision(Action.ALERT, "copies", Severity.HIGH, ("legal",), True),
        at=NOON,
        kept=Kept("1" * 64, None, "the page was not kept"),
        also_at=("https://mirror.example/i.jpg",),
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "config.yaml").write_text(
        "data_dir: data\n"
        "fetch: {contact: test@example.com, allow_networks: [127.0.0.0/8], delay_per_host: 0s}\n"
        "coverage: {failing_after: 1}\n"
        "sources:\n"
        "  - {name: rival, kind: page, url: 'https://rival.example/'}\n"
        "  - {name: other, kind: page, url: 'https://other.example/'}\n"
        "destinations:\n"
        "  - {name: legal, kind: webhook, url: 'https://legal.example/hook?token=hidden', secret_env: HOOK}\n"
    )
    store = store_in(tmp_path / "data")
    filled(store)
    store.close()
    return Home(tmp_path)


@pytest.fixture
def read(home: Home) -> Read:
    """Asks the database of `home`."""

    def ask(question: Callable[[Any], Any]) -> Any:
        store = store_in(home.folder / "data")
        with store.read() as tx:
            answer = question(tx)
        store.close()
        return answer

    return ask


def says(*objects: dict[str, Any], indent: int | None = None) -> str:
    return "".join(json.dumps(one, ensure_ascii=False, indent=indent) + "\n" for one in objects)


ASSET = {
    "id": ASSET_ID,
    "number": 1,
    "title": "Düne",
    "collection": "shop",
    "path": "/own/düne.jpg",
    "sha256": "a" * 64,
    "perceptual_hash": "c3a55a3c96694b2d",
    "width": 800,
    "height": 600,
    "added_at": "2026-11-24T12:00:00+00:00",
    "tags": ["sea", "cover"],
    "rights": {
        "creator": "Ann",
        "copyright_notice": None,
        "licensor": None,
        "web_statement": None,
        "registration": "VA 1-234",
    },
    "state": "protected",
    "by_bytes_only": False,
    "self_check": None,
}


def asset_of(read: Read) -> dict[str, Any]:
    return ASSET | {"work": work_of(read), "labels": [], "shoot": None, "keywords": None, "caption": None}


def work_of(read: Read) -> str:
    """The id of the asset's work, which is random."""
    work = read(lambda tx: tx.works.of_asset(ASSET_ID).id)
    assert isinstance(work, str)
    return work


def case_of(read: Read) -> dict[str, Any]:
    (case,) = read(lambda tx: tx.cases.list())
    return {
        "id": case.id,
        "asset_id": ASSET_ID,
        "operator": "thief.example",
        "state": "confirmed",
        "severity": "high",
        "opened_at": "2026-11-24T12:00:00+00:00",
        "updated_at": "2026-11-24T13:00:00+00:00",
        "finding_count": 1,
        "alerted_at": "2026-11-24T12:00:00+00:00",
        "reviewed_by": "mara",
        "review_note": "ours",
        "action": "alert",
        "message_count": 1,
        "licence_id": None,
        "licensed_since": None,
        "asset": {"id": ASSET_ID, "title": "Düne", "collection": "shop", "path": "/own/düne.jpg"},
        "work": work_of(read),
        "reason": None,
        "licence": None,
        # 30 for the severity, 12 for the share of the picture, and what it gains while it waits.
        "priority": points_of_rank(case.rank, datetime.now(UTC)),
        "sightings": 1,
        "assignee": None,
        "labels": [],
        "due_on": None,
        "version": 2,
    }


def finding_of(read: Read) -> dict[str, Any]:
    (finding,) = read(lambda tx: tx.findings.list())
    return {
        "id": finding.id,
        "asset_id": ASSET_ID,
        "case_id": finding.case_id,
        "source": "rival",
        "page_url": "https://thief.example/1",
        "image_url": "https://cdn.example/i.jpg",
        "first_seen_at": "2026-11-24T12:00:00+00:00",
        "last_seen_at": "2026-11-24T12:00:00+00:00",
        "licence": "lapsed",
        "decision": {
            "action": "alert",
            "rule": "copies",
            "severity": "high",
            "deliver_to": ["legal"],
            "record": True,
        },
        "comparison": {
            "probability": 0.98765,
            "hash_distance": 12,
            "keypoint_inliers": 80,
            "asset_coverage": 0.6,
            "candidate_coverage": 0.64,
            "transform": {
                "matrix": [0.5, 0.0, 10.0, 0.0, 0.5, 20.0],
                "mirrored": True,
                "angle_degrees": 7.5,
                "scale": 0.5,
                "asset_box": [0.0, 0.0, 1.0, 0.6],
                "candidate_box": [0.1, 0.2, 0.9, 1.0],
                "polarity": "positive",
            },
            "aligned_similarity": 0.87,
            "embedding_similarity": None,
            "region_embedding_similarity": 0.5,
            "description": "mirrored",
            "frame": None,
            "asset_frame": None,
        },
        "candidate_sha256": "c" * 64,
        "perceptual_hash": "d1c49b8e3f20a657",
        "image_sha256": "1" * 64,
        "page_sha256": None,
        "evidence_note": "the page was not kept",
        "context": {
            "alt": "a dune",
            "caption": "Düne",
            "title": None,
            "page_title": None,
            "nearby_text": None,
            "claims": None,
        },
        "also_at": ["https://mirror.example/i.jpg"],
        "image_status": None,
        "page_status": None,
        "licence_id": None,
        "licensed_since": None,
        "first_missed_at": None,
        "missed_scans": 0,
    }


def test_asset_list_and_show(home: Home, read: Read) -> None:
    assert home.guardian("asset", "list", "--json").stdout == says(asset_of(read))
    assert home.guardian("asset", "show", ASSET_ID).stdout == says(
        asset_of(read) | {"versions": [], "seen_before": []}, indent=2
    )


def test_case_list(home: Home, read: Read) -> None:
    assert home.guardian("case", "list", "--json").stdout == says(case_of(read))


def test_case_show(home: Home, read: Read) -> None:
    case = case_of(read)
    opened, _ = read(lambda tx: tx.case_history.of(case["id"]))
    version = {
        "candidate_sha256": "c" * 64,
        "image_sha256": "1" * 64,
        "page_sha256": None,
        "first_seen_at": "2026-11-24T12:00:00+00:00",
        "last_seen_at": "2026-11-24T12:00:00+00:00",
        "importance": "told",
        "changes": [],
        "dropped_at": None,
    }
    age = round(case["priority"] - 42, 1)
    days = (datetime.now(UTC) - NOON).days
    parts = {
        "severity": (30, "severity high"),
        "share": (12.0, "60 % of the picture used"),
        "pages": (0, "1 place"),
        "works": (0, "1 work of yours used by thief.example"),
        "commercial": (0, "no signs of trade on the page"),
        "age": (age, f"opened {days} {'day' if days == 1 else 'days'} ago"),
    }
    whole = case | {
        "priority_parts": [{"name": name, "points": part[0], "words": part[1]} for name, part in parts.items()],
        "findings": [finding_of(read) | {"versions": [version]}],
        "history": [
            {
                "at": "2026-11-24T12:00:00+00:00",
                "kind": "opened",
                "by": None,
                "note": None,
                "message_id": opened.message_id,
                "detail": None,
                "number": 1,
                "undoes": None,
                "batch": None,
            },
            {
                "at": "2026-11-24T13:00:00+00:00",
                "kind": "confirmed",
                "by": "mara",
                "note": "ours",
                "message_id": None,
                "detail": None,
                "number": 2,
                "undoes": None,
                "batch": None,
            },
        ],
    }
    assert home.guardian("case", "show", case["id"], "--json").stdout == says(whole, indent=2)


def test_licence_list(home: Home, read: Read) -> None:
    (licence,) = read(lambda tx: tx.licences.list())
    assert home.guardian("licence", "list", "--json").stdout == says(
        {
            "id": licence.id,
            "host": "customer.example",
            "asset_id": None,
            "collection": "shop",
            "valid_from": "2020-01-01",
            "valid_until": "2020-12-31",
            "territory": "EU",
            "proof_file": "/contract.pdf",
            "today": "lapsed",
            "path": None,
            "tag": None,
            "medium": None,
            "note": None,
            "proof_sha256": None,
        }
    )


def test_coverage(home: Home) -> None:
    rival, other = home.guardian("coverage", "--json").stdout.splitlines()
    failed = {
        "id": 2,
        "source": "rival",
        "started_at": "2026-11-24T12:00:00+00:00",
        "ended_at": "2026-11-24T12:00:00+00:00",
        "outcome": "failed",
        "counts": {},
        "error": "it answered 403",
    }
    assert rival == json.dumps(
        {
            "source": "rival",
            "last": failed,
            "last_complete": {
                "id": 1,
                "source": "rival",
                "started_at": "2026-11-24T10:00:00+00:00",
                "ended_at": "2026-11-24T11:00:00+00:00",
                "outcome": "completed",
                "counts": {
                    "pages": 3,
                    "clear": 2,
                    "copy": 1,
                    "error": 1,
                    "fetched": 3,
                    "left out: robots": 4,
                },
                "error": None,
            },
            "pages": 0,
            "pages_unchanged": 0,
            "images": 0,
            "fetched": 0,
            "unchanged": 0,
            "fresh": 0,
            "again": 0,
            "compared": 0,
            "matched": 0,
            "not_seen": {},
            "usual_images": None,
            "trouble": {
                "kind": "failing",
                "detail": "the last scan failed: it answered 403",
                "since_scan": 1,
            },
            "last_ended": failed,
            "evidence": {
                "bytes": 0,
                "max_bytes": 20 * 2**30,
                "versions": {"first": 0, "told": 1, "changed": 0, "latest": 0, "unknown": 0},
            },
        }
    )
    never = json.loads(other)
    assert (never["last"], never["last_complete"], never["usual_images"], never["trouble"]) == (None, None, None, None)
    assert list(never) == list(json.loads(rival))


def test_coverage_for_people(home: Home) -> None:
    assert home.guardian("coverage").stdout == (
        "rival\n"
        "  FAILING: the last scan failed: it answered 403\n"
        "  last scan      2026-11-24 12:00Z, failed: it answered 403\n"
        "  last complete  2026-11-24 10:00Z\n"
        "  images         0, 0 compared with 1 protected asset, 0 matched\n"
        "  fetched        0 anew, 0 unchanged (304), 0 still fresh and not asked for, 0 seen again on another page\n"
        "other\n"
        "  never scanned\n"
        "evidence\n"
        "  0 bytes of 20.0 GiB used (0 %)\n"
    )


def test_delivery_list_and_show(home: Home, read: Read) -> None:
    (task,) = read(lambda tx: tx.tasks.list(TaskKind.DELIVER))
    (event, _) = read(lambda tx: tx.case_history.of(tx.cases.list()[0].id))
    opened = json.loads(read(lambda tx: tx.messages.get(task.message_id)).body)["data"]
    message = {
        "id": task.id,
        "webhook_id": event.message_id,
        "destination": "legal",
        "state": "due",
        "held": False,
        "attempts": 0,
        "created_at": "2026-11-24T12:00:00+00:00",
        "due_at": "2026-11-24T12:00:00+00:00",
        "last_error": None,
        "key": task.key,
        "about": {
            "type": "case.opened",
            "case_id": opened["case"]["id"],
            "operator": "thief.example",
            "asset_id": ASSET_ID,
            "asset_title": "Düne",
            "source": "rival",
        },
    }
    assert home.guardian("delivery", "list", "--json").stdout == says(message)
    shown = home.guardian("delivery", "show", str(task.id), "--json").stdout
    message_body = read(lambda tx: tx.messages.get(task.message_id)).body
    assert shown == says(message | {"body": message_body.decode()})


def test_destination_list(home: Home) -> None:
    assert home.guardian("destination", "list", "--json").stdout == says(
        {
            "name": "legal",
            "kind": "webhook",
            "url": "https://legal.example/hook",
            "state": "enabled",
            "reason": None,
        }
    )


def test_source_try(home: Home, site: Any) -> None:
    (site.folder / "p.html").write_text(
        "<title>Dunes</title><figure><img src='p.jpg' srcset='p-700x700.jpg 700w' alt='Düne'></figure><img src='x.svg'>"
    )
    assert home.guardian("source", "try", f"{site.url}/p.html", "--json").stdout == says(
        {
            "image_url": f"{site.url}/p.jpg",
            "page_url": f"{site.url}/p.html",
            "also_at": [f"{site.url}/p-700x700.jpg"],
            "context": {"alt": "Düne", "page_title": "Dunes"},
        },
        {"left_out": f"{site.url}/x.svg", "reason": "vector", "detail": "an SVG drawing"},
    )


def test_message_of_a_case(home: Home, read: Read) -> None:
    (task,) = read(lambda tx: tx.tasks.list(TaskKind.DELIVER))
    body = read(lambda tx: tx.messages.get(task.message_id)).body
    (case,) = read(lambda tx: tx.cases.list())
    (finding,) = read(lambda tx: tx.findings.list())
    of_asset = ("id", "title", "collection", "tags", "sha256", "rights", "work")
    data = {
        "case": {
            "id": case.id,
            "operator": "thief.example",
            "state": "open",
            "action": "alert",
            "severity": "high",
            "finding_count": 1,
            "opened_at": "2026-11-24T12:00:00.000Z",
        },
        "finding": {"id": finding.id},
        "asset": {name: asset_of(read)[name] for name in of_asset},
        "source": "rival",
        "page_url": "https://thief.example/1",
        "image_url": "https://cdn.example/i.jpg",
        "context": finding_of(read)["context"],
        "also_at": ["https://mirror.example/i.jpg"],
        "also_at_count": 1,
        "recovered": {
            "description": "mirrored",
            "mirrored": True,
            "angle_degrees": 7.5,
            "scale": 0.5,
            "asset_box": [0.0, 0.0, 1.0, 0.6],
            "candidate_box": [0.1, 0.2, 0.9, 1.0],
            "frame": None,
            "asset_frame": None,
        },
        "measured": {
            "probability": 0.98765,
            "hash_distance": 12,
            "keypoint_inliers": 80,
            "asset_coverage": 0.6,
            "candidate_coverage": 0.64,
            "aligned_similarity": 0.87,
            "embedding_similarity": None,
            "region_embedding_similarity": 0.5,
        },
        "rule": {"name": "copies", "action": "alert", "severity": "high"},
        "licence": "lapsed",
        "evidence": {
            "candidate_sha256": "c" * 64,
            "image_sha256": "1" * 64,
            "page_sha256": None,
            "note": "the page was not kept",
        },
        "seen_at": "2026-11-24T12:00:00.000Z",
    }
    event = {"type": "case.opened", "timestamp": "2026-11-24T12:00:00.000Z", "data": data}
    assert body.decode() == json.dumps(event, ensure_ascii=False, separators=(",", ":"))
