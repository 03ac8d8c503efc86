"""
A charge by our key, whatever it pays: an investment (`Payment`) or a distribution (`DistributionCharge`). Requested
once per key, recorded once, always finished.

`charge` and `finish` talk to the provider and hold no lock; `record_charge` holds the locks and talks to nobody. The
request, the outbox and the provider's own events all end in `record_charge`, in any order and number. The finisher puts
charges back into the outbox. What an outcome means is in `payments` and `distribution_charges`.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Q, QuerySet

from core.data import sql
from core.data.transactions import retrying
from core.jobs import outbox
from investments.models import DistributionCharge, Payment
from investments.providers import asking
from investments.providers.base import Charge, OutcomeUnknown, State
from investments.services import distribution_charges, payments
from investments.services.declines import count_decline
from investments.services.outcomes import Charged

logger = logging.getLogger("vectragrow.payments")

FINISH_AFTER = timedelta(seconds=60)
"""How long a charge may be under way before the finisher looks after it."""
ASK_AGAIN = timedelta(seconds=30)
"""After a provider that did not answer."""


class UnexpectedCharge(Exception):
    """The provider says something of a charge that cannot be: another amount, or money we had given up."""


class Outcomes(Protocol):
    """What the charges of one table need; each of these modules has it for its own."""

    def charges(self) -> QuerySet[Any]:
        """With what the provider is asked about."""
        ...

    def outbox_row(self, charge_id: UUID, now: datetime) -> Any:
        """The event that calls `finish`."""
        ...

    def may_wait(self, charge: Any, now: datetime) -> bool:
        """Whether an unfinished one is left to its payer; otherwise it is cancelled at the provider."""
        ...

    def lock(self, charge_id: UUID) -> Any: ...

    def capture(self, charge: Any, answer: Charge, now: datetime) -> None: ...

    def wait_for_payer(self, charge: Any, answer: Charge, now: datetime) -> None: ...

    def give_up(self, charge: Any, answer: Charge, now: datetime) -> None: ...

    def after_capture(self, charge: Any, now: datetime) -> None:
        """In the same commit, once all of it is written."""
        ...


_OUTCOMES: dict[type[Charged], Outcomes] = {Payment: payments, DistributionCharge: distribution_charges}


def read_charge(table: type[Charged], charge_id: UUID) -> Charged:
    """With what the provider is asked about."""
    found: Charged = _OUTCOMES[table].charges().get(pk=charge_id)
    return found


def charge_called(provider: str, key: str) -> Charged | None:
    """The charge that a provider knows under this key; None if it is not ours."""
    found = (of.charges().filter(provider=provider, key=key).first() for of in _OUTCOMES.values())
    return next((charged for charged in found if charged is not None), None)


def is_recorded(charged: Charged, state: State) -> bool:
    """Whether it has come to that end already."""
    if charged.status == charged.Status.FAILED:
        return state in (State.DECLINED, State.CANCELLED)
    return not charged.is_open and state == State.CAPTURED


def charge(charged: Charged, *, now: datetime) -> bool:
    """
    Ask the provider for the money of a pending charge and record what it says.

    :param charged: as `read_charge` gives it
    :returns: False if the provider did not answer; ask again
    """
    if charged.status != charged.Status.PENDING:
        return True
    try:
        with asking(charged.provider) as provider:
            answer = provider.charge(
                key=charged.key,
                payer_id=charged.payer_id,
                token=charged.paying_method.token,
                amount=charged.amount,
                now=now,
            )
    except OutcomeUnknown:
        logger.warning("the provider did not answer a charge", extra={"chargeId": charged.pk}, exc_info=True)
        return False
    recorded = record_charge(charged, answer, now=now)
    if recorded.status == charged.Status.PENDING and recorded.expires_at <= now:
        return finish(type(charged), charged.pk, now=now)  # it was not let wait: see `wait_for_payer`
    return True


def finish(table: type[Charged], charge_id: UUID, *, now: datetime) -> bool:
    """
    Bring a charge that is under way to its end, as far as that can be known now.

    While it may wait, the question is only repeated. After that the charge is cancelled at the provider: what was
    captured by then counts, the rest is given up.

    :returns: False if the provider did not answer
    """
    charged = read_charge(table, charge_id)
    if not charged.is_open:
        return True
    table._default_manager.filter(pk=charge_id).update(updated_at=now)  # looked after: not again for a minute
    waits = _OUTCOMES[table].may_wait(charged, now)
    if waits and charged.status == charged.Status.PENDING:
        return charge(charged, now=now)
    try:
        with asking(charged.provider) as provider:
            answer = provider.find(key=charged.key) if waits else provider.cancel(key=charged.key, now=now)
    except OutcomeUnknown:
        logger.warning("the provider did not answer about a charge", extra={"chargeId": charge_id}, exc_info=True)
        return False
    if answer is not None:
        record_charge(charged, answer, now=now)
    return True


def quiet_charges(table: type[Charged], now: datetime) -> QuerySet[Any, UUID]:
    """Ids of charges under way that nobody has asked about for a minute, or whose time is up."""
    waiting = table._default_manager.filter(status__in=[table.Status.PENDING, table.Status.REQUIRES_ACTION])
    quiet = Q(updated_at__lte=now - FINISH_AFTER) | Q(expires_at__lte=now)
    due = waiting.filter(quiet).exclude(outbox.is_waiting(now))
    return due.order_by("updated_at", "id").values_list("pk", flat=True)


@retrying
def ask_about(table: type[Charged], charge_id: UUID, *, now: datetime) -> None:
    """Put a charge back into the outbox, which calls `finish`."""
    outbox.put_back(_OUTCOMES[table].outbox_row(charge_id, now))


@retrying
def end_payment(payment_id: UUID, *, now: datetime) -> None:
    """The time of a payment under way is up: the outbox has it cancelled, unless the provider has taken the money."""
    Payment.objects.filter(pk=payment_id, expires_at__gt=now).update(expires_at=now)
    ask_about(Payment, payment_id, now=now)


@retrying
def record_charge(charged: Charged, answer: Charge, *, now: datetime) -> Charged:
    """
    Record the provider's answer about a charge: money, limits, status, notices, in one commit. Repeating it changes
    nothing.

    :param charged: only its table and id count; it is read again under its lock
    :returns: how it is now
    :raises UnexpectedCharge: it contradicts what is settled; nothing is changed
    """
    outcomes = _OUTCOMES[type(charged)]
    charged = outcomes.lock(charged.pk)
    was_open, status = charged.is_open, charged.Status
    if was_open and answer.state == State.DECLINED:
        count_decline(charged, answer.reason, now=now)  # before the rows that everybody waits for
    with sql.together():
        if answer.state == State.CAPTURED:
            _refuse_unexpected(charged, answer)
            if was_open:
                outcomes.capture(charged, answer, now)
        elif answer.state == State.REQUIRES_ACTION:
            if charged.status == status.PENDING:
                outcomes.wait_for_payer(charged, answer, now)
        elif was_open:
            outcomes.give_up(charged, answer, now)
        elif charged.status != status.FAILED:
            logger.info("an old answer about a captured charge", extra={"chargeId": charged.pk})
        if was_open and not charged.is_open:
            outbox.done(charged.pk, now=now)
    if was_open and charged.status == status.CAPTURED:
        outcomes.after_capture(charged, now)
    return charged


def _refuse_unexpected(charged: Charged, answer: Charge) -> None:
    if answer.amount != charged.amount:
        raise UnexpectedCharge(f"{charged.key}: {answer.amount} instead of {charged.amount}")
    if charged.status == charged.Status.FAILED:
        raise UnexpectedCharge(f"{charged.key}: captured after it was given up")
