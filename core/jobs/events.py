"""What is recorded of background work."""

from core.events.kinds import Kind, declare
from core.models import OutboxEvent

declare(Kind("outbox_event.retried", about=OutboxEvent, facts={"topic": str}))
