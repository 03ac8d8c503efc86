"""
Stripe, over its own SDK (docs/payment-providers.md, ADR 24).

A charge is a PaymentIntent, which is created and then confirmed: creating takes no money. Between the two its id is
stored under our key (`ProviderCharge`), and only an intent that is named there is ever confirmed. So a key has one
charge for ever, not only for the 24 hours in which Stripe remembers idempotency keys, and cancelling a key that has no
intent means storing that it will have none.

The SDK takes a second to import and is imported when it is used.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.conf import settings

from core.api.errors import MalformedBody
from core.api.parsing import parse_json
from core.currencies import digits
from core.data import sql
from core.data.transactions import refuse_in_transaction
from core.money import MAX_MINOR, Money
from investments.errors import InvalidSignature, UnknownPaymentToken, UnreadableEvent
from investments.models import (
    PaymentMethod,
    ProviderAccount,
    ProviderCharge,
    ProviderCustomer,
    ProviderPayout,
    ProviderRefund,
)
from investments.providers.base import (
    Charge,
    Dispute,
    DisputeState,
    Event,
    Instrument,
    MethodDeclined,
    Move,
    OutcomeUnknown,
    PayoutRefused,
    RefundRefused,
    Setup,
    State,
    StatementLine,
    StillProcessing,
    TargetRejected,
    dispute_key,
)

if TYPE_CHECKING:
    from stripe import StripeClient

T = TypeVar("T")

SIGNATURE_HEADER = "Stripe-Signature"
OLDEST = timedelta(seconds=300)
SKEW = timedelta(seconds=60)
OUR_KEY = "vectragrow_key"
"""The entry of Stripe's metadata that holds our key."""

_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{1,100}", re.ASCII)
"""A connected account: the token of a bank account that is paid to."""
_TOKEN = re.compile(r"pm_[A-Za-z0-9_]{1,200}", re.ASCII)
_SECRET_REASONS = {
    "fraudulent",
    "generic_decline",
    "lost_card",
    "merchant_blacklist",
    "pickup_card",
    "restricted_card",
    "security_violation",
    "stolen_card",
}
"""Declines that Stripe asks not to explain to the holder of the card."""


