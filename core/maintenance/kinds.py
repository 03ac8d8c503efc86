"""What is recorded of background work."""

from core.events.kinds import Kind, declare
from core.models import FailingItem, OutboxEvent

declare(
    Kind("outbox_event.retried", about=OutboxEvent, facts={"topic": str}),
    Kind("failing_item.retried", about=FailingItem, facts={"job": str, "item": str}),
)
