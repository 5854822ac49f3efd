"""Lists which consumer does each kind of task."""

from guardian.app import App
from guardian.delivery.delivery import Delivery
from guardian.delivery.sending import DeliveryConsumer
from guardian.model import TaskKind
from guardian.processes import Heartbeat
from guardian.tasks.runner import Runner


def make_runner(app: App, delivery: Delivery, heartbeat: Heartbeat) -> Runner:
    """Return the task runner of this process, with a consumer for each kind of task. New kinds are listed here."""
    clock = app.services.clock
    consumers = {TaskKind.DELIVER: DeliveryConsumer(app.store, delivery, clock, heartbeat.id)}
    return Runner(app.store, heartbeat.id, clock, consumers)
