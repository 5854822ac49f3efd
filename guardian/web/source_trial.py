"""Tries a source for the page and for the API: what it would yield, within a bound. Only who has asked is recorded."""

import asyncio
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from guardian.concurrency import closed_after
from guardian.errors import FetchFailed, FetchRefused
from guardian.model import Actor, Sighting, Skipped
from guardian.scan.services import Services
from guardian.sources.settings import SourceSettings
from guardian.sources.trial import shortened, tried
from guardian.web.desk import Desk

_SECONDS = 60.0
_MOST = 300


@dataclass(slots=True)
class Tried:
    """What a source would yield. `cut`: why not all of it is here; "" when it is."""

    name: str
    pictures: list[Sighting] = field(default_factory=list)
    left_out: list[Skipped] = field(default_factory=list)
    cut: str = ""

    def add(self, item: Sighting | Skipped) -> None:
        """Add a picture, or what is left out."""
        if isinstance(item, Sighting):
            self.pictures.append(item)
        else:
            self.left_out.append(item)

    @property
    def is_full(self) -> bool:
        """Whether no more fits into one answer."""
        return len(self.pictures) + len(self.left_out) >= _MOST


async def try_source(desk: Desk, services: Services, actor: Actor, source: SourceSettings) -> Tried:
    """Return what a source would yield, and what it would leave out and why.

    The audit log says who has asked. A source that cannot be read is something left out, and why.
    """

    def note() -> None:
        with desk.store.begin() as tx:
            tx.audit.add(actor, "source.tried", source.name, desk.clock())

    await run_in_threadpool(note)
    found = Tried(source.name)
    items = tried(shortened(source), services.web, services.environment, services.clock)
    try:
        async with asyncio.timeout(_SECONDS), closed_after(items) as results:
            async for item in results:
                found.add(item)
                if found.is_full:
                    found.cut = f"the first {_MOST} are shown; `guardian source try` shows all"
                    break
    except TimeoutError:
        found.cut = f"not all was seen within {_SECONDS:g} s; `guardian source try` waits longer"
    except (FetchFailed, FetchRefused) as error:
        # The source itself cannot be read: that too is something left out, and why.
        found.add(error.skipped)
    return found
