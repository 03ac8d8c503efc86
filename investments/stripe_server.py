"""
A stand-in for Stripe on this machine: `python -m investments.stripe_server`. For tests and demonstrations.

It speaks Stripe's HTTP API as far as `investments.providers.stripe` uses it, keeps its own ledger in memory, remembers
idempotency keys as Stripe does (500s included), asks for 3-D Secure on a page of its own, and posts signed events. It
shares no code with the platform. The first line that it prints is its address; `STRIPE_API_BASE` is set to that.

Payment methods are named as in Stripe's test mode (`TEMPLATES`). What goes wrong is chosen under `/stand-in/`:

    POST faults    {"call": "confirm", "fault": "hang_after", "times": 1}: of `FAULTS`, in the next calls of that name
    POST release   let everything go that hangs
    POST webhooks  {"url": …, "secret": …, "mode": "send" | "withhold" | "repeat" | "reverse" | "forge"}
    GET events     all events so far, with a fresh signature: [{"body": …, "signature": …}]
    GET calls      how often each call was answered or not
    POST reset     forget everything
    POST fees      {"basis_points": 290, "fixed": 30}: what it takes of each charge from now on
    POST bill      {"amount": 500, "currency": "usd"}: a fee that belongs to no charge
    POST payout    {"amount": 4000, "currency": "usd"}: to the bank account of the platform itself
    POST age       forget all idempotency keys, as Stripe does after a day
    POST dispute   {"key": …, "amount": 4000}: the holder contests the charge that carries our key, all of it without
                   an amount; {"key": …, "outcome": "won" | "lost"}: the bank has decided on its newest dispute.
                   Answers the dispute
"""

import argparse
import hashlib
import hmac
import json
import queue
import random
import re
import socket
import string
import struct
import sys
import threading
import time
import urllib.parse
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

TEMPLATES = {
    "pm_card_visa": ("visa", "4242", "works"),
    "pm_card_chargeCustomerFail": ("visa", "0341", "generic_decline"),
    "pm_card_insufficientFunds": ("visa", "9995", "insufficient_funds"),
    "pm_card_chargeDeclined": ("visa", "0002", "refused at once"),
    "pm_card_threeDSecureRequired": ("visa", "3220", "asks"),
    "pm_card_wallet": ("mastercard", "4444", "works"),
    "pm_card_processing": ("visa", "0077", "processes"),
    "pm_card_createDispute": ("visa", "0259", "is disputed"),
    "pm_usBankAccount": ("", "", "works"),
}
FAULTS = (
    "hang_before",
    "hang_after",
    "error_before",
    "error_after",
    "reset_before",
    "reset_after",
    "limited",
    "garbage_after",
    "redirect",
    "slow",
)
"""`after`: it was done and the answer is lost; `before`: it was not. `error`: 500, or 503 when nothing was done."""
HANG_SECONDS = 60.0
SLOW_SECONDS = 0.2
LARGEST = 99_999_999
"""Stripe's largest amount of one payment, in its units."""
Answer = tuple[int, dict[str, Any]]
Form = dict[str, Any]


class Refused(Exception):
    """An error that Stripe answers."""

    def __init__(self, status: int, type: str, code: str = "", **more: Any) -> None:
        self.status = status
        self.error = {"type": type, "code": code or None, "message": code.replace("_", " ") or "refused", **more}


def new_id(prefix: str) -> str:
    return f"{prefix}_{''.join(random.choices(string.ascii_letters, k=20))}"