class StripeGateway:
    name = "stripe"
    payout_types: frozenset[str] = frozenset({PaymentMethod.Type.BANK_ACCOUNT})
    test_cards: Mapping[str, str] = {}

    # --- Payment methods --------------------------------------------------------------------------------------------

    def setup(self, *, owner_id: UUID, type: str, now: datetime) -> Setup:
        if type == PaymentMethod.Type.BANK_ACCOUNT:
            return self._onboarding(owner_id, now)
        customer_id = self._customer(owner_id, now)
        with _asking() as stripe:
            intent = stripe.v1.setup_intents.create(
                {"customer": customer_id, "allowed_payment_method_types": ["card"], "usage": "on_session"}
            )
        return Setup(client_secret=_read(lambda: _text(intent.client_secret)))

    def _onboarding(self, owner_id: UUID, now: datetime) -> Setup:
        """Stripe's page, on which a person proves who they are and enters their bank account."""
        known = ProviderAccount.objects.filter(provider=self.name, person_id=owner_id)
        account = known.first()
        if account is None:
            with _asking() as stripe:
                made = stripe.v1.accounts.create(
                    {
                        "type": "express",
                        "capabilities": {"transfers": {"requested": True}},
                        "metadata": {"vectragrow_person": str(owner_id)},
                    },
                    {"idempotency_key": f"account-{owner_id}"},
                )
            account_id = _read(lambda: _text(made.id))
            sql.insert_missing(
                ProviderAccount(provider=self.name, person_id=owner_id, account_id=account_id, created_at=now)
            )
            account = known.get()
        with _asking() as stripe:
            link = stripe.v1.account_links.create(
                {
                    "account": account.account_id,
                    "type": "account_onboarding",
                    "refresh_url": settings.FRONTEND_URL,
                    "return_url": settings.FRONTEND_URL,
                }
            )
        return Setup(url=_read(lambda: _text(link.url, 1000)), token=account.account_id)

    def _bank_account(self, owner_id: UUID, token: str) -> Instrument:
        """Of a person's own connected account."""
        known = ProviderAccount.objects.filter(provider=self.name, person_id=owner_id, account_id=token)
        if not _ACCOUNT.fullmatch(token) or not known.exists():
            raise UnknownPaymentToken(field="details.token")
        account = self._account(token)
        banks = _read(lambda: list(account.external_accounts.data))
        if not banks:
            raise MethodDeclined("onboarding_incomplete")
        bank = banks[0]
        return _read(
            lambda: Instrument(
                token=token,
                type=PaymentMethod.Type.BANK_ACCOUNT,
                brand=_text(getattr(bank, "bank_name", None) or "Bank", 40),
                last4=_text(bank.last4, 4),
            )
        )

    def _account(self, account_id: str) -> Any:
        """:raises UnknownPaymentToken: it is gone"""
        from stripe import InvalidRequestError

        with _asking() as stripe:
            try:
                return stripe.v1.accounts.retrieve(account_id)
            except InvalidRequestError:
                raise UnknownPaymentToken(field="details.token") from None

    def instrument(self, *, owner_id: UUID, type: str, token: str, now: datetime) -> Instrument:
        from stripe import CardError, InvalidRequestError

        if type == PaymentMethod.Type.BANK_ACCOUNT:
            return self._bank_account(owner_id, token)
        if not _TOKEN.fullmatch(token):
            raise UnknownPaymentToken(field="details.token")
        customer_id = self._customer(owner_id, now)
        with _asking() as stripe:
            try:
                method = stripe.v1.payment_methods.retrieve(token)
                customer = getattr(method, "customer", None)
                if _instrument(method).type != type or customer not in (None, customer_id):
                    raise UnknownPaymentToken(field="details.token")
                if customer is None:
                    method = stripe.v1.payment_methods.attach(token, {"customer": customer_id})
            except CardError as error:
                raise MethodDeclined(_reason(error.error)) from error
            except InvalidRequestError:
                raise UnknownPaymentToken(field="details.token") from None
        return _instrument(method)

    def forget(self, *, customer_id: str) -> None:
        from stripe import InvalidRequestError

        with _asking() as stripe:
            try:
                if _ACCOUNT.fullmatch(customer_id):
                    stripe.v1.accounts.delete(customer_id)
                else:
                    stripe.v1.customers.delete(customer_id)
            except InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise

    def _customer(self, person_id: UUID, now: datetime) -> str:
        """Of a person, made the first time. Stripe learns an id of ours and no name."""
        known = ProviderCustomer.objects.filter(provider=self.name, person_id=person_id)
        found = known.first()
        if found is None:
            with _asking() as stripe:
                customer = stripe.v1.customers.create(
                    {"metadata": {"vectragrow_person": str(person_id)}},
                    {"idempotency_key": f"customer-{person_id}"},
                )
            customer_id = _read(lambda: _text(customer.id))
            sql.insert_missing(
                ProviderCustomer(provider=self.name, person_id=person_id, customer_id=customer_id, created_at=now)
            )
            found = known.get()
        return found.customer_id

    # --- Charges ----------------------------------------------------------------------------------------------------

    def charge(self, *, key: str, payer_id: UUID, token: str, amount: Money, now: datetime) -> Charge:
        refuse_in_transaction()
        row = self._row(key) or self._create(key, payer_id, token, amount, now)
        return self._confirm(row) if row.charge_id else _refused(row)

    def _create(self, key: str, payer_id: UUID, token: str, amount: Money, now: datetime) -> ProviderCharge:
        """
        An intent for a key that has none yet. Whoever comes second for the key, be it with a cancellation, goes on with
        what is stored; an intent that is not stored is left unconfirmed.
        """
        from stripe import CardError, InvalidRequestError

        units = units_of(amount)
        customer = ProviderCustomer.objects.filter(provider=self.name, person_id=payer_id).first()
        if units is None or customer is None:
            return self._store(key, now, reason="amount_not_chargeable" if units is None else "payment_method_unusable")
        with _asking() as stripe:
            try:
                intent = stripe.v1.payment_intents.create(
                    {
                        "amount": units,
                        "currency": amount.currency.lower(),
                        "customer": customer.customer_id,
                        "payment_method": token,
                        "metadata": {OUR_KEY: key},
                    },
                    {"idempotency_key": key},
                )
            except (CardError, InvalidRequestError) as error:
                return self._store(key, now, reason=_reason(error.error))
        return self._store(key, now, charge_id=_read(lambda: _text(intent.id)))

    def _confirm(self, row: ProviderCharge) -> Charge:
        from stripe import CardError, InvalidRequestError

        with _asking() as stripe:
            intent = stripe.v1.payment_intents.retrieve(row.charge_id)
            if intent.status != "requires_confirmation":
                return _charge(intent)
            try:
                confirmed = stripe.v1.payment_intents.confirm(
                    row.charge_id,
                    {"return_url": settings.FRONTEND_URL},
                    {"idempotency_key": f"{row.key}-confirm"},
                )
            except CardError:
                return _charge(stripe.v1.payment_intents.retrieve(row.charge_id))
            except InvalidRequestError:
                # It was confirmed or cancelled beside us, or cannot be confirmed.
                return _cancelled(stripe, row.charge_id)
        return _charge(confirmed)

    def cancel(self, *, key: str, now: datetime) -> Charge:
        refuse_in_transaction()
        row = self._row(key) or self._store(key, now, reason="cancelled")
        if not row.charge_id:
            return _refused(row)
        with _asking() as stripe:
            return _cancelled(stripe, row.charge_id)

    def find(self, *, key: str) -> Charge | None:
        refuse_in_transaction()
        row = self._row(key)
        if row is None:
            return None
        if not row.charge_id:
            return _refused(row)
        with _asking() as stripe:
            intent = stripe.v1.payment_intents.retrieve(row.charge_id)
        return None if intent.status == "requires_confirmation" else _charge(intent)

    def _row(self, key: str) -> ProviderCharge | None:
        return ProviderCharge.objects.filter(provider=self.name, key=key).first()

    def _store(self, key: str, now: datetime, *, charge_id: str = "", reason: str = "") -> ProviderCharge:
        """The first one stored for a key is the one."""
        refuse_in_transaction()
        sql.insert_missing(
            ProviderCharge(provider=self.name, key=key, charge_id=charge_id, reason=reason, created_at=now)
        )
        return ProviderCharge.objects.get(provider=self.name, key=key)

    # --- Refunds ----------------------------------------------------------------------------------------------------

    def refund(self, *, key: str, charge_key: str, charge_id: str, amount: Money, now: datetime) -> str:
        from stripe import InvalidRequestError

        refuse_in_transaction()
        units = units_of(amount)
        charge = self._row(charge_key)
        if units is None or charge is None or not charge.charge_id:
            raise RefundRefused("amount_not_refundable" if units is None else "charge_not_refundable")
        is_repeat = not sql.insert_missing(ProviderRefund(provider=self.name, key=key, created_at=now))
        with _asking() as stripe:
            try:
                refund = _refund_of(stripe, charge.charge_id, key) if is_repeat else None
                refund = refund or stripe.v1.refunds.create(
                    {"payment_intent": charge.charge_id, "amount": units, "metadata": {OUR_KEY: key}},
                    {"idempotency_key": key},
                )
            except InvalidRequestError as error:
                raise RefundRefused(_reason(error.error)) from error
        if _read(lambda: _text(refund.status)) in ("failed", "canceled"):
            raise RefundRefused(getattr(refund, "failure_reason", None) or "refund_failed")
        return _text(refund.id)

    def find_dispute(self, *, dispute_id: str) -> Dispute | None:
        from stripe import InvalidRequestError

        with _asking() as stripe:
            try:
                dispute = stripe.v1.disputes.retrieve(dispute_id, {"expand": ["charge"]})
            except InvalidRequestError as error:
                if error.code == "resource_missing":
                    return None
                raise
        return _dispute(dispute)

    # --- Payouts ----------------------------------------------------------------------------------------------------

    def payout(self, *, key: str, token: str, amount: Money, now: datetime) -> str:
        """
        A Transfer to a person's connected account; Stripe pays it out to their bank by its schedule. Noted before the
        first request; a repeat looks for it by our key, which is its transfer group, before it asks.
        """
        from stripe import InvalidRequestError

        refuse_in_transaction()
        if not _ACCOUNT.fullmatch(token):
            raise PayoutRefused("payouts_not_supported")
        units = units_of(amount)
        if units is None:
            raise PayoutRefused("amount_not_payable")
        is_repeat = not sql.insert_missing(ProviderPayout(provider=self.name, key=key, created_at=now))
        asked = ProviderPayout.objects.filter(provider=self.name, key=key)
        if reason := asked.get().reason:
            raise PayoutRefused(reason)
        with _asking() as stripe:
            try:
                found = stripe.v1.transfers.list({"transfer_group": key, "limit": 1}).data if is_repeat else []
                transfer = found[0] if found else None
                transfer = transfer or stripe.v1.transfers.create(
                    {
                        "amount": units,
                        "currency": amount.currency.lower(),
                        "destination": token,
                        "transfer_group": key,
                        "metadata": {OUR_KEY: key},
                    },
                    {"idempotency_key": key},
                )
            except InvalidRequestError as error:
                asked.update(reason=_reason(error.error))
                raise PayoutRefused(_reason(error.error)) from error
        return _read(lambda: _text(transfer.id))

    def verify_target(self, *, key: str, owner_id: UUID, token: str, now: datetime) -> None:
        """Whether Stripe pays out to a connected account: its person has proved who they are."""
        refuse_in_transaction()
        if not _ACCOUNT.fullmatch(token):
            raise TargetRejected("payouts_not_supported")
        try:
            account = self._account(token)
        except UnknownPaymentToken:
            raise TargetRejected("account_closed") from None
        if _read(lambda: account.payouts_enabled) is True:
            return
        disabled = str(getattr(getattr(account, "requirements", None), "disabled_reason", None) or "")
        if disabled.startswith("rejected"):
            raise TargetRejected(disabled[:40])
        raise StillProcessing(f"{token} cannot be paid out to yet")

    # --- The statement ----------------------------------------------------------------------------------------------

    def statement(self, *, since: datetime) -> Iterator[StatementLine]:
        """Stripe lists the newest first, so all are read before the first is given."""
        begin = int(since.timestamp())
        with _asking() as stripe:
            page = stripe.v1.balance_transactions.list(
                {"created": {"gte": begin}, "limit": 100, "expand": ["data.source"]}
            )
            lines = [_line(transaction) for transaction in page.auto_paging_iter()]
        return reversed(lines)

    def holdings(self) -> Mapping[str, int]:
        with _asking() as stripe:
            balance = stripe.v1.balance.retrieve()
        held: dict[str, int] = {}
        for money in _read(lambda: [_money(one) for one in (*balance.available, *balance.pending)]):
            held[money.currency] = held.get(money.currency, 0) + money.minor
        return held

    # --- Events -----------------------------------------------------------------------------------------------------

    def read_event(self, *, body: bytes, headers: Mapping[str, str], now: datetime) -> Event:
        _check_signature(body, headers.get(SIGNATURE_HEADER, ""), now)
        try:
            return _event(parse_json(body))
        except (MalformedBody, ValueError, KeyError, TypeError, AttributeError, OutcomeUnknown):
            raise UnreadableEvent() from None


