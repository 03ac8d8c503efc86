"""
Disputes of the sandbox provider: what a payer does at their bank and what the bank decides is asked for here, and comes
back to us as the provider's signed event.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from accounts.models import User
from core.api.errors import NotFound
from investments.errors import ChargeNotDisputable, DisputeClosed, DisputeNotOpen
from investments.models import Dispute, Payment, SandboxDispute
from investments.permissions import READ
from investments.providers.sandbox import SandboxGateway, event_about_dispute
from investments.services.provider_events import apply_event, receive_event


def play_dispute(*, person: User, investment_id: UUID, outcome: str, now: datetime) -> Dispute:
    """
    Dispute an investment's payment in the sandbox, or end its dispute; asking for what is so already changes nothing.

    :param outcome: open, won or lost
    :raises NotFound: no such investment, somebody else's, or one that was not paid through the sandbox
    :raises ChargeNotDisputable: nothing was taken
    :raises DisputeNotOpen: :raises DisputeClosed:
    """
    if SandboxGateway.name != settings.PAYMENTS_PROVIDER:
        raise NotFound()
    own = Q() if READ.held_by(person) else Q(investment__investor_id=person.pk)
    payment = Payment.objects.filter(own, investment=investment_id, provider=SandboxGateway.name).first()
    if payment is None:
        raise NotFound()
    sandbox = SandboxGateway()
    dispute = sandbox.newest_dispute(payment.key)
    if outcome == SandboxDispute.State.OPEN:
        if dispute is None or dispute.state == SandboxDispute.State.WON:
            dispute = sandbox.open_dispute(payment.key, now=now)
        elif dispute.state == SandboxDispute.State.LOST:
            raise DisputeClosed(outcome=dispute.state)
    elif dispute is None:
        raise DisputeNotOpen()
    elif dispute.state == SandboxDispute.State.OPEN:
        dispute = sandbox.close_dispute(dispute, won=outcome == SandboxDispute.State.WON, now=now)
    elif dispute.state != outcome:
        raise DisputeClosed(outcome=dispute.state)
    _tell(dispute, now)
    return Dispute.objects.get(provider=sandbox.name, provider_id=dispute.provider_id)


def contest(key: str, *, now: datetime) -> None:
    """The holder of the test card for chargebacks contests what was charged, once. `key`: of the charge."""
    sandbox = SandboxGateway()
    dispute = sandbox.newest_dispute(key)
    if dispute is None:
        try:
            dispute = sandbox.open_dispute(key, now=now)
        except ChargeNotDisputable:
            return  # it was not captured
    _tell(dispute, now)


def _tell(dispute: SandboxDispute, now: datetime) -> None:
    """As every provider's event comes, and applied at once."""
    body, headers = event_about_dispute(dispute, now=now)
    received_id = receive_event(provider=SandboxGateway.name, body=body, headers=headers, now=now)
    if received_id is not None:
        apply_event(received_id, now=now)