class Account:
    """Everything that Stripe keeps of one account."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.lock = threading.RLock()
        self.released = threading.Event()
        self.webhooks = {"url": "", "secret": "", "mode": "send"}
        self.outbox: queue.Queue[dict[str, Any]] = queue.Queue()
        self.empty()

    def empty(self) -> None:
        self.released.set()
        self.things: dict[str, dict[str, Any]] = {}
        self.behaviours: dict[str, str] = {}
        self.transactions: list[dict[str, Any]] = []
        self.replies: dict[str, tuple[str, Answer | None]] = {}
        self.events: list[dict[str, Any]] = []
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, deque[str]] = {}
        self.fees = {"basis_points": 0, "fixed": 0}

    # --- Customers and payment methods -------------------------------------------------------------------------------

    def create_customer(self, form: Form) -> dict[str, Any]:
        allow(form, "metadata")
        return self._keep(new_id("cus"), "customer", metadata=form.get("metadata", {}))

    def delete_customer(self, form: Form, customer_id: str) -> dict[str, Any]:
        self._thing(customer_id, "customer")
        del self.things[customer_id]
        return {"id": customer_id, "object": "customer", "deleted": True}

    def create_setup_intent(self, form: Form) -> dict[str, Any]:
        allow(form, "customer", "allowed_payment_method_types", "usage")
        self._thing(form["customer"], "customer")
        setup_id = new_id("seti")
        return self._keep(setup_id, "setup_intent", client_secret=f"{setup_id}_secret_{new_id('x')}")

    def read_payment_method(self, form: Form, method_id: str) -> dict[str, Any]:
        if method_id in TEMPLATES:
            return self._method(method_id, method_id)
        return self._thing(method_id, "payment_method")

    def attach(self, form: Form, method_id: str) -> dict[str, Any]:
        allow(form, "customer")
        self._thing(form["customer"], "customer")
        if method_id in TEMPLATES:
            if TEMPLATES[method_id][2] == "refused at once":
                raise Refused(402, "card_error", "card_declined", decline_code="generic_decline")
            method = self._method(new_id("pm"), method_id)
            self.things[method["id"]] = method
            self.behaviours[method["id"]] = TEMPLATES[method_id][2]
        else:
            method = self._thing(method_id, "payment_method")
        if method["customer"] not in (None, form["customer"]):
            raise Refused(400, "invalid_request_error", "payment_method_already_attached")
        method["customer"] = form["customer"]
        return method

    def _method(self, method_id: str, template: str) -> dict[str, Any]:
        brand, last4, _ = TEMPLATES[template]
        method: dict[str, Any] = {"id": method_id, "object": "payment_method", "customer": None, "metadata": {}}
        if not brand:
            return {**method, "type": "us_bank_account", "us_bank_account": {"last4": "6789"}}
        wallet = {"type": "apple_pay"} if template == "pm_card_wallet" else None
        card = {"brand": brand, "last4": last4, "exp_month": 12, "exp_year": time.gmtime().tm_year + 3}
        return {**method, "type": "card", "card": {**card, "wallet": wallet, "fingerprint": f"{brand}{last4}"}}

    # --- Connected accounts ------------------------------------------------------------------------------------------

    def create_account(self, form: Form) -> dict[str, Any]:
        allow(form, "type", "capabilities", "metadata")
        account_id = f"acct_{new_id('x')[2:]}"
        return self._keep(
            account_id,
            "account",
            metadata=form.get("metadata", {}),
            payouts_enabled=False,
            requirements={"disabled_reason": "requirements.past_due"},
            external_accounts={"object": "list", "data": [], "has_more": False},
        )

    def read_account(self, form: Form, account_id: str) -> dict[str, Any]:
        return self._thing(account_id, "account")

    def delete_account(self, form: Form, account_id: str) -> dict[str, Any]:
        self._thing(account_id, "account")
        del self.things[account_id]
        return {"id": account_id, "object": "account", "deleted": True}

    def create_account_link(self, form: Form) -> dict[str, Any]:
        allow(form, "account", "type", "refresh_url", "return_url")
        account = self._thing(form["account"], "account")
        return {"object": "account_link", "url": f"{self.base}/onboarding/{account['id']}"}

    def onboard(self, account_id: str, answer: str) -> None:
        """What a person does on Stripe's page: `enter` a bank account, `prove` who they are, or be `reject`ed."""
        account = self._thing(account_id, "account")
        if answer in ("enter", "prove"):
            bank = {"object": "bank_account", "bank_name": "STRIPE TEST BANK", "last4": "6789"}
            account["external_accounts"]["data"] = [bank]
        account["payouts_enabled"] = answer == "prove"
        account["requirements"]["disabled_reason"] = "rejected.fraud" if answer == "reject" else None

    def create_transfer(self, form: Form) -> dict[str, Any]:
        allow(form, "amount", "currency", "destination", "transfer_group", "metadata")
        account = self._thing(form["destination"], "account")
        amount, currency = int(form["amount"]), form["currency"]
        if not account["payouts_enabled"]:
            raise Refused(400, "invalid_request_error", "insufficient_capabilities_for_transfer")
        if amount > sum(one["net"] for one in self.transactions if one["currency"] == currency):
            raise Refused(400, "invalid_request_error", "balance_insufficient")
        transfer = self._keep(
            new_id("tr"),
            "transfer",
            amount=amount,
            currency=currency,
            destination=account["id"],
            transfer_group=form.get("transfer_group"),
            metadata=form.get("metadata", {}),
        )
        self._book("transfer", transfer, -amount)
        return transfer

    def list_transfers(self, form: Form) -> dict[str, Any]:
        allow(form, "transfer_group", "limit", "starting_after")
        group = form["transfer_group"]
        mine = [one for one in self.things.values() if one["object"] == "transfer" and one["transfer_group"] == group]
        return page(mine[::-1], form, "/v1/transfers")

    # --- Payments ----------------------------------------------------------------------------------------------------

    def create_intent(self, form: Form) -> dict[str, Any]:
        allow(form, "amount", "currency", "customer", "payment_method", "metadata")
        self._thing(form["customer"], "customer")
        method = self._thing(form["payment_method"], "payment_method")
        if method["customer"] != form["customer"]:
            raise Refused(400, "invalid_request_error", "payment_method_customer_mismatch")
        amount = int(form["amount"])
        if not 50 <= amount <= LARGEST:
            raise Refused(400, "invalid_request_error", "amount_too_small" if amount < 50 else "amount_too_large")
        return self._keep(
            new_id("pi"),
            "payment_intent",
            amount=amount,
            currency=form["currency"],
            customer=form["customer"],
            payment_method=form["payment_method"],
            metadata=form.get("metadata", {}),
            status="requires_confirmation",
            next_action=None,
            last_payment_error=None,
            cancellation_reason=None,
            latest_charge=None,
        )

    def read_intent(self, form: Form, intent_id: str) -> dict[str, Any]:
        return self._thing(intent_id, "payment_intent")

    def confirm(self, form: Form, intent_id: str) -> dict[str, Any]:
        allow(form, "return_url")
        intent = self._thing(intent_id, "payment_intent")
        if intent["status"] != "requires_confirmation":
            raise self._unexpected(intent)
        behaviour = self.behaviours[intent["payment_method"]]
        if behaviour in ("works", "is disputed"):
            charge = self._capture(intent)
            if behaviour == "is disputed":
                self._contest(charge, None)
        elif behaviour == "processes":
            self._move(intent, "processing")
        elif behaviour == "asks":
            address = {"url": f"{self.base}/3ds/{intent_id}", "return_url": form.get("return_url")}
            intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": address}
            self._move(intent, "requires_action")
        else:
            error = {"type": "card_error", "code": "card_declined", "decline_code": behaviour, "message": "Declined."}
            self._decline(intent, error)
            raise Refused(402, **error, payment_intent=dict(intent))
        return intent

    def cancel(self, form: Form, intent_id: str) -> dict[str, Any]:
        allow(form)
        intent = self._thing(intent_id, "payment_intent")
        if intent["status"] not in ("requires_confirmation", "requires_action", "requires_payment_method"):
            raise self._unexpected(intent)
        self._move(intent, "canceled")
        return intent

    def answer_3ds(self, intent_id: str, approved: bool) -> dict[str, Any]:
        intent = self._thing(intent_id, "payment_intent")
        if intent["status"] == "requires_action":
            if approved:
                self._capture(intent)
            else:
                code = "payment_intent_authentication_failure"
                self._decline(intent, {"type": "invalid_request_error", "code": code, "message": "Not confirmed."})
        return intent

    def _unexpected(self, intent: dict[str, Any]) -> Refused:
        return Refused(400, "invalid_request_error", "payment_intent_unexpected_state", payment_intent=dict(intent))

    def _capture(self, intent: dict[str, Any]) -> dict[str, Any]:
        charge = self._keep(
            new_id("ch"),
            "charge",
            amount=intent["amount"],
            amount_refunded=0,
            currency=intent["currency"],
            payment_intent=intent["id"],
            metadata=dict(intent["metadata"]),
        )
        intent["latest_charge"] = charge["id"]
        self._book("charge", charge, intent["amount"])
        self._move(intent, "succeeded")
        return charge

    def _decline(self, intent: dict[str, Any], error: dict[str, Any]) -> None:
        intent["last_payment_error"] = error
        self._move(intent, "requires_payment_method")

    def _move(self, intent: dict[str, Any], status: str) -> None:
        intent["status"] = status
        if status != "requires_action":
            intent["next_action"] = None
        name = "payment_failed" if status == "requires_payment_method" else status
        self._tell(f"payment_intent.{name}", intent)

    # --- Refunds, statement ------------------------------------------------------------------------------------------

    def create_refund(self, form: Form) -> dict[str, Any]:
        allow(form, "payment_intent", "amount", "metadata")
        intent = self._thing(form["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise Refused(400, "invalid_request_error", "payment_intent_unexpected_state")
        charge = self.things[intent["latest_charge"]]
        amount = int(form["amount"])
        disputes = self._disputes_of(charge["id"])
        taken = sum(one["amount"] for one in disputes if one["status"] != "won")
        is_contested = any(one["status"] == "needs_response" for one in disputes)
        if is_contested or (taken and amount > charge["amount"] - charge["amount_refunded"] - taken):
            raise Refused(400, "invalid_request_error", "charge_disputed")
        if amount > charge["amount"] - charge["amount_refunded"]:
            raise Refused(400, "invalid_request_error", "charge_already_refunded")
        charge["amount_refunded"] += amount
        refund = self._keep(
            new_id("re"),
            "refund",
            amount=amount,
            currency=intent["currency"],
            payment_intent=intent["id"],
            charge=charge["id"],
            metadata=form.get("metadata", {}),
            status="succeeded",
            failure_reason=None,
        )
        self._book("refund", refund, -amount)
        self._tell("refund.created", refund)
        return refund

    def list_refunds(self, form: Form) -> dict[str, Any]:
        allow(form, "payment_intent", "limit", "starting_after")
        mine = [
            thing
            for thing in self.things.values()
            if thing["object"] == "refund" and thing["payment_intent"] == form["payment_intent"]
        ]
        return page(mine[::-1], form, "/v1/refunds")

    def list_transactions(self, form: Form) -> dict[str, Any]:
        allow(form, "created", "limit", "expand", "starting_after")
        begin = int(form.get("created", {}).get("gte", 0))
        newest_first = [one for one in self.transactions[::-1] if one["created"] >= begin]
        if "data.source" in form.get("expand", []):
            newest_first = [{**one, "source": self.things.get(one["source"])} for one in newest_first]
        return page(newest_first, form, "/v1/balance_transactions")

    def pay_out(self, amount: int, currency: str) -> None:
        """As Stripe does by its schedule, or somebody in its dashboard."""
        payout: dict[str, Any] = {"id": new_id("po"), "object": "payout", "currency": currency, "metadata": {}}
        self.things[payout["id"]] = payout
        self._book("payout", payout, -amount)

    def book_bill(self, amount: int, currency: str) -> None:
        """As Stripe does every month for what it charges by itself."""
        self._book("stripe_fee", {"id": None, "currency": currency}, -amount)

    # --- Disputes ----------------------------------------------------------------------------------------------------

    def dispute(self, key: str, amount: int | None = None, outcome: str = "") -> dict[str, Any]:
        """As the holder of the card does at their bank; with an outcome, what the bank has decided."""
        return self.close_dispute(key, outcome) if outcome else self.open_dispute(key, amount)

    def open_dispute(self, key: str, amount: int | None) -> dict[str, Any]:
        return self._contest(self._charge_with(key), amount)

    def _contest(self, charge: dict[str, Any], amount: int | None) -> dict[str, Any]:
        """The money leaves at once."""
        dispute = self._keep(
            new_id("dp"),
            "dispute",
            amount=charge["amount"] if amount is None else amount,
            currency=charge["currency"],
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            metadata={},
            reason="fraudulent",
            status="needs_response",
        )
        self._book("adjustment", dispute, -dispute["amount"])
        self._tell("charge.dispute.created", dispute)
        self._tell("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, key: str, outcome: str) -> dict[str, Any]:
        dispute = self._disputes_of(self._charge_with(key)["id"])[-1]
        if dispute["status"] == "needs_response":
            dispute["status"] = outcome
            if outcome == "won":
                self._book("adjustment", dispute, dispute["amount"])
                self._tell("charge.dispute.funds_reinstated", dispute)
            self._tell("charge.dispute.closed", dispute)
        return dispute

    def read_dispute(self, form: Form, dispute_id: str) -> dict[str, Any]:
        allow(form, "expand")
        dispute = self._thing(dispute_id, "dispute")
        if "charge" in form.get("expand", []):
            dispute = {**dispute, "charge": self.things[dispute["charge"]]}
        return dispute

    def _charge_with(self, key: str) -> dict[str, Any]:
        """By our key in its metadata."""
        charges = (thing for thing in self.things.values() if thing["object"] == "charge")
        return next(one for one in charges if key in one["metadata"].values())

    def _disputes_of(self, charge_id: str) -> list[dict[str, Any]]:
        disputes = (thing for thing in self.things.values() if thing["object"] == "dispute")
        return [one for one in disputes if one["charge"] == charge_id]

    def read_balance(self, form: Form) -> dict[str, Any]:
        sums: Counter[str] = Counter()
        for one in self.transactions:
            sums[one["currency"]] += one["net"]
        parts = [{"amount": amount, "currency": currency, "source_types": {}} for currency, amount in sums.items()]
        return {"object": "balance", "available": parts, "pending": [], "livemode": False}

    def _book(self, type: str, source: dict[str, Any], amount: int) -> None:
        now = int(time.time())
        transaction = {"id": new_id("txn"), "object": "balance_transaction", "type": type, "source": source["id"]}
        fee = amount * self.fees["basis_points"] // 10_000 + self.fees["fixed"] if type == "charge" else 0
        amounts = {"amount": amount, "fee": fee, "net": amount - fee, "currency": source["currency"]}
        self.transactions.append({**transaction, **amounts, "created": now})

    # --- Events ------------------------------------------------------------------------------------------------------

    def _tell(self, type: str, thing: dict[str, Any]) -> None:
        event = {"id": new_id("evt"), "object": "event", "type": type, "created": int(time.time())}
        event["data"] = {"object": json.loads(json.dumps(thing))}
        self.events.append(event)
        self.outbox.put(event)

    def signed(self, event: dict[str, Any], secret: str = "") -> tuple[str, str]:
        body = json.dumps(event)
        seconds = int(time.time())
        key = (secret or self.webhooks["secret"]).encode()
        signature = hmac.new(key, f"{seconds}.{body}".encode(), hashlib.sha256).hexdigest()
        return body, f"t={seconds},v1={signature}"

    def post_webhooks(self) -> None:
        """For a thread of its own."""
        kept: list[dict[str, Any]] = []
        while True:
            kept.append(self.outbox.get())
            mode, url = self.webhooks["mode"], self.webhooks["url"]
            if not url or mode == "withhold":
                kept = []
            elif mode == "reverse":
                time.sleep(SLOW_SECONDS)
                while not self.outbox.empty():
                    kept.append(self.outbox.get())
            for event in reversed(kept) if mode == "reverse" else kept:
                for _ in range(2 if mode == "repeat" else 1):
                    self._post(url, *self.signed(event, "whsec_forged" if mode == "forge" else ""))
            kept = []

    def _post(self, url: str, body: str, signature: str) -> None:
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
        for _ in range(5):
            with suppress(OSError):
                requests.post(url, data=body.encode(), headers=headers, timeout=10, allow_redirects=False)
                return
            time.sleep(1)

    def _thing(self, id: str, kind: str) -> dict[str, Any]:
        thing = self.things.get(id)
        if thing is None or thing["object"] != kind:
            raise Refused(404, "invalid_request_error", "resource_missing")
        return thing

    def _keep(self, id: str, kind: str, **members: Any) -> dict[str, Any]:
        self.things[id] = {"id": id, "object": kind, "created": int(time.time()), "livemode": False, **members}
        return self.things[id]


def allow(form: Form, *names: str) -> None:
    """:raises Refused: a parameter that Stripe does not know there"""
    unknown = sorted(set(form).difference(names))
    if unknown:
        raise Refused(400, "invalid_request_error", "parameter_unknown", param=unknown[0])


def page(things: list[dict[str, Any]], form: Form, url: str) -> dict[str, Any]:
    limit = int(form.get("limit", 10))
    ids = [thing["id"] for thing in things]
    begin = ids.index(form["starting_after"]) + 1 if "starting_after" in form else 0
    part = things[begin : begin + limit]
    return {"object": "list", "url": url, "data": part, "has_more": len(things) > begin + limit}


ROUTES: list[tuple[str, str, str, Callable[..., dict[str, Any]]]] = [
    ("POST", r"/v1/customers", "customer", Account.create_customer),
    ("DELETE", r"/v1/customers/(\w+)", "delete_customer", Account.delete_customer),
    ("POST", r"/v1/setup_intents", "setup", Account.create_setup_intent),
    ("GET", r"/v1/payment_methods/(\w+)", "payment_method", Account.read_payment_method),
    ("POST", r"/v1/payment_methods/(\w+)/attach", "attach", Account.attach),
    ("POST", r"/v1/accounts", "account", Account.create_account),
    ("GET", r"/v1/accounts/(\w+)", "read_account", Account.read_account),
    ("DELETE", r"/v1/accounts/(\w+)", "delete_account", Account.delete_account),
    ("POST", r"/v1/account_links", "account_link", Account.create_account_link),
    ("POST", r"/v1/transfers", "transfer", Account.create_transfer),
    ("GET", r"/v1/transfers", "transfers", Account.list_transfers),
    ("POST", r"/v1/payment_intents", "create", Account.create_intent),
    ("GET", r"/v1/payment_intents/(\w+)", "retrieve", Account.read_intent),
    ("POST", r"/v1/payment_intents/(\w+)/confirm", "confirm", Account.confirm),
    ("POST", r"/v1/payment_intents/(\w+)/cancel", "cancel", Account.cancel),
    ("POST", r"/v1/refunds", "refund", Account.create_refund),
    ("GET", r"/v1/refunds", "refunds", Account.list_refunds),
    ("GET", r"/v1/disputes/(\w+)", "dispute", Account.read_dispute),
    ("GET", r"/v1/balance_transactions", "statement", Account.list_transactions),
    ("GET", r"/v1/balance", "balance", Account.read_balance),
]


class NoAnswer(Exception):
    """The connection is closed without an answer."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    @property
    def account(self) -> Account:
        return self.server.account

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _serve(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if parts.path.startswith("/stand-in/"):
            self._answer(200, self._control(parts.path.removeprefix("/stand-in/"), json.loads(body or b"{}")))
        elif parts.path.startswith("/onboarding/"):
            self._onboarding(parts.path.removeprefix("/onboarding/"), body)
        elif parts.path.startswith("/3ds/"):
            self._page(parts.path.removeprefix("/3ds/"), body)
        else:
            self._call(parts.path, body.decode() or parts.query)

    def _control(self, name: str, asked: Any) -> Any:
        account = self.account
        with account.lock:
            if name == "faults":
                if asked["fault"] not in FAULTS:
                    raise ValueError(asked["fault"])
                planned = account.faults.setdefault(asked["call"], deque())
                planned.extend([asked["fault"]] * asked.get("times", 1))
                account.released.clear()
            elif name == "release":
                account.faults.clear()
                account.released.set()
            elif name == "webhooks":
                account.webhooks |= asked
            elif name == "reset":
                account.empty()
            elif name == "fees":
                account.fees = asked
            elif name == "bill":
                account.book_bill(asked["amount"], asked["currency"])
            elif name == "payout":
                account.pay_out(asked["amount"], asked["currency"])
            elif name == "dispute":
                return dict(account.dispute(**asked))
            elif name == "age":
                account.replies.clear()
            elif name == "calls":
                return dict(account.calls)
            elif name == "events":
                signed = [account.signed(event) for event in account.events]
                return [{"body": text, "signature": signature} for text, signature in signed]
        return {}

    def _onboarding(self, account_id: str, body: bytes) -> None:
        """GET shows the choices, POST takes one: `answer=prove`, `enter` or `reject`."""
        with self.account.lock:
            is_there = account_id in self.account.things
            if is_there and self.command == "POST":
                self.account.onboard(account_id, urllib.parse.parse_qs(body.decode()).get("answer", [""])[0])
        buttons = "".join(f'<button name="answer" value="{one}">{one}</button>' for one in ("prove", "enter", "reject"))
        form = f'<!doctype html><title>Bank account</title><form method="post">{buttons}</form>'
        self._send(200 if is_there else 404, form.encode(), {"Content-Type": "text/html"})

    def _page(self, intent_id: str, body: bytes) -> None:
        with self.account.lock:
            intent = self.account.things.get(intent_id)
            action = (intent or {}).get("next_action") or {}
            back = action.get("redirect_to_url", {}).get("return_url") or "/"
            if intent is not None and self.command == "POST":
                answer = urllib.parse.parse_qs(body.decode()).get("answer", [""])[0]
                self.account.answer_3ds(intent_id, answer == "approve")
        if intent is None:
            self._answer(404, {})
        elif self.command == "POST":
            self._send(303, b"", {"Location": back})
        else:
            buttons = "".join(f'<button name="answer" value="{one}">{one}</button>' for one in ("approve", "decline"))
            form = f'<!doctype html><title>3-D Secure</title><form method="post">{buttons}</form>'
            self._send(200, form.encode(), {"Content-Type": "text/html"})

    # --- Stripe's API ------------------------------------------------------------------------------------------------

    def _call(self, path: str, encoded: str) -> None:
        if not self.headers.get("Authorization", "").startswith("Bearer sk_"):
            self._answer(401, {"error": {"type": "invalid_request_error", "message": "Invalid API key"}})
            return
        for verb, pattern, name, act in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and verb == self.command:
                try:
                    status, answer = self._with_fault(name, path, encoded, partial(self._act, act, encoded, found))
                except NoAnswer:
                    self.close_connection = True
                    return
                self._answer(status, answer)
                return
        self._answer(404, {"error": {"type": "invalid_request_error", "message": f"no {self.command} {path}"}})

    def _act(self, act: Callable[..., dict[str, Any]], encoded: str, found: re.Match[str]) -> Answer:
        try:
            return 200, json.loads(json.dumps(act(self.account, nested(encoded), *found.groups())))
        except Refused as refusal:
            return refusal.status, {"error": refusal.error}
        except (KeyError, ValueError) as error:
            return 400, {"error": {"type": "invalid_request_error", "code": "parameter_invalid", "message": str(error)}}

    def _with_fault(self, name: str, path: str, encoded: str, act: Callable[[], Answer]) -> Answer:
        account = self.account
        with account.lock:
            account.calls[name] += 1
            planned = account.faults.get(name)
            fault = planned.popleft() if planned else ""
        if fault in ("hang_before", "reset_before"):
            self._break(fault)
        if fault == "error_before":
            return 503, {"error": {"type": "api_error", "message": "unavailable"}}
        if fault == "redirect":
            self._send(307, b"", {"Location": f"{account.base}{path}"})
            raise NoAnswer
        if fault == "limited":
            return 429, {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "too many"}}
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        answer = self._once(path, encoded, act, keep_error=fault == "error_after")
        if fault in ("hang_after", "reset_after"):
            self._break(fault)
        if fault == "garbage_after":
            self._send(200, b"<html>not what you asked for", {"Content-Type": "text/html"})
            raise NoAnswer
        return answer

    def _once(self, path: str, encoded: str, act: Callable[[], Answer], *, keep_error: bool) -> Answer:
        """As Stripe: a key has one answer, whatever it was, unless the request was refused before anything was done."""
        account, key = self.account, self.headers.get("Idempotency-Key") if self.command == "POST" else None
        with account.lock:
            print_of_it = f"{path} {encoded}"
            if key in account.replies:
                known, reply = account.replies[key]
                if known != print_of_it:
                    return 400, {"error": {"type": "idempotency_error", "message": "other parameters for this key"}}
                if reply is not None:
                    return reply
            answer = act()
            if keep_error:
                answer = 500, {"error": {"type": "api_error", "message": "failed after it was done"}}
            if key and answer[0] not in (400, 404):
                account.replies[key] = print_of_it, answer
            return answer

    def _break(self, fault: str) -> None:
        """:raises NoAnswer: always"""
        if fault.startswith("hang"):
            self.account.released.wait(HANG_SECONDS)
        else:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise NoAnswer

    def _answer(self, status: int, document: Any) -> None:
        headers = {"Content-Type": "application/json"}
        if status == 429:
            headers["Retry-After"] = "1"
        self._send(status, json.dumps(document).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        with suppress(OSError):  # whoever asked may be gone
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)


def nested(encoded: str) -> Form:
    """`a[b]=1&c[0]=2` as `{"a": {"b": "1"}, "c": ["2"]}`."""
    form: Form = {}
    for name, value in urllib.parse.parse_qsl(encoded, keep_blank_values=True, max_num_fields=200):
        path = re.findall(r"[^\[\]]+", name)
        place = form
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return {name: lists(value) for name, value in form.items()}


def lists(value: Any) -> Any:
    if isinstance(value, dict):
        if value and all(part.isdigit() for part in value):
            return [lists(one) for one in value.values()]
        return {name: lists(one) for name, one in value.items()}
    return value


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, webhook_url: str, webhook_secret: str) -> None:
        """:param port: 0 lets the kernel choose"""
        super().__init__(("127.0.0.1", port), Handler)
        self.account = Account(f"http://127.0.0.1:{self.server_address[1]}")
        self.account.webhooks |= {"url": webhook_url, "secret": webhook_secret}
        threading.Thread(target=self.account.post_webhooks, daemon=True).start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that are reset on purpose are nothing to report."""


def main(arguments: Iterator[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m investments.stripe_server", description="A stand-in for Stripe.")
    parser.add_argument("--port", type=int, default=0, help="0: the kernel chooses")
    parser.add_argument("--webhook-url", default="", help="…/api/investments/webhooks/stripe")
    parser.add_argument("--webhook-secret", default="whsec_stand_in")
    chosen = parser.parse_args(list(arguments) if arguments is not None else None)
    server = Server(chosen.port, chosen.webhook_url, chosen.webhook_secret)
    sys.stdout.write(f"{server.account.base}\n")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
