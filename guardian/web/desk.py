"""What the desk's pages and API work with: opened by the daemon, found by every request in the application's state."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from guardian.cases.rejudging import Judging
from guardian.evidence import Vault
from guardian.evidence.vaults import notice_copies_in, originals_in, search_pictures_in
from guardian.model import NamedSearch
from guardian.notices.drafting import NoticeConfig
from guardian.notices.settings import NoticeSettings, OwnerSettings
from guardian.people.signing_in import Lifetime
from guardian.scan.services import Services
from guardian.sources.settings import SourceSettings
from guardian.store import Store
from guardian.views.configuration import SettingGroup
from guardian.web.picture_rendering import Bounds
from guardian.web.pictures import Pictures
from guardian.web.recent_pictures import RecentPictures
from guardian.web.settings import WebSettings

if TYPE_CHECKING:
    from guardian.catalog.catalog import Catalog

_BOUNDS = Bounds(max_bytes=100 * 1024**2, max_pixels=200_000_000)
"""As those of matching are unless somebody changes them."""


@dataclass(frozen=True)
class Desk:
    """The database, the vault of evidence, the folder of data, the clock and the settings of the web server.

    `services` are what pictures are checked and uses are judged with, `catalog` opens the catalogue; None where only
    the database is at hand. `sources` are those of the configuration, `configuration` is how all of it is shown.
    `notice_config`: whose notices are drafted, and by which settings. `makes_bundles`: whether a daemon writes the
    bundles that are asked for.
    """

    store: Store
    vault: Vault
    data_dir: Path
    clock: Callable[[], datetime]
    settings: WebSettings
    services: Services | None = None
    catalog: "Callable[[], Catalog] | None" = None
    sources: tuple[SourceSettings, ...] = ()
    configuration: tuple[SettingGroup, ...] = ()
    notice_config: NoticeConfig = field(default_factory=lambda: NoticeConfig(OwnerSettings(), NoticeSettings()))
    makes_bundles: bool = False

    @cached_property
    def originals(self) -> Vault:
        """The bytes of one's own images."""
        return originals_in(self.data_dir)

    @cached_property
    def notice_copies(self) -> Vault:
        """Copies of notices as they were sent."""
        return notice_copies_in(self.data_dir)

    @cached_property
    def search_pictures(self) -> Vault:
        """The pictures that searches under a name ask with."""
        return search_pictures_in(self.data_dir)

    @cached_property
    def recent_pictures(self) -> RecentPictures:
        """What people have just searched with."""
        return RecentPictures()

    @cached_property
    def removed_searches(self) -> dict[str, NamedSearch]:
        """The saved search that each person, by id, has removed last, until the desk is next started."""
        return {}

    @cached_property
    def pictures(self) -> Pictures:
        """Makes the pictures that the pages show."""
        return Pictures(self.data_dir, _BOUNDS)

    @property
    def judging(self) -> Judging | None:
        """What recorded uses are judged by; None where only the database is at hand."""
        return self.services.judging if self.services is not None else None

    @property
    def lifetime(self) -> Lifetime:
        """How long sessions last."""
        return Lifetime(self.settings.session_idle, self.settings.session_total)


def desk_of(connection: HTTPConnection) -> Desk:
    """Return the desk that a request is for."""
    desk: Desk = connection.app.state.desk
    return desk
