"""The audit log in words, for people; programs and exports name actions, scopes and ids as they are stored."""

from collections.abc import Mapping

from guardian.model import AuditLine, Permission
from guardian.model.notices import NoticeStep
from guardian.views.notices import STEP_TEXTS

PERMISSION_TEXTS = {
    Permission.CASES_READ: "see cases",
    Permission.CASES_WRITE: "decide about cases",
    Permission.ASSETS_READ: "see images",
    Permission.ASSETS_WRITE: "add and correct images",
    Permission.LICENCES_READ: "see licences",
    Permission.LICENCES_WRITE: "grant and end licences",
    Permission.CHECK: "check pictures",
    Permission.SEARCH: "search",
    Permission.OPERATIONS_READ: "see sources and deliveries",
    Permission.OPERATIONS_WRITE: "send messages again or drop them",
    Permission.SOURCES_SCAN: "scan sources",
    Permission.PEOPLE: "change people and tokens",
}
"""What somebody or something may do."""

ACTION_TEXTS: Mapping[str, str] = {
    "asset.added": "image protected",
    "asset.edited": "image corrected",
    "asset.removed": "image taken out",
    "audit.begun": "audit log begun",
    "case.assign": "case assigned",
    "case.close": "case closed",
    "case.confirm": "case confirmed",
    "case.dismiss": "case dismissed",
    "case.due": "day of a case set",
    "case.label": "case labelled",
    "case.licensed": "case licensed",
    "case.not_mine": "picture called not mine",
    "case.note": "note about a case",
    "case.notice_sent": "case marked: notice sent",
    "case.reopen": "case reopened",
    "case.resolve": "case resolved",
    "case.undo": "decision undone",
    "case.unlabel": "label taken off a case",
    "check.recorded": "check recorded as a scan",
    "delivery.dropped": "held messages dropped",
    "delivery.given_up": "message given up",
    "delivery.released": "held messages sent",
    "delivery.retried": "message sent again",
    "destination.disabled": "destination switched off",
    "destination.enabled": "destination switched on",
    "evidence.bundle_fetched": "bundle of evidence fetched",
    "evidence.capture_asked": "capture asked for",
    "evidence.deleted": "evidence deleted",
    "evidence.held": "evidence on hold",
    "evidence.released": "hold on evidence ended",
    "licence.added": "licence granted",
    "licence.edited": "licence changed",
    "licence.ended": "licence ended",
    "licence.proof_kept": "proof of a licence kept",
    "licence.removed": "licence taken out",
    **{f"notice.{step.value}": f"notice: {STEP_TEXTS[step]}" for step in NoticeStep},
    "search.kept": "search saved",
    "search.removed": "search removed",
    "search.restored": "search saved again",
    "search.unwatched": "watch of a search ended",
    "search.watched": "search watches",
    "source.scan_asked": "scan asked for",
    "source.tried": "source tried",
    "token.added": "token made",
    "token.revoked": "token revoked",
    "user.added": "person added",
    "user.password_changed": "password changed",
    "user.removed": "person removed",
    "user.role_changed": "role changed",
    "user.sign_in_failed": "sign-in failed",
    "user.sign_in_link_made": "address made that signs in once",
    "user.signed_in": "signed in",
    "user.signed_out": "signed out",
}
"""What lines of the audit log say, by their action. The API writes hyphens where these have underscores."""


def action_text(action: str) -> str:
    """Return what an action of the audit log is, in words, one that this version does not know too."""
    known = ACTION_TEXTS.get(action.replace("-", "_"))
    return known or action.replace(".", ": ").replace("_", " ")


def permission_text(scope: str) -> str:
    """Return what a scope lets somebody do, in words; the scope itself when this version does not know it."""
    return PERMISSION_TEXTS[Permission(scope)] if scope in list(Permission) else scope


def detail_text(line: AuditLine) -> str:
    """Return what a line of the audit log says besides, in words."""
    said = dict(line.detail)
    if "scopes" in said:
        said["may"] = ", ".join(permission_text(scope) for scope in said.pop("scopes").split())
    return "; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in said.items())
