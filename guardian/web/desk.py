"""What the desk's pages and API work with: opened by the daemon, found by every request in the application's state."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from starlette.requests import HTTPConnection

from guardian.evidence import Vault
from guardian.people.signing_in import Lifetime
from guardian.store import Store
from guardian.web.settings import WebSettings


@dataclass(frozen=True, slots=True)
class Desk:
    """The database, the vault of evidence, the folder of data, the clock and the settings of the web server."""

    store: Store
    vault: Vault
    data_dir: Path
    clock: Callable[[], datetime]
    settings: WebSettings

    @property
    def lifetime(self) -> Lifetime:
        """How long sessions last."""
        return Lifetime(self.settings.session_idle, self.settings.session_total)


def desk_of(connection: HTTPConnection) -> Desk:
    """Return the desk that a request is for."""
    desk: Desk = connection.app.state.desk
    return desk
