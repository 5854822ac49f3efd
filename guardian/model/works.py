"""Works: assets that show the same whole picture."""

from dataclasses import dataclass
from datetime import datetime

from guardian.model.assets import Asset, AssetState


@dataclass(frozen=True, slots=True)
class Work:
    """A picture that the owner protects, in all its versions: `assets`, at least one, in the order of their numbers.

    Withdrawn assets stay in their work, since cases and licences may name them.
    """

    id: str
    assets: tuple[Asset, ...]

    @property
    def protected(self) -> tuple[Asset, ...]:
        """Those of the assets that are protected now."""
        return tuple(asset for asset in self.assets if asset.state is AssetState.PROTECTED)


@dataclass(frozen=True, slots=True)
class Parted:
    """Two assets of which a person said that they are different works, whatever they look like."""

    asset_id: str
    other_id: str
    at: datetime
    by: str
    note: str | None = None
