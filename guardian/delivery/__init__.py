"""Signs and sends what is due, and settles it afterwards; knows nothing of cases."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian.delivery.outbox import Deliveries, Settled, deliver_due, settle
    from guardian.delivery.retries import retry_at
    from guardian.delivery.secrets import Secrets
    from guardian.delivery.webhook import Delivery, message_id, shown_url

__all__ = [
    "Deliveries",
    "Delivery",
    "Secrets",
    "Settled",
    "deliver_due",
    "message_id",
    "retry_at",
    "settle",
    "shown_url",
]

_HOMES = {
    "outbox": ("Deliveries", "Settled", "deliver_due", "settle"),
    "retries": ("retry_at",),
    "secrets": ("Secrets",),
    "webhook": ("Delivery", "message_id", "shown_url"),
}


def __getattr__(name: str) -> object:
    # The configuration imports this room's settings, and must not pay for SQLAlchemy and httpx by that.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(name)
