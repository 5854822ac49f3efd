"""`guardian licence` as a person runs it."""

import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from guardian.licences import licence_status
from guardian.model import Asset, LicenceStatus, Work
from tests import forked
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def today() -> date:
    """The day on which the test runs, not that on which its file was read: midnight may lie between the two."""
    return datetime.now(UTC).date()


def licence(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.guardian("licence", *arguments, "--config", folder / "config.yaml")


@pytest.fixture
def asset(tmp_path: Path) -> Asset:
    """A protected image in the collection press; the configuration and its data lie in tmp_path."""
    (tmp_path / "config.yaml").write_text("data_dir: data\n")
    store = store_in(tmp_path / "data")
    with store.begin() as tx:
        added = tx.assets.reserve("a" * 64, title="Düne", collection="press", path="/a.jpg", size=(800, 600), at=NOON)
        tx.assets.protect([added.number])
    store.close()
    return added


def standing_now(folder: Path, asset: Asset, host: str, on: date | None = None) -> LicenceStatus:
    store = store_in(folder / "data")
    with store.read() as tx:
        found = tx.licences.list()
    store.close()
    return licence_status(Work(asset.work_id, (asset,)), host, on or today(), found)


def test_a_collection_for_a_year(tmp_path: Path, asset: Asset) -> None:
    (tmp_path / "contract.pdf").write_text("signed")
    added = licence(
        tmp_path, "add", "--host", "customer.example", "--collection", "press", "--from", "2020-01-01",
        "--until", "2020-12-31", "--territory", "EU", "--proof", str(tmp_path / "contract.pdf"),
    )  # fmt: skip
    assert (added.returncode, added.stderr) == (0, "")
    assert "customer.example may use the collection press from 2020-01-01 until 2020-12-31" in added.stdout
    assert f"territory EU, proof {tmp_path / 'contract.pdf'}: has ended" in added.stdout
    assert standing_now(tmp_path, asset, "www.customer.example", date(2020, 12, 31)) is LicenceStatus.LICENSED
    assert standing_now(tmp_path, asset, "www.customer.example") is LicenceStatus.LAPSED


def test_one_image_without_end_by_a_shortened_id(tmp_path: Path, asset: Asset) -> None:
    added = licence(tmp_path, "add", "--host", "customer.example", "--asset", "aaaa")
    assert (added.returncode, added.stderr) == (0, "")
    assert f"may use “Düne” ({asset.id}) without end: holds today" in added.stdout
    assert standing_now(tmp_path, asset, "customer.example") is LicenceStatus.LICENSED
    tomorrow = str(today() + timedelta(days=1))
    later = licence(tmp_path, "add", "--host", "late.example", "--asset", asset.id, "--from", tomorrow)
    assert later.stdout.endswith(f"from {tomorrow}: has not begun\n")


def test_an_address_given_by_mistake_is_reduced_to_its_host(tmp_path: Path, asset: Asset) -> None:
    added = licence(tmp_path, "add", "--host", "https://WWW.Straße.example/shop?a=b", "--collection", "press")
    assert added.returncode == 0
    assert "understood https://WWW.Straße.example/shop?a=b as the host www.xn--strae-oqa.example" in added.stderr
    assert standing_now(tmp_path, asset, "www.xn--strae-oqa.example") is LicenceStatus.LICENSED


def test_a_collection_that_has_no_image_is_said(tmp_path: Path, asset: Asset) -> None:
    added = licence(tmp_path, "add", "--host", "customer.example", "--collection", "pres")
    assert added.returncode == 0
    assert "note: no protected image is in the collection pres; collections are: press" in added.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "a.example"], "either --collection NAME or --asset ID"),
        (["--host", "a.example", "--collection", "press", "--asset", "aaaa"], "either --collection NAME or --asset"),
        (["--host", "a.example", "--asset", "asset_0000"], "there is no asset asset_0000; `guardian asset list`"),
        (
            ["--host", "a.example", "--collection", "press", "--from", "2026-02-02", "--until", "2026-02-01"],
            "would end (2026-02-01) before it begins (2026-02-02)",
        ),
        (["--host", "a.example", "--collection", "press", "--from", "2.1.2026"], "is not a date; write one such as"),
        (["--host", "a.example", "--collection", "press", "--until", "2026-02-30"], "'--until'"),
        (["--host", "a.example", "--collection", "press", "--proof", "/no/such/file"], "does not exist"),
        (["--host", "not a host", "--collection", "press"], "'not a host' is not a host"),
        (["--host", "co.uk", "--collection", "press"], "so it names nobody; write the licensee's own host"),
        (["--host", "github.io", "--collection", "press"], "such as customer.github.io"),
        (["--collection", "press"], "Missing option '--host'"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_noted(
    tmp_path: Path, asset: Asset, arguments: list[str], words: str
) -> None:
    refused = licence(tmp_path, "add", *arguments)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert licence(tmp_path, "list").stdout == "no licences\n"


def test_list_all_and_by_host(tmp_path: Path, asset: Asset) -> None:
    for host in ("customer.example", "blog.customer.example", "other.example"):
        licence(tmp_path, "add", "--host", host, "--collection", "press", "--until", "2020-01-01")
    assert len(licence(tmp_path, "list").stdout.splitlines()) == 3
    by_host = licence(tmp_path, "list", "--host", "customer.example").stdout
    assert [line.split()[1] for line in by_host.splitlines()] == ["blog.customer.example", "customer.example"]
    assert all(line.endswith(": has ended") for line in by_host.splitlines())
    assert licence(tmp_path, "list", "--host", "www.other.example").stdout.split()[1] == "other.example"
    assert licence(tmp_path, "list", "--host", "none.example").stdout == "no licences that speak about none.example\n"


def test_list_as_json(tmp_path: Path, asset: Asset) -> None:
    assert licence(tmp_path, "list", "--json").stdout == ""
    licence(tmp_path, "add", "--host", "customer.example", "--asset", asset.id, "--until", "2020-01-01")
    (line,) = licence(tmp_path, "list", "--json").stdout.splitlines()
    facts = json.loads(line)
    assert facts.pop("id").startswith("lic_")
    assert facts == {
        "host": "customer.example",
        "asset_id": asset.id,
        "collection": None,
        "valid_from": None,
        "valid_until": "2020-01-01",
        "territory": None,
        "proof_file": None,
        "today": "lapsed",
        "path": None,
        "tag": None,
        "medium": None,
        "note": None,
        "proof_sha256": None,
    }


def test_remove_by_a_unique_beginning(tmp_path: Path, asset: Asset) -> None:
    ids = [
        licence(tmp_path, "add", "--host", host, "--collection", "press").stdout.split()[0]
        for host in ("a.example", "b.example")
    ]
    assert licence(tmp_path, "remove", "lic_").returncode == 2
    assert licence(tmp_path, "remove", "lic_zzzz").returncode == 2
    removed = licence(tmp_path, "remove", ids[0].removeprefix("lic_"))
    assert removed.returncode == 0
    assert removed.stdout.startswith(f"removed {ids[0]}  a.example may use the collection press")
    assert standing_now(tmp_path, asset, "a.example") is LicenceStatus.NONE
    assert standing_now(tmp_path, asset, "b.example") is LicenceStatus.LICENSED
