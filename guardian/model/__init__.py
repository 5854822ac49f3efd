"""The domain types: frozen dataclasses without I/O that alone cross room, process and database borders."""

from guardian.model.answers import Answer, CacheStatus, JudgedMatch, Outcome
from guardian.model.assets import Asset, AssetState, Licence, LicenceStatus, Rights
from guardian.model.candidates import Candidate, Fetched, Unchanged
from guardian.model.cases import Action, Case, CaseEvent, CaseState, Decision, Finding, FindingDigest, Severity
from guardian.model.crawling import Checkpoint, CrawlRequest, FrontierRow, FrontierState, Remembered
from guardian.model.matches import Affine, Box, Comparison, Match, MatchReport, Transform
from guardian.model.reasons import Retry, Scope, SkipReason, label_of, read_reason, reason_word
from guardian.model.scans import ScanCounts
from guardian.model.sightings import Context, PageCapture, PageImage, Response, Sighting, Skipped
from guardian.model.tasks import Scan, ScanOutcome, Task, TaskKind, TaskState

__all__ = [
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
    "CrawlRequest",
    "Decision",
    "Fetched",
    "Finding",
    "FindingDigest",
    "FrontierRow",
    "FrontierState",
    "JudgedMatch",
    "Licence",
    "LicenceStatus",
    "Match",
    "MatchReport",
    "Outcome",
    "PageCapture",
    "PageImage",
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
    "Unchanged",
    "label_of",
    "read_reason",
    "reason_word",
]
