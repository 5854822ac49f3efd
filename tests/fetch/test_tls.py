"""Authorities are read once, and again when the system's list has changed."""

import ssl
from pathlib import Path

import certifi
import pytest

from guardian.fetch.tls import new_verifying_context, trusting_context, verifying_context


def test_the_context_is_shared_until_the_list_of_the_system_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.pem").write_text(Path(certifi.where()).read_text().partition("\n\n")[0])
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
    first = verifying_context()
    assert verifying_context() is first
    assert (first.check_hostname, first.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert first.cert_store_stats()["x509_ca"] > 50, "those that httpx brings, too"

    (tmp_path / "own.pem").write_text(Path(certifi.where()).read_text())
    assert verifying_context() is not first
    monkeypatch.delenv("SSL_CERT_FILE")
    assert new_verifying_context() is not new_verifying_context()


def test_who_may_be_anybody_is_not_verified() -> None:
    context = trusting_context()
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_NONE)
    assert context.cert_store_stats()["x509"] == 0
