"""A misbehaving web site on loopback, and a WebClient who may visit it."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from guardian.fetch.settings import FetchSettings
from guardian.fetch.web import AskedBy, FetchPolicy, WebClient
from guardian.model import Response
from tests.websites import Site, running


def utc_now() -> datetime:
    return datetime.now(UTC)


def patient(**changed: Any) -> FetchSettings:
    """Settings for loopback: no pauses, limits that a busy machine keeps. Who waits for one passes a shorter one."""
    usual: dict[str, Any] = {
        "contact": "tests@example.com",
        "allow_networks": (ip_network("127.0.0.0/8"),),
        "delay_per_host": timedelta(),
        "busy_pause": timedelta(milliseconds=50),
        "connect_timeout": timedelta(seconds=10),
        "read_timeout": timedelta(seconds=10),
        "timeout": timedelta(seconds=20),
        "retries": 0,
    }
    return FetchSettings(**(usual | changed))


@pytest.fixture
def site() -> Iterator[Site]:
    yield from running()


@pytest.fixture
def settings() -> Callable[..., FetchSettings]:
    """settings(retries=1): settings that may visit loopback, without pauses."""
    return patient


@pytest.fixture
def get() -> Callable[..., Response]:
    """get(url, kind="image", retries=1): one visit by a WebClient of its own; other keywords are settings."""

    def fetched(
        url: str, kind: Any = "page", asked_by_person: bool = False, known: Any = None, **changed: Any
    ) -> Response:
        async def go() -> Response:
            async with WebClient(patient(**changed), clock=utc_now) as web:
                policy = FetchPolicy(AskedBy.PERSON if asked_by_person else AskedBy.SCAN)
                return await web.get(url, kind=kind, policy=policy, known=known)

        return asyncio.run(go())

    return fetched
