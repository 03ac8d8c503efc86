"""
The built-in provider: moves no real money and behaves like one that does.

It keeps its own books and commits them by itself, remembers keys, declines, asks for 3-D Secure on a page of its own,
and sends us signed events through the same webhook as any provider. Its test cards and tokens:

    4242 4242 4242 4242   tok_visa       works
    4000 0000 0000 0002   tok_declined   is declined
    4000 0000 0000 3220   tok_3ds        asks for 3-D Secure
    4000 0000 0000 0077   tok_slow       works; the answer to the first request comes after the client has given up
    4000 0000 0000 0259   tok_chargeback works; some seconds later its holder disputes the charge
                          tok_bank_account, tok_wallet   work
                          tok_bank_refused   a bank account that is never paid to
                          tok_bank_slow      one that is verified a minute after the first question
"""

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Sum

from core.api.errors import MalformedBody
from core.api.parsing import parse_json
from core.crypto.keys import keys_for
from core.data import sql
from core.data.ids import uuid7
from core.data.locks import lock
from core.data.transactions import refuse_in_transaction
from core.jobs import outbox
from core.money import MAX_MINOR, Money
from investments.errors import ChargeNotDisputable, InvalidSignature, UnknownPaymentToken, UnreadableEvent
from investments.models import SandboxCharge, SandboxDispute, SandboxPayout, SandboxRefund, SandboxTarget
from investments.providers.base import (
    Charge,
    Dispute,
    DisputeState,
    Event,
    Instrument,
    Move,
    PayoutRefused,
    RefundRefused,
    State,
    StatementLine,
    StillProcessing,
    TargetRejected,
    dispute_key,
)

SIGNATURE_HEADER = "Sandbox-Signature"
OLDEST = timedelta(seconds=300)
SKEW = timedelta(seconds=60)
CHARGEBACK_AFTER = timedelta(seconds=5)
SLOW_TARGET = timedelta(minutes=1)

_INSTRUMENTS = {
    "tok_visa": ("card", "visa", "4242"),
    "tok_declined": ("card", "visa", "0002"),
    "tok_3ds": ("card", "visa", "3220"),
    "tok_slow": ("card", "visa", "0077"),
    "tok_chargeback": ("card", "visa", "0259"),
    "tok_bank_account": ("bank_account", "Sandbox Bank", "6789"),
    "tok_bank_refused": ("bank_account", "Sandbox Bank", "0009"),
    "tok_bank_slow": ("bank_account", "Sandbox Bank", "0060"),
    "tok_wallet": ("wallet", "Sandbox Wallet", "0001"),
}


