"""One pass over the deliveries that are due, as the daemon makes it every few seconds."""

import random
from collections.abc import Callable
from datetime import datetime

from guardian.delivery.delivery import Delivery
from guardian.delivery.sending import Deliveries, DeliveryConsumer, deliveries_of
from guardian.model import TaskKind
from guardian.store import Store
from guardian.tasks.runner import Runner

OWNER = "deliver"


async def deliver_due(
    store: Store,
    delivery: Delivery,
    clock: Callable[[], datetime],
    limit: int = 1000,
    chance: random.Random | None = None,
) -> Deliveries:
    """Send what is due and return what came of it."""
    consumer = DeliveryConsumer(store, delivery, clock, OWNER, chance)
    return deliveries_of(await Runner(store, OWNER, clock, {TaskKind.DELIVER: consumer}).run_due(limit))
