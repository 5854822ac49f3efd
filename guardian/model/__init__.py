"""Domain types: frozen dataclasses without I/O, which alone pass between rooms, processes and the database."""

from guardian.model.answers import Answer, CacheStatus, JudgedMatch, Outcome
from guardian.model.assets import Asset, AssetState, Licence, LicenceStatus, Rights
from guardian.model.candidates import Candidate, Fetched, Unchanged
from guardian.model.cases import (
    ACTIONS_BY_STRENGTH,
    NO_RULE,
    SEVERITIES_BY_STRENGTH,
    Action,
    Case,
    CaseEvent,
    CaseState,
    Decision,
    Finding,
    FindingDigest,
    Severity,
)
from guardian.model.coverage import Coverage, Trouble, TroubleKind
from guardian.model.crawling import Checkpoint, CrawlRequest, FrontierRow, FrontierState, Remembered
from guardian.model.matches import (
    MEASURED_FACTS,
    Affine,
    Box,
    Comparison,
    Incomplete,
    IncompleteReason,
    Match,
    MatchReport,
    MeasuredFact,
    Transform,
)
from guardian.model.messages import Message
from guardian.model.reasons import Retry, Scope, SkipReason, label_of, read_reason, reason_word
from guardian.model.scans import ScanCounts
from guardian.model.sightings import Context, PageCapture, PageImage, Response, Sighting, Skipped
from guardian.model.tasks import Process, Scan, ScanOutcome, Task, TaskKind, TaskState
from guardian.model.works import Parted, Work

__all__ = [
    "ACTIONS_BY_STRENGTH",
    "MEASURED_FACTS",
    "NO_RULE",
    "SEVERITIES_BY_STRENGTH",
    "Action",
    "Affine",
    "Answer",
    "Asset",
    "AssetState",
    "Box",
    "CacheStatus",
    "Candidate",
    "Case",
    "CaseEvent",
    "CaseState",
    "Checkpoint",
    "Comparison",
    "Context",
    "Coverage",
    "CrawlRequest",
    "Decision",
    "Fetched",
    "Finding",
    "FindingDigest",
    "FrontierRow",
    "FrontierState",
    "Incomplete",
    "IncompleteReason",
    "JudgedMatch",
    "Licence",
    "LicenceStatus",
    "Match",
    "MatchReport",
    "MeasuredFact",
    "Message",
    "Outcome",
    "PageCapture",
    "PageImage",
    "Parted",
    "Process",
    "Remembered",
    "Response",
    "Retry",
    "Rights",
    "Scan",
    "ScanCounts",
    "ScanOutcome",
    "Scope",
    "Severity",
    "Sighting",
    "SkipReason",
    "Skipped",
    "Task",
    "TaskKind",
    "TaskState",
    "Transform",
    "Trouble",
    "TroubleKind",
    "Unchanged",
    "Work",
    "label_of",
    "read_reason",
    "reason_word",
]
