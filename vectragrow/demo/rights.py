"""The chapter of the story about investor rights: a campaign of each rule set, a waiting list, and changed terms."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from vectragrow.demo import pictures
from vectragrow.demo.client import DemoFailed, command, until
from vectragrow.demo.people import Person

STEPS = 8
RIGHT = {
    "worst_case": "all",
    "guarantee": "no",
    "selling": "maybe_never",
    "diversification": "spread",
    "return": "uncertain",
    "loan": "may_lose",
    "share": "diluted",
    "reflection": "revoke",
}
"""The answers to the entry knowledge test."""


@dataclass
class Rights:
    """Plays on the people of a story; `say` and `password` are the story's."""

    say: Any
    people: dict[str, Person]
    password: str

    def play(self) -> None:
        american = self.an_american_campaign()
        self.the_law_limits_investors(american)
        self.a_waiting_list_moves(american)
        self.terms_change(american)
        self.a_european_campaign()

    def an_american_campaign(self) -> dict[str, Any]:
        campaign = self._raise(
            "Amara", "A dairy owned by its town", "USD", rules="us_reg_cf", country="US", maxAmount="4000"
        )
        self.say(
            "Amara publishes a campaign under Regulation Crowdfunding: open for 21 days at least, "
            f"by the version of {campaign['rulesVersion']}"
        )
        return campaign

    def the_law_limits_investors(self, campaign: dict[str, Any]) -> None:
        mei = self.people["Mei"]
        action = self._action(mei, campaign, "invest")
        refused = self._invest(mei, campaign, "500", expect=403)
        if action["allowed"] or action["because"] != refused["code"]:
            raise DemoFailed(f"the page says {action}, the call {refused['code']}")
        self.say(f"Mei reads what she may do, and why not yet: {action['because']}, rule “{action['rule']}”")
        for name in ("Mei", "Rafael", "Noor"):
            self._declare(self.people[name], "USD", "50000")
        limit = next(one for one in mei.app.get("/api/investments/limits")["items"] if one["rules"] == "us_reg_cf")
        over = self._invest(mei, campaign, "2501", expect=409)
        self._invest(mei, campaign, "2000")
        self._invest(self.people["Noor"], campaign, "2000")
        self.say(
            f"With $50,000.00 she may invest ${Decimal(limit['limit']):,.2f} in twelve months; more is refused "
            f"({over['code']}), $2,000.00 is in"
        )

    def a_waiting_list_moves(self, campaign: dict[str, Any]) -> None:
        mei, rafael = self.people["Mei"], self.people["Rafael"]
        place = f"/api/campaigns/{campaign['id']}/waitlist"
        full = self._invest(rafael, campaign, "500", expect=409)
        entry = rafael.app.post(place, {"amount": "500", "paymentMethodId": rafael.card}, expect=201)
        self.say(
            f"The campaign is full ({full['code']}): Rafael waits, as number {entry['position']}, and pays nothing"
        )
        mine = next(row for row in mei.app.pages("/api/investments") if row["campaign"]["id"] == campaign["id"])
        mei.app.post("/api/auth/step-up", {"password": self.password})
        mei.app.post(f"/api/investments/{mine['id']}/withdraw", {"amount": "600", "paymentMethodId": mei.card})
        offer = until(lambda: (one := rafael.app.get(place))["status"] == "offered" and one)
        made = rafael.app.post(f"{place}/accept")
        until(lambda: rafael.app.get(f"/api/investments/{made['id']}")["status"] == "committed")
        hours = round((datetime.fromisoformat(offer["offerEndsAt"]) - datetime.now(UTC)).total_seconds() / 3600)
        self.say(f"Mei takes $600.00 back; the place is Rafael's for {hours} hours, and he accepts it")

    def terms_change(self, campaign: dict[str, Any]) -> None:
        amara, mei, noor, sofia = (self.people[name] for name in ("Amara", "Mei", "Noor", "Sofia"))
        ends_at = datetime.fromisoformat(campaign["endsAt"]) + timedelta(days=10)
        asked = amara.app.post(
            f"/api/campaigns/{campaign['id']}/amendments",
            {
                "changes": {"endsAt": ends_at.isoformat(), "goalAmount": "2500"},
                "reason": "The barn costs less than we thought.",
            },
            expect=201,
        )
        command("decide_amendment", asked["id"], "approve", "--by", sofia.email)
        theirs = {}
        for person in (mei, noor):
            rows = person.app.pages("/api/investments")
            theirs[person.first_name] = next(row["id"] for row in rows if row["campaign"]["id"] == campaign["id"])
        question = mei.app.get(f"/api/investments/{theirs['Mei']}")["reconfirmation"]
        fields = " and ".join(change["field"] for change in question["changes"])
        self.say(f"Amara changes the terms ({fields}); Sofia approves, and all are asked, until {question['until']}")
        mei.app.post(f"/api/investments/{theirs['Mei']}/reconfirm", {"decision": "confirm"})
        noor.app.post(f"/api/investments/{theirs['Noor']}/reconfirm", {"decision": "decline"})
        until(lambda: noor.app.get(f"/api/investments/{theirs['Noor']}")["status"] == "refunded")
        self.say("Mei confirms; Noor declines and has all her money back")

    def a_european_campaign(self) -> None:
        noor = self.people["Noor"]
        terms = {"rules": "eu_ecspr", "country": "IE", "timeZone": "Europe/Dublin"}
        campaign = self._raise("Jonas", "A mill for the islands", "EUR", **terms)
        documents = noor.app.pages(f"/api/campaigns/{campaign['id']}/documents")
        for document in documents:
            noor.app.post(f"/api/campaigns/{campaign['id']}/documents/{document['id']}/accept")
        self._declare(noor, "EUR", "30000")
        refused = self._invest(noor, campaign, "1600", expect=403)
        made = self._invest(noor, campaign, "1000")
        self.say(
            f"Jonas raises under the European rules, with a key information sheet; above a limit Noor is warned first "
            f"({refused['code']}), and €1,000.00 she may take back until {made['cancellableUntil']}"
        )

    # --- small words ------------------------------------------------------------------------------------------------

    def _raise(self, founder: str, title: str, currency: str, **terms: str) -> dict[str, Any]:
        app = self.people[founder].app
        fields: list[tuple[str, Any]] = [
            ("title", title),
            ("summary", f"{title}: built by neighbours, owned by neighbours."),
            ("description", "What we make, what it costs, who we are, and what could go wrong.\n\n" * 3),
            ("category", "agriculture"),
            ("goalAmount", "3000"),
            ("minInvestment", "50"),
            ("currency", currency),
            ("endsAt", (datetime.now(UTC) + timedelta(days=40)).isoformat()),
            ("media", ("cover.jpg", pictures.cover(title, 8), "image/jpeg")),
            *terms.items(),
        ]
        drafted = app.upload("/api/campaigns", fields)
        if terms["rules"] == "eu_ecspr":
            self._write_sheet(app, drafted["id"])
        app.post(f"/api/campaigns/{drafted['id']}/submit")
        command("publish_campaign", drafted["id"])
        found: dict[str, Any] = app.get(f"/api/campaigns/{drafted['id']}")
        return found

    def _write_sheet(self, app: Any, campaign_id: str) -> None:
        path = f"/api/campaigns/{campaign_id}/key-information"
        asked = app.put(path, {"instrument": "loan", "texts": {}})
        texts = {
            field["id"]: f"{field['label']}: as the annual report says."
            for part in asked["parts"]
            for field in part["fields"]
        }
        app.put(path, {"instrument": "loan", "texts": texts})

    def _declare(self, person: Person, currency: str, net_worth: str) -> None:
        profile = person.app.get("/api/investments/profile")
        body: dict[str, Any] = {
            "annualIncome": "40000",
            "netWorth": net_worth,
            "investedElsewhere": "0",
            "currency": currency,
            "acknowledgements": [
                {"id": one["id"], "version": one["version"]} for one in profile["texts"] if one["rules"] == "us_reg_cf"
            ],
        }
        if currency == "EUR":
            body["answers"] = RIGHT
        person.app.put("/api/investments/profile", body)

    def _action(self, person: Person, campaign: dict[str, Any], action: str) -> dict[str, Any]:
        page = person.app.get(f"/api/campaigns/{campaign['id']}")
        found: dict[str, Any] = next(one for one in page["allowedActions"] if one["action"] == action)
        return found

    def _invest(
        self, person: Person, campaign: dict[str, Any], amount: str, *, expect: int | None = None
    ) -> dict[str, Any]:
        body = {"amount": amount, "paymentMethodId": person.card}
        made: dict[str, Any] = person.app.post(f"/api/campaigns/{campaign['id']}/invest", body, expect=expect)
        if expect is None:
            until(lambda: person.app.get(f"/api/investments/{made['id']}")["status"] == "committed")
        return made