class SandboxGateway:
    name = "sandbox"
    payout_types: frozenset[str] = frozenset({"card", "bank_account", "wallet"})
    test_cards: Mapping[str, str] = {
        "4242424242424242": "tok_visa",
        "4000000000000002": "tok_declined",
        "4000000000003220": "tok_3ds",
        "4000000000000077": "tok_slow",
        "4000000000000259": "tok_chargeback",
    }

    def setup(self, *, owner_id: UUID, type: str, now: datetime) -> None:
        return None

    def forget(self, *, customer_id: str) -> None:
        raise ValueError("the sandbox has no customers")

    def instrument(self, *, owner_id: UUID, type: str, token: str, now: datetime) -> Instrument:
        kept = _INSTRUMENTS.get(token)
        if kept is None or kept[0] != type:
            raise UnknownPaymentToken(field="details.token")
        month, year = (12, now.year + 3) if type == "card" else (None, None)
        mark = hashlib.sha256(f"{owner_id} {token}".encode()).hexdigest()[:32]  # everybody has a test card of their own
        return Instrument(token, type, kept[1], kept[2], month, year, fingerprint=f"sandbox:{mark}")

    def charge(self, *, key: str, payer_id: UUID, token: str, amount: Money, now: datetime) -> Charge:
        state, reason, action = State.CAPTURED, "", ""
        if token == "tok_declined":
            state, reason = State.DECLINED, "card_declined"
        elif token == "tok_3ds":
            state, action = State.REQUIRES_ACTION, secrets.token_urlsafe(24)
        _take_time()
        refuse_in_transaction()
        charge = SandboxCharge(
            key=key,
            amount_minor=amount.minor,
            currency=amount.currency,
            state=state,
            reason=reason,
            action_token=action,
            captured_at=now if state == State.CAPTURED else None,
            created_at=now,
        )
        insert, values = sql.insertion(charge)
        is_new = sql.execute((f"{insert} ON CONFLICT (key) DO NOTHING RETURNING id", values))
        if not is_new:
            charge = SandboxCharge.objects.get(key=key)
        elif token == "tok_slow":
            raise StillProcessing(f"{key} takes longer than anybody waits")
        elif token == "tok_chargeback":
            outbox.emit("investments.dispute_in_sandbox", now=now, after=CHARGEBACK_AFTER, key=key)
        return _charge(charge, amount.currency)

    def cancel(self, *, key: str, now: datetime) -> Charge:
        _take_time()
        refuse_in_transaction()
        with transaction.atomic(durable=True):
            SandboxCharge.objects.get_or_create(
                key=key, defaults={"state": State.CANCELLED, "reason": "cancelled", "created_at": now}
            )
            row = lock(SandboxCharge.objects).get(key=key)
            if row.state == State.REQUIRES_ACTION:
                row.state, row.reason = State.CANCELLED, "expired"
                row.save(update_fields=["state", "reason"])
        return _charge(row, row.currency)

    def find(self, *, key: str) -> Charge | None:
        _take_time()
        row = SandboxCharge.objects.filter(key=key).first()
        return _charge(row, row.currency) if row else None

    def refund(self, *, key: str, charge_key: str, charge_id: str, amount: Money, now: datetime) -> str:
        _take_time()
        refuse_in_transaction()
        minor = amount.minor
        try:
            done = sql.execute((_REFUND, [minor, charge_key, State.CAPTURED, minor, key, uuid7(), now, key, minor]))
        except IntegrityError:  # the same key at the same moment
            done = None
        done = done or SandboxRefund.objects.filter(key=key).values_list("pk").first()
        if done is None:
            is_disputed = SandboxCharge.objects.filter(key=charge_key, disputed_minor__gt=0).exists()
            raise RefundRefused("charge_disputed" if is_disputed else "charge_not_refundable")
        return f"re_{done[0].hex}"

    def find_dispute(self, *, dispute_id: str) -> Dispute | None:
        _take_time()
        row = _dispute_called(dispute_id)
        return _told(row) if row else None

    def payout(self, *, key: str, token: str, amount: Money, now: datetime) -> str:
        _take_time()
        refuse_in_transaction()
        reason = "destination_declined" if token == "tok_declined" else ""
        made = SandboxPayout(
            key=key, amount_minor=amount.minor, currency=amount.currency, reason=reason, created_at=now
        )
        if not sql.insert_missing(made):
            made = SandboxPayout.objects.get(key=key)
        if made.reason:
            raise PayoutRefused(made.reason)
        return f"po_{made.pk.hex}"

    def verify_target(self, *, key: str, owner_id: UUID, token: str, now: datetime) -> None:
        _take_time()
        refuse_in_transaction()
        sql.insert_missing(SandboxTarget(key=key, token=token, created_at=now))
        target = SandboxTarget.objects.get(key=key)
        if target.token == "tok_bank_refused":
            raise TargetRejected("account_closed")
        if target.token == "tok_bank_slow" and now - target.created_at < SLOW_TARGET:
            raise StillProcessing("the bank has not answered")

    def statement(self, *, since: datetime) -> Iterator[StatementLine]:
        _take_time()
        charges = SandboxCharge.objects.filter(captured_at__gte=since).order_by("captured_at", "pk")
        refunds = SandboxRefund.objects.filter(created_at__gte=since).select_related("charge").order_by("pk")
        for charge in charges:
            amount = Money(charge.amount_minor, charge.currency)
            at = charge.captured_at or charge.created_at
            yield StatementLine(Move.CHARGE, charge.key, f"ch_{charge.pk.hex}", amount, at)
        for refund in refunds:
            amount = Money(-refund.amount_minor, refund.charge.currency)
            yield StatementLine(Move.REFUND, refund.key, f"re_{refund.pk.hex}", amount, refund.created_at)
        for payout in SandboxPayout.objects.filter(created_at__gte=since, reason="").order_by("pk"):
            amount = Money(-payout.amount_minor, payout.currency)
            yield StatementLine(Move.PAYOUT, payout.key, f"po_{payout.pk.hex}", amount, payout.created_at)
        for dispute in SandboxDispute.objects.select_related("charge").order_by("pk"):
            amount = Money(dispute.amount_minor, dispute.charge.currency)
            moves = [(Move.DISPUTE, -amount, dispute.created_at)]
            if dispute.state == DisputeState.WON and dispute.closed_at:
                moves.append((Move.DISPUTE_REVERSAL, amount, dispute.closed_at))
            for move, moved, at in moves:
                if at >= since:
                    key = dispute_key(move, dispute.provider_id)
                    yield StatementLine(move, key, dispute.provider_id, moved, at)

    def holdings(self) -> Mapping[str, int]:
        _take_time()
        captured = SandboxCharge.objects.filter(state=State.CAPTURED).values_list("currency")
        left = F("amount_minor") - F("refunded_minor") - F("disputed_minor")
        held = captured.annotate(held=Sum(left)).order_by("currency")
        paid = SandboxPayout.objects.filter(reason="").values_list("currency").annotate(paid=Sum("amount_minor"))
        out = dict(paid.order_by("currency"))
        return {currency: int(minor) - int(out.get(currency, 0)) for currency, minor in held}

    def read_event(self, *, body: bytes, headers: Mapping[str, str], now: datetime) -> Event:
        _check_signature(headers.get(SIGNATURE_HEADER, ""), body, now)
        try:
            return _event(parse_json(body))
        except (MalformedBody, ValueError, KeyError, TypeError):
            raise UnreadableEvent() from None

    # --- What the person does on the provider's own page -----------------------------------------------------------

    def waiting_for_action(self, action_token: str) -> SandboxCharge | None:
        return SandboxCharge.objects.filter(action_token=action_token).first()

    def finish_action(self, action_token: str, *, approved: bool, now: datetime) -> SandboxCharge:
        """The person has answered 3-D Secure; only the first answer counts."""
        with transaction.atomic(durable=True):
            row = lock(SandboxCharge.objects).get(action_token=action_token)
            if row.state == State.REQUIRES_ACTION:
                row.state = State.CAPTURED if approved else State.DECLINED
                row.reason = "" if approved else "authentication_failed"
                row.captured_at = now if approved else None
                row.save(update_fields=["state", "reason", "captured_at"])
        return row

    # --- What the person does at their bank, and what the bank decides -----------------------------------------------

    def open_dispute(
        self, key: str, *, now: datetime, amount_minor: int | None = None, reason: str = "fraudulent"
    ) -> SandboxDispute:
        """
        The payer contests a charge, all of it if no amount is given.

        :raises ChargeNotDisputable: nothing was captured under this key, or less than that is not disputed
        """
        with transaction.atomic(durable=True):
            charge = lock(SandboxCharge.objects).filter(key=key, state=State.CAPTURED).first()
            left = charge.amount_minor - charge.disputed_minor if charge else 0
            minor = left if amount_minor is None else amount_minor
            if charge is None or not 0 < minor <= left:
                raise ChargeNotDisputable()
            charge.disputed_minor += minor
            charge.open_disputes += 1
            charge.save(update_fields=["disputed_minor", "open_disputes"])
            return SandboxDispute.objects.create(charge=charge, amount_minor=minor, reason=reason, created_at=now)

    def close_dispute(self, dispute: SandboxDispute, *, won: bool, now: datetime) -> SandboxDispute:
        """The bank has decided; only the first decision counts."""
        with transaction.atomic(durable=True):
            charge = lock(SandboxCharge.objects).get(pk=dispute.charge_id)
            dispute = SandboxDispute.objects.get(pk=dispute.pk)
            if dispute.state == DisputeState.OPEN:
                dispute.state = DisputeState.WON if won else DisputeState.LOST
                dispute.closed_at = now
                dispute.save(update_fields=["state", "closed_at"])
                charge.open_disputes -= 1
                charge.disputed_minor -= dispute.amount_minor if won else 0
                charge.save(update_fields=["disputed_minor", "open_disputes"])
        return dispute

    def newest_dispute(self, key: str) -> SandboxDispute | None:
        """Of a charge."""
        return SandboxDispute.objects.filter(charge__key=key).order_by("-pk").first()


