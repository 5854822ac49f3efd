"""What would be otherwise if remembered comparisons were judged by other rules, or measured by another recipe."""

from dataclasses import dataclass
from enum import StrEnum

from guardian.model.answers import JudgedMatch
from guardian.model.assets import Asset
from guardian.model.cases import Decision
from guardian.model.seen import SeenAddress, SeenPicture


@dataclass(frozen=True, slots=True)
class ReplayedUse:
    """One remembered picture at one place, as it was judged: about which work, and of whom it is a use."""

    picture: SeenPicture
    place: SeenAddress
    operator: str
    match: JudgedMatch

    @property
    def key(self) -> tuple[str, int, str]:
        """What it is the same use by, judged in another way: work, place and picture."""
        return self.match.asset.work_id, self.place.id, self.picture.id


class ChangeKind(StrEnum):
    """What would become of a case."""

    OPENS = "opens"
    CHANGES = "changes"
    VANISHES = "vanishes"


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A case that would open, change or vanish. `before` and `after` are its strongest decisions, None without a case.

    `case_id` is the id of the case that there is of this work and operator. `uses` are the remembered uses in it, the
    first seen first.
    """

    kind: ChangeKind
    asset: Asset
    operator: str
    case_id: str | None
    before: Decision | None
    after: Decision | None
    uses: tuple[ReplayedUse, ...]


@dataclass(frozen=True, slots=True)
class SideChange:
    """A picture at a place that one recipe's answers make something else of than another's."""

    before: ReplayedUse | None
    after: ReplayedUse | None

    @property
    def use(self) -> ReplayedUse:
        """The use, as it is judged after, if at all."""
        if self.after is not None:
            return self.after
        if self.before is not None:
            return self.before
        raise ValueError("a change of nothing into nothing")


@dataclass(frozen=True, slots=True)
class Replay:
    """What other rules would make of all that is remembered.

    `pictures` and `places` were judged; `not_compared` pictures are remembered whose comparison is not kept (an upgrade
    has made it void): they are judged when a scan next meets them.
    """

    pictures: int
    places: int
    not_compared: int
    changes: tuple[CaseChange, ...]


@dataclass(frozen=True, slots=True)
class RecipeComparison:
    """What two recipes' answers make of the pictures that both have compared; `only_before` has only the first."""

    pictures: int
    only_before: int
    changes: tuple[SideChange, ...]
