"""What runs in the background: handlers of the outbox, and what is done by the clock. Each may run twice at once."""

from functools import partial
from uuid import UUID

from core import clock
from core.jobs import outbox
from core.jobs.runner import Job, register
from investments.models import DistributionCharge, Payment
from investments.providers import asking
from investments.providers.base import OutcomeUnknown
from investments.reconciliation import providers_to_reconcile, reconcile
from investments.services import (
    charging,
    closing,
    distributing,
    distribution_review,
    payout_targets,
    payouts,
    provider_events,
    reconfirming,
    refunds,
    sandbox_disputes,
    settlements,
    waiting,
)

CLOSE_CAMPAIGNS = register(
    Job(
        "investments.close_campaigns",
        "Decide campaigns whose deadline has passed, and release or refund what they hold.",
        due=closing.campaigns_to_close,
        work=closing.close_campaign,
    )
)
MOVE_WAITING_LISTS = register(
    Job(
        "investments.move_waiting_lists",
        "Pass on offers of places in campaigns that have run out.",
        due=waiting.lists_to_move,
        work=waiting.move_list,
    )
)
REFUND_UNCONFIRMED = register(
    Job(
        "investments.refund_unconfirmed",
        "Refund investors who have not confirmed new terms of their campaign in time.",
        due=reconfirming.unconfirmed,
        work=reconfirming.refund_unconfirmed,
    )
)
FINISH_PAYMENTS = register(
    Job(
        "investments.finish_payments",
        "Ask the provider about payments that have been under way for a minute, or whose time is up.",
        due=partial(charging.quiet_charges, Payment),
        work=partial(charging.ask_about, Payment),
    )
)
FINISH_REFUNDS = register(
    Job(
        "investments.finish_refunds",
        "Send refunds again that have been under way for five minutes.",
        due=refunds.quiet_refunds,
        work=refunds.send_again,
    )
)


RECONCILE = register(
    Job(
        "investments.reconcile",
        "Compare payments, refunds and the ledger with the provider's statement, once a day.",
        due=providers_to_reconcile,
        work=reconcile,
    )
)


DISTRIBUTE_RETURNS = register(
    Job(
        "investments.distribute_returns",
        "Credit the holders of campaigns with the distributions that are approved.",
        due=distributing.distributions_to_pay,
        work=distributing.distribute,
    )
)
FINISH_DISTRIBUTIONS = register(
    Job(
        "investments.finish_distributions",
        "Ask the provider about distributions whose payment has been under way for a minute, or whose time is up.",
        due=partial(charging.quiet_charges, DistributionCharge),
        work=partial(charging.ask_about, DistributionCharge),
    )
)
FINISH_DISTRIBUTION_REFUNDS = register(
    Job(
        "investments.finish_distribution_refunds",
        "Send refunds of rejected distributions again that have been under way for five minutes.",
        due=distribution_review.quiet_refunds,
        work=distribution_review.send_refund_again,
    )
)
FINISH_PAYOUTS = register(
    Job(
        "investments.finish_payouts",
        "Send payouts again that have been under way for a minute.",
        due=payouts.quiet_payouts,
        work=payouts.send_payout_again,
    )
)
FINISH_EVENTS = register(
    Job(
        "investments.finish_events",
        "Apply events of payment providers that have waited for a minute.",
        due=provider_events.quiet_events,
        work=provider_events.apply_again,
    )
)
SETTLE_CAMPAIGNS = register(
    Job(
        "investments.settle_campaigns",
        "Pay the owners of funded campaigns, as far as their target is verified and people have approved.",
        due=settlements.settlements_to_advance,
        work=settlements.advance,
    )
)
FINISH_SETTLEMENTS = register(
    Job(
        "investments.finish_settlements",
        "Send payments to owners again that have been under way for a minute.",
        due=settlements.quiet_payments,
        work=settlements.send_payment_again,
    )
)
VERIFY_TARGETS = register(
    Job(
        "investments.verify_targets",
        "Ask providers again about payout targets that are not verified yet.",
        due=payout_targets.quiet_targets,
        work=payout_targets.verify_target_again,
    )
)


FINISHERS = (
    FINISH_PAYMENTS,
    FINISH_REFUNDS,
    FINISH_DISTRIBUTIONS,
    FINISH_DISTRIBUTION_REFUNDS,
    FINISH_PAYOUTS,
    FINISH_EVENTS,
    FINISH_SETTLEMENTS,
    VERIFY_TARGETS,
)
"""Whatever asks a provider is brought to its end by one of them; `finish_pending` runs them all."""