def _dispute_called(dispute_id: str) -> SandboxDispute | None:
    kind, _, digits = dispute_id.partition("_")
    try:
        return SandboxDispute.objects.select_related("charge").filter(pk=UUID(digits)).first() if kind == "dp" else None
    except ValueError:
        return None


def _told(row: SandboxDispute) -> Dispute:
    return Dispute(
        id=row.provider_id,
        charge_key=row.charge.key,
        state=DisputeState(row.state),
        amount=Money(row.amount_minor, row.charge.currency),
        reason=row.reason,
        opened_at=row.created_at,
    )


def _take_time() -> None:
    """Answer as late as a provider does that is reached over a network."""
    time.sleep(settings.SANDBOX_DELAY_MS / 1000)


def event_about(charge: SandboxCharge, *, now: datetime) -> tuple[bytes, dict[str, str]]:
    """The body and headers of the event about the state of a charge, signed as at `now`."""
    charged = _charge(charge, charge.currency)
    document = {
        "id": f"evt_{uuid7().hex}",
        "type": "charge.succeeded" if charged.state == State.CAPTURED else "charge.failed",
        "data": {
            "key": charge.key,
            "chargeId": charged.provider_id,
            "state": charged.state,
            "reason": charged.reason,
            "amountMinor": charge.amount_minor,
            "currency": charge.currency,
        },
    }
    return _signed(document, now)


