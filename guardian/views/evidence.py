"""Shows captures: as JSON, and as lines for people."""

from typing import Any

from guardian.model import (
    CaptureOrder,
    CaptureReason,
    EvidenceCapture,
    EvidenceDeletion,
    EvidenceFile,
    EvidenceHold,
    Task,
)
from guardian.views.counting import counted, size_text
from guardian.views.timestamps import minute_text

_REASON_TEXTS = {
    CaptureReason.OPENED: "the case opened",
    CaptureReason.CHANGED: "what is shown changed",
    CaptureReason.ASKED: "asked for",
    CaptureReason.NOTICE: "before a notice",
    CaptureReason.ABSENCE: "proof that it is gone",
    CaptureReason.RETURNED: "it is up again",
}


def capture_json(capture: EvidenceCapture) -> dict[str, Any]:
    """Return a capture as JSON values; users and bundles rely on these names."""
    return {
        "id": capture.id,
        "case": capture.case_id,
        "finding": capture.finding_id,
        "reason": capture.reason.value,
        "asked_by": capture.asked_by,
        "began_at": capture.began_at.isoformat(),
        "ended_at": capture.ended_at.isoformat(),
        "page_url": capture.page_url,
        "image_url": capture.image_url,
        "guardian_version": capture.guardian_version,
        "files": [_file_json(file) for file in capture.files],
        "not_taken": [{"name": one.name, "reason": one.reason} for one in capture.not_taken],
        "differences": list(capture.differences),
    }


def hold_json(hold: EvidenceHold | None) -> dict[str, str] | None:
    """Return a hold as JSON values; None where there is none."""
    return None if hold is None else {"at": hold.at.isoformat(), "by": hold.by, "note": hold.note}


def hold_text(hold: EvidenceHold) -> str:
    """Return since when a case is on hold, by whom and why."""
    return f"on hold since {hold.at:%Y-%m-%d} by {hold.by}: {hold.note}"


def deletion_json(deletion: EvidenceDeletion) -> dict[str, Any]:
    """Return the trace of a deletion as JSON values."""
    return {
        "id": deletion.id,
        "at": deletion.at.isoformat(),
        "by": deletion.by,
        "reason": deletion.reason.value,
        "note": deletion.note,
        "captures": deletion.captures,
        "bytes": deletion.size_bytes,
        "files": [{"name": one.name, "sha256": one.sha256, "bytes": one.size_bytes} for one in deletion.files],
    }


def deletion_text(deletion: EvidenceDeletion) -> str:
    """Return what was deleted, when, by whom and why."""
    files = counted(len(deletion.files), "file")
    why = f": {deletion.note}" if deletion.note else ""
    return f"{deletion.id}  deleted on {deletion.at:%Y-%m-%d} by {deletion.by}, {files}{why}"


def reason_text(capture: EvidenceCapture, *, with_name: bool = True) -> str:
    """Return why a capture was taken, and with `with_name` who asked for it."""
    text = _REASON_TEXTS[capture.reason]
    return f"{text} by {capture.asked_by}" if with_name and capture.asked_by is not None else text


def owed_text(order: CaptureOrder, task: Task) -> str:
    """Return that a capture is still to be taken, why and when; where it failed before, why it did."""
    failed = f"; the last try failed: {task.last_error}" if task.last_error else ""
    again = "; this machine failed at a part of the one before" if order.repeats else ""
    return (
        f"a capture is owed ({_REASON_TEXTS[order.reason]}{again}), due {minute_text(task.due_at)}: "
        f"`guardian run` takes it{failed}"
    )


def capture_size_text(capture: EvidenceCapture) -> str:
    """Return how many files a capture has and how many bytes they take."""
    size = sum(file.size_bytes for file in capture.files)
    return f"{counted(len(capture.files), 'file')}, {size_text(size)}"


def _file_json(file: EvidenceFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "sha256": file.sha256,
        "bytes": file.size_bytes,
        "media_type": file.media_type,
        "about": file.about,
    }
