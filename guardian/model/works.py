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


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A picture that the matcher takes for a work, and of which a person has said that it is not theirs.

    `sha256` are its bytes as they were compared, `image_sha256` those that are kept as evidence (None if they were
    not: then it is recognised by its bytes alone), `perceptual_hash` the published one. `case_id` is the case at which
    that was said; `batch` is shared with the lines that this wrote into histories.
    """

    id: str
    work_id: str
    sha256: str
    image_sha256: str | None
    perceptual_hash: str | None
    case_id: str
    batch: str
    at: datetime
    by: str