# --- The line to Stripe ---------------------------------------------------------------------------------------------


@contextmanager
def _asking() -> Iterator["StripeClient"]:
    """
    Stripe, outside of any transaction. The caller reads its clear refusals (`CardError`, `InvalidRequestError`).

    :raises OutcomeUnknown: no answer, or one that says nothing of what was asked
    """
    import stripe

    refuse_in_transaction()
    try:
        yield _client(settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, settings.STRIPE_WAIT)
    except stripe.StripeError as error:
        # What callers have not read: nothing, 409, 429, 5xx; a key of our account that is wrong; an id that is unknown.
        raise OutcomeUnknown(f"{type(error).__name__} {error.http_status or ''} {error.code or ''}".strip()) from error


@cache
def _client(key: str, base: str, wait: float) -> "StripeClient":
    """Without retries of its own, since our outbox repeats; it follows no redirect."""
    import requests
    import stripe

    session = requests.Session()
    session.max_redirects = 0
    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        http_client=stripe.RequestsClient(timeout=(wait, wait), session=session),
        max_network_retries=0,
    )


def _read(part: Callable[[], T]) -> T:
    """:raises OutcomeUnknown: the answer lacks what it should have"""
    try:
        return part()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OutcomeUnknown(f"an incomplete answer: {error}") from error


