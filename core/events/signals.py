"""How a fact is told upwards: after the commit that made it, to whoever listens (docs/ARCHITECTURE.md)."""

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal


def announce(signal: Signal, **facts: Any) -> None:
    """Send after the commit. A listener that fails is logged by Django and keeps nobody else from hearing."""
    transaction.on_commit(partial(signal.send_robust, sender=None, **facts))
