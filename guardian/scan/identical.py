"""Completes the matcher's report about bytes that are those of a protected asset's own file: certain, and whole."""

from dataclasses import replace

from guardian.matching.identical import identical_comparison
from guardian.model import Asset, AssetState, Match, MatchReport, Skipped, SkipReason
from guardian.store import Store


def with_identical(store: Store, recipe: str, sha256: str, report: MatchReport | Skipped) -> MatchReport | Skipped:
    """Return the report about bytes with this digest (hex SHA-256), the asset whose own file they are first.

    Returns it as it is when they are no protected asset's. A Skipped, for bytes that cannot be compared, becomes a
    report with that asset alone.
    """
    with store.read() as tx:
        asset = tx.assets.by_sha256(sha256)
    if asset is None or asset.state is not AssetState.PROTECTED:
        return report

    if isinstance(report, Skipped):
        report = _empty_report(recipe, asset, report)
    measured = next((match.comparison for match in report.matches if match.asset_id == asset.id), None)
    others = tuple(match for match in report.matches if match.asset_id != asset.id)
    return replace(report, matches=(Match(asset.id, identical_comparison(measured)), *others))


def _empty_report(recipe: str, asset: Asset, problem: Skipped) -> MatchReport:
    """Return a report without matches about bytes that the matcher could not compare.

    It is partial, unless they look like nothing that could be compared at all.
    """
    return MatchReport(
        recipe=recipe,
        matches=(),
        up_to_number=0,
        assets_searched=0,
        width=asset.width,
        height=asset.height,
        partial=problem.reason not in (SkipReason.TOO_PLAIN, SkipReason.TOO_SMALL),
        perceptual_hash=asset.perceptual_hash,
    )