def _text(value: Any, most: int = 100) -> str:
    if not isinstance(value, str):
        raise TypeError
    if not 1 <= len(value) <= most:
        raise ValueError
    return value


def _reason(error: Any) -> str:
    """The code of a refusal, as far as the person may know it."""
    reason = getattr(error, "decline_code", None) or getattr(error, "code", None) or "refused"
    if reason == "payment_intent_authentication_failure":
        return "authentication_failed"
    return "card_declined" if reason in _SECRET_REASONS else str(reason)[:40]


# --- What Stripe's objects mean -------------------------------------------------------------------------------------


def _instrument(method: Any) -> Instrument:
    """:raises UnknownPaymentToken: something that is not settled at once"""
    card = getattr(method, "card", None)
    if card is None:
        raise UnknownPaymentToken(field="details.token")
    type = PaymentMethod.Type.WALLET if getattr(card, "wallet", None) else PaymentMethod.Type.CARD
    return _read(
        lambda: Instrument(
            token=_text(method.id, 255),
            type=type,
            brand=_text(card.brand, 40),
            last4=_text(card.last4, 4),
            expiry_month=int(card.exp_month),
            expiry_year=int(card.exp_year),
            fingerprint=f"stripe:{_text(card.fingerprint, 50)}" if getattr(card, "fingerprint", None) else "",
        )
    )


