"""Health, readiness and metrics over a real socket."""

import asyncio
import socket
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from guardian.delivery.sending import Deliveries
from guardian.errors import UsageError
from guardian.evidence import Vault
from guardian.model import ScanCounts, ScanOutcome, Skipped, SkipReason
from guardian.store import Store
from guardian.web.app import build_app
from guardian.web.desk import Desk
from guardian.web.metrics import Metrics
from guardian.web.serving import serving
from guardian.web.settings import WebSettings
from tests.databases import store_in


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_in(tmp_path)


def get(store: Store, path: str, problems: dict[str, str]) -> httpx.Response:
    vault = Vault(Path(str(store.url.database)).parent / "evidence", max_bytes=10**9)
    vault.keep(b"kept")
    metrics = Metrics(store, vault, lambda: datetime.now(UTC))
    metrics.count("gallery", Skipped("https://a.example/x.svg", SkipReason.VECTOR))
    metrics.count_deliveries(Deliveries(delivered=2, postponed=1, dead=0))
    metrics.count_failure("scan")

    desk = Desk(store, vault, Path(), lambda: datetime.now(UTC), WebSettings())

    async def go() -> httpx.Response:
        async with (
            serving(
                build_app(metrics, lambda: problems, lambda: [{"source": "gallery", "pages": 3}], desk), "127.0.0.1:0"
            ) as address,
            httpx.AsyncClient() as client,
        ):
            return await client.get(f"http://{address}{path}")

    return asyncio.run(go())


def test_health_and_readiness(store: Store) -> None:
    assert get(store, "/health", {}).json() == {"status": "alive"}
    assert get(store, "/ready", {}).status_code == 200
    refused = get(store, "/ready", {"store": "it is damaged"})
    assert (refused.status_code, refused.json()["problems"]) == (503, {"store": "it is damaged"})


def test_metrics_count_what_passed_and_read_the_store(store: Store) -> None:
    text = get(store, "/metrics", {}).text
    assert 'guardian_left_out_total{reason="vector",source="gallery"} 1.0' in text
    assert 'guardian_deliveries_total{result="delivered"} 2.0' in text
    assert 'guardian_failures_total{where="scan"} 1.0' in text
    assert "guardian_assets 0.0" in text
    assert "guardian_tasks_due 0.0" in text
    assert "guardian_evidence_bytes 4.0" in text
    assert "guardian_evidence_max_bytes 1e+09" in text
    assert 'guardian_evidence_versions{why="latest"} 0.0' in text


def test_coverage_is_shown_by_source(store: Store) -> None:
    assert get(store, "/coverage", {}).json() == {"sources": [{"source": "gallery", "pages": 3}]}


def test_the_last_scan_is_shown_in_numbers(store: Store) -> None:
    now = datetime.now(UTC)
    counts = ScanCounts.from_words({"pages": 3, "left out: robots": 2})
    with store.begin() as tx:
        tx.scans.end(tx.scans.start("gallery", now).id, now, ScanOutcome.COMPLETED, counts)
    text = get(store, "/metrics", {}).text
    assert 'guardian_last_scan_count{source="gallery",what="pages"} 3.0' in text
    assert 'guardian_last_scan_count{source="gallery",what="left out: robots"} 2.0' in text


def test_a_taken_port_is_said_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        async def go() -> None:
            async with serving(None, f"127.0.0.1:{port}"):  # type: ignore[arg-type]
                raise AssertionError("served on a taken port")

        with pytest.raises(UsageError, match=r"web\.listen"):
            asyncio.run(go())


@pytest.mark.parametrize("listen", ["localhost:80", "127.0.0.1", "127.0.0.1:70000", "127.0.0.1:x", ":80"])
def test_only_addresses_with_ports_are_listened_at(listen: str) -> None:
    with pytest.raises(ValueError, match="is not ADDRESS:PORT"):
        WebSettings(listen=listen)
