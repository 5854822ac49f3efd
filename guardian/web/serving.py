"""Serves the application inside the daemon's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette

from guardian.errors import UsageError
from guardian.urls.addresses import host_and_port


@contextlib.asynccontextmanager
async def serving(app: Starlette, listen: str) -> AsyncIterator[str]:
    """Serve at ADDRESS:PORT while the body runs; yields the address in use, which tells the port when 0 was asked.

    Raises UsageError when the address is taken or not of this machine.
    """
    # The socket is opened here and not by uvicorn, which would end the process when the address is taken.
    with _listening(listen) as listener:
        host, port = listener.getsockname()[:2]
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        serving_task = asyncio.create_task(server.serve([listener]))
        try:
            yield host_and_port(host, port)
        finally:
            # Streams would never end by themselves.
            closing: asyncio.Event | None = getattr(app.state, "closing", None)
            if closing is not None:
                closing.set()
            # Requests that are being answered end first; an error of theirs must not hide the daemon's own.
            server.should_exit = True
            await asyncio.gather(serving_task, return_exceptions=True)


def _listening(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(f"cannot listen at {listen} ({error.strerror}); web.listen in config.yaml sets it") from error


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the process's signals to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: the daemon stops this server when it is told to stop itself."""
        yield