def _charge(intent: Any) -> Charge:
    """
    :raises StillProcessing: neither taken nor refused yet
    :raises OutcomeUnknown: a state that cannot be, or an incomplete answer
    """
    status = _read(lambda: _text(intent.status))
    state = _STATES.get(status)
    error = getattr(intent, "last_payment_error", None)
    if status == "processing":
        raise StillProcessing(f"{intent.id} is being processed")
    if state is None or (status == "requires_payment_method" and not error):
        raise OutcomeUnknown(f"{intent.id} is {status}")
    amount = _read(lambda: _money(intent))
    reason = url = ""
    if state == State.DECLINED:
        reason = _reason(error)
    elif state == State.CANCELLED:
        reason = _text(getattr(intent, "cancellation_reason", None) or "cancelled")
    elif state == State.REQUIRES_ACTION:
        url = _read(lambda: _text(intent.next_action.redirect_to_url.url, 500))
    return Charge(state=state, provider_id=_text(intent.id), amount=amount, reason=reason, action_url=url)


_STATES = {
    "succeeded": State.CAPTURED,
    "requires_action": State.REQUIRES_ACTION,
    "requires_payment_method": State.DECLINED,
    "canceled": State.CANCELLED,
}


def _refused(row: ProviderCharge) -> Charge:
    """Of a key that has no intent and will have none."""
    return Charge(state=State.CANCELLED, provider_id="", amount=Money(0, ""), reason=row.reason)


def _cancelled(stripe: "StripeClient", intent_id: str) -> Charge:
    """The end of an intent: cancelled, unless it has another one."""
    from stripe import InvalidRequestError

    intent = stripe.v1.payment_intents.retrieve(intent_id)
    if intent.status in ("requires_confirmation", "requires_action"):
        try:
            # Without a key: Stripe would repeat the refusal of an earlier moment. Its state decides.
            intent = stripe.v1.payment_intents.cancel(intent_id)
        except InvalidRequestError:
            intent = stripe.v1.payment_intents.retrieve(intent_id)
    return _charge(intent)


def _dispute(dispute: Any) -> Dispute:
    status = _read(lambda: _text(dispute.status))
    return _read(
        lambda: Dispute(
            id=_text(dispute.id),
            charge_key=_key(dispute.charge),
            state=DisputeState.INQUIRY if status.startswith("warning") else _DISPUTES.get(status, DisputeState.OPEN),
            amount=_money(dispute),
            reason=_text(dispute.reason)[:40],
            opened_at=datetime.fromtimestamp(int(dispute.created), UTC),
        )
    )


_DISPUTES = {"won": DisputeState.WON, "lost": DisputeState.LOST}
"""All other states of Stripe's are of disputes that are open, but for those that begin with `warning`: inquiries."""


def _refund_of(stripe: "StripeClient", intent_id: str, key: str) -> Any:
    """The refund of an intent that was asked for under a key, or None: Stripe forgets keys after a day."""
    refunds = stripe.v1.refunds.list({"payment_intent": intent_id, "limit": 100})
    return next((one for one in refunds.auto_paging_iter() if _key(one) == key), None)


def _key(thing: Any) -> str:
    metadata = getattr(thing, "metadata", None)
    return str(metadata[OUR_KEY])[:60] if metadata and OUR_KEY in metadata else ""


def _money(thing: Any) -> Money:
    return money_of(int(thing.amount), _text(thing.currency, 3))


def _line(transaction: Any) -> StatementLine:
    source = transaction.source
    if getattr(source, "object", "") == "dispute":
        return _line_of_dispute(transaction, source)
    move = _MOVES.get(transaction.type, Move.REFUND)
    named = getattr(source, "payment_intent", None) if move == Move.CHARGE else getattr(source, "id", source)
    return _read(
        lambda: StatementLine(
            move=move,
            key=_key(source),
            provider_id=_text(named or transaction.id),
            amount=_money(transaction) if move != Move.FEE else money_of(0, transaction.currency),
            at=datetime.fromtimestamp(int(transaction.created), UTC),
            fee_minor=_fee(transaction),
            id=_text(transaction.id),
        )
    )


