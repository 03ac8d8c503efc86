"""Where the investors came from, and that every figure of money is what the books say."""

import json
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from vectragrow.demo.client import Client, DemoFailed, command, until
from vectragrow.demo.people import Person

STEPS = 3


@dataclass
class Figures:
    """`say(text)` prints a step, `base` is the platform's address, `campaigns` are those that were published."""

    base: str
    say: Any
    people: dict[str, Person]
    campaigns: list[dict[str, Any]]

    def backers_look_around(self) -> None:
        """Before they invest: Mei comes from a newsletter, Rafael by a link that was shared, Noor by herself."""
        self._visit("Mei", "?utm_source=newsletter&utm_medium=mail")
        self._visit("Rafael", "?via=share")
        self._visit("Noor", "")
        for campaign in self.campaigns:
            view = {"eventType": "campaign_view", "campaignId": campaign["id"], "page": f"/c/{campaign['slug']}"}
            Client(self.base).post("/api/analytics/track/public", view)
        self.say("The backers look at the campaigns: from a newsletter, by a shared link, and directly")

    def _visit(self, name: str, query: str) -> None:
        now, events = datetime.now(UTC).isoformat(), []
        for campaign in self.campaigns:
            page = {"eventType": "page_view", "page": f"/c/{campaign['slug']}{query}"}
            for event in (page, {"eventType": "campaign_view", "campaignId": campaign["id"]}):
                events.append({"eventId": str(uuid.uuid4()), "at": now, **event})
        batch = {"sentAt": now, "events": events}
        app = self.people[name].app
        taken = [app.post("/api/analytics/track/batch", batch)["stored"] for _ in range(2)]
        if taken != [len(events), 0]:
            raise DemoFailed(f"a batch that was sent twice was stored {taken} times")

    def figures_are_what_the_books_say(self) -> None:
        sofia, amara = self.people["Sofia"].app, self.people["Amara"].app
        solar = self.campaigns[0]
        found = until(lambda: self._attributed(sofia, solar), seconds=120)
        parts = ", ".join(f"{source} ${amount:,.2f}" for source, amount in sorted(found.items()))
        self.say(f"Sofia sees where the money of “{solar['title']}” came from: {parts}")
        hers = amara.get(f"/api/analytics/campaign/{solar['id']}")["sources"]
        if any(row["amount"] not in (None, "0.00") for row in hers):
            raise DemoFailed(f"a founder sees what sources of fewer than five people brought: {hers}")
        books = self._books()
        for campaign in self.campaigns:
            shown = sofia.get(f"/api/analytics/campaign/{campaign['id']}")
            by_source = sum(Decimal(row["amount"]) for row in shown["sources"])
            if not Decimal(shown["raisedAmount"]) == by_source == books[campaign["id"]]:
                raise DemoFailed(f"{shown['raisedAmount']}, {by_source} by source, {books[campaign['id']]} booked")
        recounted = command("analytics_verify").splitlines()[-1]
        self.say(f"For every campaign, all sources together are what the books hold, to the cent; {recounted}")

    def _attributed(self, staff: Client, campaign: dict[str, Any]) -> dict[str, Decimal] | None:
        """What each source brought, when all of it is attributed. The jobs run every few minutes; here at once."""
        for job in ("copy_events", "roll_up", "attribute"):
            command("run_job", f"analytics.{job}")
        sources = staff.get(f"/api/analytics/campaign/{campaign['id']}")["sources"]
        found = {row["source"]: Decimal(row["amount"]) for row in sources if Decimal(row["amount"])}
        return found if {"newsletter", "share"} <= found.keys() else None

    def _books(self) -> dict[str, Decimal]:
        """What the ledger's export says of each campaign: everything that investments posted to its escrow."""
        booked: Counter[str] = Counter()
        for line in command("ledger_export").splitlines():
            record = json.loads(line)
            if record["type"] != "posting" or record["phase"] != "posted":
                continue
            if (record["reference"] or "").startswith("investment:"):
                for entry in record["entries"]:
                    booked[entry["account"]] -= entry["minor"]
        return {each["id"]: Decimal(booked[f"escrow:campaign:{each['id']}"]) / 100 for each in self.campaigns}
