"""Lists which consumer does each kind of task."""

from pathlib import Path
from typing import TYPE_CHECKING

from guardian.app import App, capture_services_of, exporting_of
from guardian.catalog.looking_back import LookBackConsumer
from guardian.delivery.delivery import Delivery
from guardian.delivery.sending import DeliveryConsumer
from guardian.evidence.bundle_options import BundleOptions
from guardian.evidence.bundle_tasks import BundleConsumer, Export
from guardian.evidence.capture_tasks import CaptureConsumer
from guardian.fetch.trusted import TrustedClient
from guardian.model import Actor, TaskKind
from guardian.processes import Heartbeat
from guardian.scan.recheck.cases import NoticeRecheckConsumer
from guardian.scan.recheck.earlier_uses import EarlierUseConsumer
from guardian.scan.recheck.on_request import RequestedRecheckConsumer, VerifyNoticeConsumer
from guardian.tasks.outcomes import Consumer
from guardian.tasks.runner import Runner

if TYPE_CHECKING:
    from guardian.evidence.bundle import Written


def make_runner(app: App, delivery: Delivery, heartbeat: Heartbeat) -> Runner:
    """Return the task runner of this process, with a consumer for each kind of task. New kinds are listed here."""
    clock = app.services.clock
    sources = {source.name: source for source in app.config.sources}
    consumers: dict[TaskKind, Consumer] = {
        TaskKind.DELIVER: DeliveryConsumer(app.store, delivery, clock, heartbeat.id),
        TaskKind.LOOK_BACK: LookBackConsumer(lambda asset_id: app.catalog.look_back(asset_id), clock),
        TaskKind.RECHECK: EarlierUseConsumer(app.services, sources),
        TaskKind.RECHECK_NOTICE: NoticeRecheckConsumer(app.services, sources),
        TaskKind.CAPTURE: CaptureConsumer(capture_services_of(app), heartbeat.id),
        TaskKind.RECHECK_ASKED: RequestedRecheckConsumer(app.services, sources),
        TaskKind.VERIFY_NOTICE: VerifyNoticeConsumer(app.services),
        TaskKind.BUNDLE: BundleConsumer(app.store, _export_of(app), app.config.data_dir, clock),
    }
    return Runner(app.store, heartbeat.id, clock, consumers)


def _export_of(app: App) -> Export:
    """Return what writes the bundle of a case into a folder, for somebody at the desk."""

    async def export_case(case_id: str, folder: Path, by: Actor, options: BundleOptions) -> "Written":
        # Imported late: what signs and stamps takes its time to load.
        from guardian.evidence.exporting import export

        async with TrustedClient(app.config.delivery.ca_file) as client:
            exporting = exporting_of(app.config, app.store, app.services.workers, client)
            return await export(exporting, case_id, folder, by, app.services.clock(), options)

    return export_case