def event_about_dispute(dispute: SandboxDispute, *, now: datetime) -> tuple[bytes, dict[str, str]]:
    """The body and headers of the event about the state of a dispute, signed as at `now`."""
    data = {"disputeId": dispute.provider_id, "state": dispute.state}
    return _signed({"id": f"evt_{uuid7().hex}", "type": f"dispute.{dispute.state}", "data": data}, now)


def _signed(document: Any, now: datetime) -> tuple[bytes, dict[str, str]]:
    body = json.dumps(document).encode()
    return body, {SIGNATURE_HEADER: sign(body, now)}


def sign(body: bytes, now: datetime) -> str:
    """`t=<unix seconds>,v1=<HMAC-SHA256 of "t.body">`."""
    seconds = int(now.timestamp())
    return f"t={seconds},v1={_signature(seconds, body)}"


def _check_signature(header: str, body: bytes, now: datetime) -> None:
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stamp = parts.get("t", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise InvalidSignature()
    if not hmac.compare_digest(parts.get("v1", "").encode(), _signature(int(stamp), body).encode()):
        raise InvalidSignature()
    age = now.timestamp() - int(stamp)
    if not -SKEW.total_seconds() <= age <= OLDEST.total_seconds():
        raise InvalidSignature()


def _signature(seconds: int, body: bytes) -> str:
    secret = settings.SANDBOX_WEBHOOK_SECRET or keys_for("sandbox webhook")[0].hex()
    return hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def _event(document: Any) -> Event:
    """:raises ValueError: :raises KeyError: :raises TypeError: a member is missing, of another type or out of range"""
    if not isinstance(document, dict):
        raise TypeError
    kind = _text(document["type"], 60)
    data = document.get("data")
    if kind.startswith("dispute."):
        return Event(id=_text(document["id"], 100), type=kind, dispute_id=_text(document["data"]["disputeId"], 100))
    if not kind.startswith("charge."):
        return Event(id=_text(document["id"], 100), type=kind)
    if not isinstance(data, dict):
        raise TypeError
    minor = data["amountMinor"]
    if isinstance(minor, bool) or not isinstance(minor, int):
        raise TypeError
    if not 0 <= minor <= MAX_MINOR:
        raise ValueError
    charge = Charge(
        state=State(_text(data["state"], 20)),
        provider_id=_text(data["chargeId"], 100),
        amount=Money(minor, _text(data["currency"], 3)),
        reason=_text(data.get("reason") or " ", 200).strip(),
    )
    return Event(id=_text(document["id"], 100), type=kind, key=_text(data["key"], 60), charge=charge)


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise TypeError
    if not 1 <= len(value) <= most:
        raise ValueError
    return value


_REFUND = """
    WITH charge AS (
        UPDATE investments_sandboxcharge SET refunded_minor = refunded_minor + %s
        WHERE key = %s AND state = %s AND open_disputes = 0 AND refunded_minor + disputed_minor + %s <= amount_minor
            AND NOT EXISTS (SELECT FROM investments_sandboxrefund WHERE key = %s)
        RETURNING id
    )
    INSERT INTO investments_sandboxrefund (id, created_at, charge_id, key, amount_minor)
    SELECT %s, %s, id, %s, %s FROM charge
    RETURNING id
"""


def _charge(row: SandboxCharge, currency: str) -> Charge:
    waiting = row.state == State.REQUIRES_ACTION
    return Charge(
        state=State(row.state),
        provider_id=f"ch_{row.pk.hex}",
        amount=Money(row.amount_minor, row.currency or currency),
        reason=row.reason,
        action_url=f"{settings.PUBLIC_URL}/sandbox/3ds/{row.action_token}" if waiting else "",
    )
