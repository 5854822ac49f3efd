"""The domain types: frozen dataclasses without I/O that alone cross room, process and database borders."""

from guardian.model.assets import Asset, AssetState, Licence, Rights, Standing
from guardian.model.cases import Action, Case, CaseEvent, CaseState, Decision, Finding, FindingDigest, Severity
from guardian.model.crawling import FrontierRow, FrontierState, Lead, Remembered
from guardian.model.matches import Affine, Box, Comparison, Match, MatchReport, Transform
from guardian.model.sightings import Candidate, Context, Omission, Response, Sighting
from guardian.model.tasks import Scan, Task, TaskKind, TaskState

__all__ = [
    "Action",
    "Affine",
    "Asset",
    "AssetState",
    "Box",
    "Candidate",
    "Case",
    "CaseEvent",
    "CaseState",
    "Comparison",
    "Context",
    "Decision",
    "Finding",
    "FindingDigest",
    "FrontierRow",
    "FrontierState",
    "Lead",
    "Licence",
    "Match",
    "MatchReport",
    "Omission",
    "Remembered",
    "Response",
    "Rights",
    "Scan",
    "Severity",
    "Sighting",
    "Standing",
    "Task",
    "TaskKind",
    "TaskState",
    "Transform",
]
