"""What guardian answers about one image: its outcome and the judged matches."""

from dataclasses import dataclass, field
from enum import StrEnum

from guardian.model.assets import Asset, LicenceStatus
from guardian.model.cases import Action, Decision
from guardian.model.matches import Comparison, MatchReport
from guardian.model.sightings import Sighting, Skipped


class Outcome(StrEnum):
    """The answer for one image in one word.

    "clear" is said only of a whole image that was compared with every asset. `partial`: nothing was found, but only a
    part of the image came, or only a part of the assets could be searched. `unmatchable` and `error`: nothing was
    compared.
    """

    COPY = "copy"
    REVIEW = "review"
    LICENSED = "licensed"
    CLEAR = "clear"
    PARTIAL = "partial"
    UNMATCHABLE = "unmatchable"
    ERROR = "error"


class CacheStatus(StrEnum):
    """Where the bytes behind an answer came from.

    `fetched`: from the site. `unchanged`: kept from before, and confirmed by the site (304). `fresh`: kept from before,
    and the site had said how long it need not be asked. `again`: fetched by this scan already, for another page.
    `here`: on this machine, as a file or inside the page.
    """

    FETCHED = "fetched"
    UNCHANGED = "unchanged"
    FRESH = "fresh"
    AGAIN = "again"
    HERE = "here"


@dataclass(frozen=True, slots=True)
class JudgedMatch:
    """One compared work, what was measured, what the licences say and what the rules decided.

    `asset` is the asset of the work that matches best. `versions` are the work's other protected assets. `licence_id`
    names the licence that gives the status, None where there is none.
    """

    asset: Asset
    comparison: Comparison
    licence_status: LicenceStatus
    decision: Decision
    versions: tuple[Asset, ...] = ()
    licence_id: str | None = None

    @property
    def kept(self) -> bool:
        """Whether the rules want this match kept as a finding."""
        return self.decision.action is not Action.IGNORE or self.decision.record


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer for one image. `problem` is set exactly when nothing was compared.

    `own`: the picture lies on one of the owner's own hosts. `elapsed_ms` counts from the start of the fetch until the
    answer is there, and with it the bytes that are kept as evidence. It includes waiting for the host's turn and for a
    worker, and not for a free slot among the images that are in hand; 0 where nothing was begun. `cache_status` is None
    when there are no bytes. `status` is that of the site's answer and `incomplete` says why only the beginning of the
    image came; both None for what came from this machine.
    """

    target: str
    sighting: Sighting
    sha256: str | None
    elapsed_ms: float = 0.0
    judged: tuple[JudgedMatch, ...] = ()
    report: MatchReport | None = None
    problem: Skipped | None = None
    unmatchable: bool = False
    own: bool = False
    also_at: tuple[str, ...] = field(default=())
    cache_status: CacheStatus | None = None
    status: int | None = None
    incomplete: str | None = None

    @property
    def outcome(self) -> Outcome:
        """The answer in one word: that of the strongest decision among the matches."""
        if self.problem is not None:
            return Outcome.UNMATCHABLE if self.unmatchable else Outcome.ERROR

        # Stronger words first: one alert makes the picture a copy, whatever its other matches are.
        actions = {match.decision.action for match in self.judged}
        if Action.ALERT in actions:
            return Outcome.COPY
        if Action.REVIEW in actions:
            return Outcome.REVIEW

        # A match that the rules ignore without recording it does not make a picture licensed.
        kept = [match for match in self.judged if match.kept]
        if kept and all(match.licence_status is LicenceStatus.LICENSED for match in kept):
            return Outcome.LICENSED
        return Outcome.PARTIAL if self.is_partial else Outcome.CLEAR

    @property
    def is_partial(self) -> bool:
        """Whether a part of the image, or of the assets, was not compared."""
        if self.report is None:
            return False
        return self.incomplete is not None or self.report.partial or bool(self.report.not_compared)


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Something that belongs to the target of a check and was left out, and why."""

    target: str
    skipped: Skipped
