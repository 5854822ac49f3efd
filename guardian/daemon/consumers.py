"""Lists which consumer does each kind of task."""

from guardian.app import App, capture_services_of
from guardian.catalog.looking_back import LookBackConsumer
from guardian.delivery.delivery import Delivery
from guardian.delivery.sending import DeliveryConsumer
from guardian.evidence.capture_tasks import CaptureConsumer
from guardian.model import TaskKind
from guardian.processes import Heartbeat
from guardian.scan.notice_recheck import NoticeRecheckConsumer
from guardian.scan.recheck import RecheckConsumer
from guardian.tasks.outcomes import Consumer
from guardian.tasks.runner import Runner


def make_runner(app: App, delivery: Delivery, heartbeat: Heartbeat) -> Runner:
    """Return the task runner of this process, with a consumer for each kind of task. New kinds are listed here."""
    clock = app.services.clock
    sources = {source.name: source for source in app.config.sources}
    consumers: dict[TaskKind, Consumer] = {
        TaskKind.DELIVER: DeliveryConsumer(app.store, delivery, clock, heartbeat.id),
        TaskKind.LOOK_BACK: LookBackConsumer(lambda asset_id: app.catalog.look_back(asset_id), clock),
        TaskKind.RECHECK: RecheckConsumer(app.services, sources),
        TaskKind.RECHECK_NOTICE: NoticeRecheckConsumer(app.services, sources),
        TaskKind.CAPTURE: CaptureConsumer(capture_services_of(app), heartbeat.id),
    }
    return Runner(app.store, heartbeat.id, clock, consumers)