@outbox.on("investments.charge")
def charge(event_id: UUID, payment_id: str) -> None:
    if not charging.finish(Payment, UUID(payment_id), now=clock.now()):
        raise outbox.NotYet("the provider did not answer", after=charging.ASK_AGAIN, tried=False)


@outbox.on("investments.refund")
def refund(event_id: UUID, refund_id: str) -> None:
    if pause := refunds.send_refund(UUID(refund_id), now=clock.now()):
        raise outbox.NotYet("the provider did not confirm", after=pause, tried=False)


@outbox.on("investments.send_refunds")
def send_refunds(event_id: UUID, campaign_id: str) -> None:
    """Those that the end of a campaign has asked for; the last one settles it."""
    if not refunds.send_refunds(UUID(campaign_id), now=clock.now()):
        raise outbox.NotYet("more refunds wait", after=refunds.GO_ON_AFTER, tried=False)
    closing.close_campaign(UUID(campaign_id), now=clock.now())


@outbox.on("investments.leave_waiting_lists")
def leave_waiting_lists(event_id: UUID, person_id: str) -> None:
    """Of somebody whose account was erased."""
    waiting.leave_every_list(UUID(person_id), now=clock.now())


@outbox.on("investments.provider_event")
def apply_event(event_id: UUID, received_id: str) -> None:
    """A provider has told of a charge: it is asked what the charge is now."""
    try:
        provider_events.apply_event(UUID(received_id), now=clock.now())
    except OutcomeUnknown as silence:
        raise outbox.NotYet(str(silence), after=charging.ASK_AGAIN, tried=False) from silence


@outbox.on("investments.dispute_in_sandbox")
def dispute_in_sandbox(event_id: UUID, key: str) -> None:
    """The holder of a test card contests the charge, some seconds after it."""
    sandbox_disputes.contest(key, now=clock.now())


@outbox.on("investments.forget_customer")
def forget_customer(event_id: UUID, provider: str, customer_id: str) -> None:
    """Of a person who was erased."""
    try:
        with asking(provider) as one:
            one.forget(customer_id=customer_id)
    except OutcomeUnknown as silence:
        raise outbox.NotYet(str(silence), after=charging.ASK_AGAIN, tried=False) from silence


@outbox.on("investments.close_campaign")
def close_campaign(event_id: UUID, campaign_id: str) -> None:
    """At once; whatever has to wait is done by the job."""
    closing.close_campaign(UUID(campaign_id), now=clock.now())


@outbox.on("investments.pay_in")
def pay_in(event_id: UUID, charge_id: str) -> None:
    if not charging.finish(DistributionCharge, UUID(charge_id), now=clock.now()):
        raise outbox.NotYet("the provider did not answer", after=charging.ASK_AGAIN, tried=False)


@outbox.on("investments.refund_distribution")
def refund_distribution(event_id: UUID, charge_id: str) -> None:
    if pause := distribution_review.send_refund(UUID(charge_id), now=clock.now()):
        raise outbox.NotYet("the provider did not confirm", after=pause, tried=False)


@outbox.on("investments.distribute")
def distribute(event_id: UUID, distribution_id: str) -> None:
    """At once; whatever is left is done by the job."""
    distributing.distribute(UUID(distribution_id), now=clock.now())


@outbox.on("investments.pay_out")
def pay_out(event_id: UUID, payout_id: str) -> None:
    if pause := payouts.send_payout(UUID(payout_id), now=clock.now()):
        raise outbox.NotYet("the provider did not answer", after=pause, tried=False)


@outbox.on("investments.verify_target")
def verify_target(event_id: UUID, target_id: str) -> None:
    if pause := payout_targets.verify_target(UUID(target_id), now=clock.now()):
        raise outbox.NotYet("the provider does not know yet", after=pause, tried=False)


@outbox.on("investments.settle")
def settle(event_id: UUID, settlement_id: str) -> None:
    """At once; whatever has to wait is done by the job."""
    settlements.advance(UUID(settlement_id), now=clock.now())


@outbox.on("investments.pay_owner")
def pay_owner(event_id: UUID, payment_id: str) -> None:
    if pause := settlements.send_payment(UUID(payment_id), now=clock.now()):
        raise outbox.NotYet("the provider did not answer", after=pause, tried=False)