def _line_of_dispute(transaction: Any, dispute: Any) -> StatementLine:
    """Stripe writes an adjustment for what a dispute takes, and another one for what comes back."""
    amount = _read(lambda: _money(transaction))
    move = Move.DISPUTE if amount.minor < 0 else Move.DISPUTE_REVERSAL
    return _read(
        lambda: StatementLine(
            move=move,
            key=dispute_key(move, _text(dispute.id)),
            provider_id=_text(dispute.id),
            amount=amount,
            at=datetime.fromtimestamp(int(transaction.created), UTC),
            fee_minor=_fee(transaction),
            id=_text(transaction.id),
        )
    )


def _fee(transaction: Any) -> int:
    """In minor units. A line that is a fee as a whole, such as a monthly one, has it as its amount."""
    units = int(transaction.fee)
    if transaction.type in _FEES:
        units -= int(transaction.amount)
    return money_of(units, transaction.currency).minor


_FEES = ("stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost")
_MOVES = {
    **dict.fromkeys(_FEES, Move.FEE),
    "charge": Move.CHARGE,
    "payment": Move.CHARGE,
    "transfer": Move.PAYOUT,
    "payout": Move.PAYOUT,
    "payout_cancel": Move.PAYOUT,
    "payout_failure": Move.PAYOUT,
}
"""By Stripe's types of balance transactions. Transfers go to people; payouts to our own bank, without a key of ours."""


def _event(document: Any) -> Event:
    event_id, kind = _text(document["id"]), _text(document["type"], 60)
    thing = document["data"]["object"]
    if kind in _CONCERNS:
        return Event(id=event_id, type=kind, key=_key_of_document(thing), concern=_CONCERNS[kind])
    if kind in _ABOUT_DISPUTES:
        return Event(id=event_id, type=kind, dispute_id=_text(thing["id"]))
    if kind not in _ABOUT_CHARGES:
        return Event(id=event_id, type=kind)
    from stripe import PaymentIntent

    minor = thing["amount"]
    if isinstance(minor, bool) or not isinstance(minor, int) or not 0 <= minor <= MAX_MINOR * 100:
        raise ValueError
    charge = _charge(PaymentIntent.construct_from(thing, None))
    return Event(id=event_id, type=kind, key=_key_of_document(thing), charge=charge)


def _key_of_document(thing: Mapping[str, Any]) -> str:
    key = (thing.get("metadata") or {}).get(OUR_KEY, "")
    return _text(key, 60) if key else ""


_ABOUT_CHARGES = {
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.canceled",
}
_ABOUT_DISPUTES = {
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
}
_CONCERNS = {
    "refund.failed": "a refund has failed after it was confirmed",
    "payout.failed": "a payout to our bank has failed",
}


def _check_signature(body: bytes, header: str, now: datetime) -> None:
    """:raises InvalidSignature: missing, wrong, of the future, or older than 300 s"""
    from stripe import SignatureVerificationError, WebhookSignature

    for secret in settings.STRIPE_WEBHOOK_SECRET:
        try:
            WebhookSignature.verify_header(body, header, secret)
        except (SignatureVerificationError, UnicodeError):
            continue
        stamp = next(part[2:] for part in header.split(",") if part.startswith("t="))
        if -SKEW.total_seconds() <= now.timestamp() - int(stamp) <= OLDEST.total_seconds():
            return
    raise InvalidSignature()


# --- Amounts --------------------------------------------------------------------------------------------------------

_DECIMALS = {
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),
}
"""Of Stripe's units. All others have two, also those that by ISO 4217 have none, such as ISK and UGX."""


def units_of(amount: Money) -> int | None:
    """An amount in Stripe's units; None if Stripe cannot express it: the last of three decimals is always 0 there."""
    shift = _DECIMALS.get(amount.currency, 2) - digits(amount.currency)
    units, rest = divmod(amount.minor * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    is_odd = _DECIMALS.get(amount.currency) == 3 and units % 10
    return None if rest or is_odd else units


def money_of(units: int, currency: str) -> Money:
    """:raises ValueError: an amount that the currency does not have by ISO 4217, or no currency"""
    code = currency.upper()
    shift = digits(code) - _DECIMALS.get(code, 2)
    minor, rest = divmod(units * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    if rest:
        raise ValueError(f"{units} of {code}")
    return Money(minor, code)
