"""A time-stamp authority, and bundles that tests play with."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guardian.evidence.bundle import BundleHead, Member, Written, write_bundle
from guardian.evidence.manifest import BLOCK_BYTES
from guardian.evidence.settings import TimestampSettings
from guardian.evidence.signing import installation_key
from guardian.evidence.timestamps import Stamp, stamp
from guardian.fetch.trusted import TrustedClient
from tests.evidence.authority import Authority

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def authority_url(authority: Authority) -> Iterator[str]:
    with authority.served() as url:
        yield url


@pytest.fixture(scope="session")
def make_bundle(authority: Authority, authority_url: str) -> Callable[..., Written]:
    """Return a function that writes a bundle of two members at a path, with a time stamp if that is wanted."""

    def make(path: Path, *, is_stamped: bool = True, members: tuple[Member, ...] | None = None) -> Written:
        large = path.parent / "large"
        large.write_bytes(b"0123456789abcdef" * (BLOCK_BYTES // 16) * 2 + b"the rest")
        wanted = members or (
            Member("case.json", b'{"id":"case_1"}', "application/json", "The case."),
            Member("captures/1-capture_1/page.wacz", large, "application/wacz", "The page."),
        )

        async def written() -> Written:
            async with TrustedClient() as client:
                authorities = [TimestampSettings(url=authority_url, ca_file=authority.root)]

                async def stamping(content: bytes) -> Stamp:
                    return await stamp(client, authorities, content, timedelta(0))

                head = BundleHead("case_1", NOON, "0.1.0")
                return await write_bundle(
                    path, head, wanted, installation_key(path.parent), stamping if is_stamped else None
                )

        return asyncio.run(written())

    return make


@pytest.fixture(scope="session")
def bundle(make_bundle: Callable[..., Written], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a time stamp, only to be read."""
    return make_bundle(tmp_path_factory.mktemp("bundle") / "b.zip").path
