"""CPU a request at many in flight over kept connections on loopback: guardian's WebClient beside plain clients."""

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from multiprocessing.connection import Connection

import aiohttp
import httpx

from guardian.fetch.settings import FetchSettings
from guardian.fetch.web import WebClient

IN_FLIGHT = 64
_BODY = b"x" * 20_000
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: image/jpeg\r\ncontent-length: %d\r\n\r\n" % len(_BODY) + _BODY

Ask = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Cost:
    """One client's CPU milliseconds a request, in this process alone."""

    client: str
    cpu_ms: float


def measure(requests: int) -> list[Cost]:
    """Ask for so many answers of 20 kB with each client, 64 in flight; the server is another process."""
    mine, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    try:
        return asyncio.run(_measure_all(f"http://127.0.0.1:{mine.recv()}", requests))
    finally:
        server.terminate()
        server.join()


async def _measure_all(url: str, requests: int) -> list[Cost]:
    costs = []
    for name, opened in (("guardian", _web), ("httpx", _httpx), ("aiohttp", _aiohttp)):
        async with AsyncExitStack() as stack:
            ask = await opened(stack)
            # Connections are made and code is warm before the clock starts.
            await _ask_all(ask, url, IN_FLIGHT * 4)
            before = time.process_time()
            await _ask_all(ask, url, requests)
            costs.append(Cost(name, (time.process_time() - before) / requests * 1000))
    return costs


async def _ask_all(ask: Ask, url: str, requests: int) -> None:
    left = iter(range(requests))

    async def work() -> None:
        for number in left:
            await ask(f"{url}/{number}.jpg")

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


async def _web(stack: AsyncExitStack) -> Ask:
    settings = FetchSettings(
        contact="bench@example.com",
        allow_networks=(ip_network("127.0.0.0/8"),),
        delay_per_host=timedelta(),
        requests_per_host=IN_FLIGHT,
        requests_per_host_and_day=10**9,
    )
    web = await stack.enter_async_context(WebClient(settings, clock=lambda: datetime.now(UTC)))
    return lambda url: web.get(url, kind="image")


async def _httpx(stack: AsyncExitStack) -> Ask:
    client = await stack.enter_async_context(
        httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=IN_FLIGHT))
    )
    return client.get


async def _aiohttp(stack: AsyncExitStack) -> Ask:
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)))

    async def ask(url: str) -> bytes:
        async with session.get(url) as answer:
            return await answer.read()

    return ask


def _serve(told: Connection) -> None:
    """Answers every request with the same bytes, until it is terminated."""

    async def go() -> None:
        server = await asyncio.start_server(_converse, "127.0.0.1", 0, backlog=256)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(go())


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(_ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
