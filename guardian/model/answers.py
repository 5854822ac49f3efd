"""What guardian answers about one image: its outcome and the judged matches."""

from dataclasses import dataclass, field
from enum import StrEnum

from guardian.model.assets import Asset, LicenceStatus
from guardian.model.cases import Action, Decision
from guardian.model.matches import Comparison, MatchReport
from guardian.model.sightings import Sighting, Skipped


class Outcome(StrEnum):
    """One word for one image. `unmatchable` and `error` say that nothing was compared, never "clear"."""

    COPY = "copy"
    REVIEW = "review"
    LICENSED = "licensed"
    CLEAR = "clear"
    UNMATCHABLE = "unmatchable"
    ERROR = "error"


class CacheStatus(StrEnum):
    """How the bytes behind an answer came: from the site, known to it as unchanged (304), or without asking it.

    `fresh`: its site said it need not be asked; `again`: this scan had asked for it already, on another page.
    """

    FETCHED = "fetched"
    UNCHANGED = "unchanged"
    FRESH = "fresh"
    AGAIN = "again"
    HERE = "here"


@dataclass(frozen=True, slots=True)
class JudgedMatch:
    """One compared asset, what was measured, what the licences say and what the rules decided."""

    asset: Asset
    comparison: Comparison
    licence_status: LicenceStatus
    decision: Decision

    @property
    def kept(self) -> bool:
        """Whether the rules want this match kept as a finding."""
        return self.decision.action is not Action.IGNORE or self.decision.record


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer for one image. `problem` is set exactly when nothing was compared.

    `own`: the picture lies on one of the owner's own hosts. `elapsed_ms` counts from the start of the
    fetch, waiting for a worker included. `cache_status` is None when no bytes came.
    """

    target: str
    sighting: Sighting
    sha256: str | None
    elapsed_ms: float
    judged: tuple[JudgedMatch, ...] = ()
    report: MatchReport | None = None
    problem: Skipped | None = None
    unmatchable: bool = False
    own: bool = False
    also_at: tuple[str, ...] = field(default=())
    cache_status: CacheStatus | None = None

    @property
    def outcome(self) -> Outcome:
        """The one word, from the strongest decision down."""
        if self.problem is not None:
            return Outcome.UNMATCHABLE if self.unmatchable else Outcome.ERROR
        actions = {match.decision.action for match in self.judged}
        if Action.ALERT in actions:
            return Outcome.COPY
        if Action.REVIEW in actions:
            return Outcome.REVIEW
        kept = [match for match in self.judged if match.kept]
        if kept and all(match.licence_status is LicenceStatus.LICENSED for match in kept):
            return Outcome.LICENSED
        return Outcome.CLEAR
