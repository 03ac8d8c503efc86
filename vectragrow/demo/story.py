"""The main flow of the platform: sign up, verify identities, raise, invest, talk, settle or refund."""

import json
import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from vectragrow.demo import community, figures, pictures, returns, rights
from vectragrow.demo.client import Client, DemoFailed, command, receive, until
from vectragrow.demo.community import Community
from vectragrow.demo.figures import Figures
from vectragrow.demo.people import Person
from vectragrow.demo.returns import Returns
from vectragrow.demo.rights import Rights

DOMAIN = "@demo.example"


@dataclass(frozen=True)
class TestCard:
    """A published test card: its number at the sandbox provider, and its token at Stripe, which takes no numbers."""

    number: str
    token: str


CARD = TestCard("4242424242424242", "pm_card_visa")
DECLINED = TestCard("4000000000000002", "pm_card_chargeCustomerFail")
THREE_D_SECURE = TestCard("4000000000003220", "pm_card_threeDSecureRequired")
DISPUTED = TestCard("4000000000000259", "pm_card_createDispute")
_passports = count(secrets.randbelow(10**6))


@dataclass
class Story:
    """Plays the flow step by step. `say(text)` prints a step, `base` is the platform's address."""

    base: str
    say: Any
    provider: str = "sandbox"
    """The payment provider of the platform."""
    begun: float = field(default_factory=time.monotonic)
    password: str = field(default_factory=lambda: "demo-" + secrets.token_hex(6))
    chapter: str = field(default_factory=lambda: secrets.token_hex(2))
    people: dict[str, Person] = field(default_factory=dict)
    campaigns: dict[str, dict[str, Any]] = field(default_factory=dict)
    waiting: dict[str, Any] = field(default_factory=dict)
    """The campaign that is left for a moderator to try."""

    STEPS = 27 + returns.STEPS + rights.STEPS + community.STEPS + figures.STEPS
    OPEN_FOR_LONG = ("Cold storage for small farms", "A workshop for broken things")
    """The second waits for a moderator, who may come days later."""

    def play(self) -> None:
        self.everybody_signs_up()
        self.staff_get_their_roles()
        self.founders_and_backers_prove_who_they_are()
        self.founders_publish_campaigns()
        numbers = Figures(self.base, self.say, self.people, list(self.campaigns.values()))
        numbers.backers_look_around()
        self.backers_invest()
        self.they_talk()
        self.deadlines_pass()
        solar = next(iter(self.campaigns.values()))
        self.a_payment_is_disputed()
        Returns(self.say, self.people, solar, self._log_in, self._add_bank_account).play()
        Rights(self.say, self.people, self.password).play()
        Community(self.base, self.say, self.people, solar, self.chapter).play()
        self.the_books_are_checked()
        numbers.figures_are_what_the_books_say()

    # --- chapters ---------------------------------------------------------------------------------------------------

    def everybody_signs_up(self) -> None:
        for first, last, role in (
            ("Amara", "Okafor", "founder"),
            ("Jonas", "Lindqvist", "founder"),
            ("Mei", "Tanaka", "backer"),
            ("Rafael", "Duarte", "backer"),
            ("Noor", "Haddad", "backer"),
            ("Yara", "Novak", "applicant"),
            ("Ines", "Moreau", "reviewer"),
            ("Tom", "Becker", "reviewer"),
            ("Sofia", "Rossi", "moderator"),
        ):
            person = Person(first, last, role, Client(self.base))
            person.email = f"{first}.{last}.{self.chapter}{DOMAIN}".lower()
            body = {"email": person.email, "password": self.password, "firstName": first, "lastName": last}
            person.app.token = person.app.post("/api/auth/register", body, expect=201)["token"]
            self.people[first] = person
        self.say(f"{len(self.people)} people sign up, each with a mail to confirm")
        for person in self.people.values():
            link = until(lambda person=person: self._mailed_link(person.email))
            person.app.post("/api/auth/verify-email", {"token": link})
            self._log_in(person)
        self.say("Every mail arrives; every address is verified; everybody logs in")

    def staff_get_their_roles(self) -> None:
        for person in self._staff():
            command("grant_role", person.email, person.role)
            self._log_in(person)  # a new role ends the sessions of the old one
        names = ", ".join(f"{person.first_name} ({person.role})" for person in self._staff())
        self.say(f"The operator grants roles: {names}")

    def founders_and_backers_prove_who_they_are(self) -> None:
        members = [person for person in self.people.values() if person.role in ("founder", "backer")]
        for person in members:
            self._send_papers(person)
        self.say(f"{len(members)} people send a picture of their passport and of themselves")
        first, second = (person for person in self._staff() if person.role == "reviewer")
        waiting = {row["id"]: row for row in first.app.pages("/api/kyc/pending")}
        ours = [person.app.get("/api/kyc/status")["id"] for person in members]
        for verification in ours:
            for document in waiting[verification]["documents"]:
                link = first.app.get(f"/api/kyc/documents/{document['id']}/file")["url"]
                status, kind, content = first.app.fetch(link)
                if status != 200 or not content:
                    raise DemoFailed(f"the document did not open: {status} {kind}")
                first.app.put(f"/api/kyc/documents/{document['id']}", {"status": "verified", "notes": "Clear picture."})
            decision = {"verificationId": verification, "status": "verified", "notes": "Face and passport match."}
            proposed = first.app.put("/api/kyc/status", decision)
            if proposed["status"] == "awaiting_second_review":
                second.app.put("/api/kyc/status", decision)
        self.say(f"{first.first_name} opens each case and proposes; {second.first_name} confirms: four eyes")
        for person in members:
            if not person.app.get("/api/auth/me")["kycVerified"]:
                raise DemoFailed(f"{person.first_name} is not verified")
        self._send_papers(self.people["Yara"])
        self.say("All are verified, and notified in the app and by mail; Yara's case stays in the queue for you to try")

    def founders_publish_campaigns(self) -> None:
        self._raise("Amara", "Solar roofs for the valley", "energy", "12000", "14000", 0)
        self._raise("Jonas", "A bakery that delivers by bike", "food", "40000", None, 1)
        self._raise("Amara", "Cold storage for small farms", "agriculture", "25000", None, 2)
        self._raise("Jonas", "A workshop for broken things", "community", "8000", None, 3)
        self.say("Two founders draft four campaigns with pictures and submit them")
        waiting, self.waiting = self.campaigns.popitem()
        for campaign in self.campaigns.values():
            command("publish_campaign", campaign["id"])
        self.say(f"Staff publish three; “{waiting}” waits for a moderator")

    def backers_invest(self) -> None:
        solar, bakery, storage = self.campaigns.values()
        for name in ("Mei", "Rafael", "Noor", "Amara"):
            self.people[name].card = self._add_card(self.people[name], CARD)
        self.say(f"Three backers and a founder add a card of the {self.provider} provider")
        self._invest("Mei", solar, "6000")
        self.say(f"Mei invests $6,000.00: {self._progress(solar)}")
        self._invest("Rafael", solar, "3499.99")
        self._invest("Noor", solar, "2500.01")
        self.say(f"Rafael and Noor follow, to the cent: {self._progress(solar)}")
        over = self.people["Mei"].app.post(
            f"/api/campaigns/{solar['id']}/invest",
            {"amount": "2500.00", "paymentMethodId": self.people["Mei"].card},
            expect=409,
        )
        self.say(f"Mei tries for $2,500.00 more and is refused: {over['detail']}")
        self._invest("Mei", bakery, "750.50")
        self._invest("Rafael", bakery, "1200")
        self._invest("Noor", storage, "3000")
        self.say(f"The bakery gets some: {self._progress(bakery)}; cold storage too: {self._progress(storage)}")
        refused = self.people["Rafael"].app.post(
            f"/api/campaigns/{storage['id']}/invest",
            {"amount": "200", "paymentMethodId": self._add_card(self.people["Rafael"], DECLINED)},
            expect=409,
        )
        self.say(f"A card is declined ({refused['code']}); nothing is booked, nothing is held")
        asked = self.people["Rafael"].app.post(
            f"/api/campaigns/{storage['id']}/invest",
            {"amount": "450", "paymentMethodId": self._add_card(self.people["Rafael"], THREE_D_SECURE)},
        )
        if asked["status"] != "requires_action":
            raise DemoFailed(f"3-D Secure was not asked for: {asked}")
        self.people["Rafael"].app.submit_form(asked["nextAction"]["url"], answer="approve")
        until(lambda: self._status("Rafael", asked["id"]) == "committed")
        self.say("Another card asks for 3-D Secure; Rafael confirms on the bank's page and is in")

    def they_talk(self) -> None:
        amara, mei = self.people["Amara"], self.people["Mei"]
        talk = amara.app.post("/api/chat/conversations", {"participants": [self._id(mei)], "type": "direct"})
        with mei.app.socket() as hers, amara.app.socket() as founders:
            for text in ("Thank you for backing us!", "The first panels arrive in March."):
                frame = {
                    "type": "chat.send",
                    "conversationId": talk["id"],
                    "clientId": str(uuid.uuid4()),
                    "content": text,
                }
                founders.send(json.dumps({**frame, "ref": "1"}))
                receive(founders, "ack")
            received = [receive(hers, "chat.message")["message"]["seq"] for _ in range(2)]
        self.say(f"Amara and Mei talk over the websocket: messages {received[0]} and {received[1]} arrive at once")
        with amara.app.socket() as founders:
            for text in ("We will send pictures.", "And the first bill!", "Ask us anything."):
                frame = {
                    "type": "chat.send",
                    "conversationId": talk["id"],
                    "clientId": str(uuid.uuid4()),
                    "content": text,
                }
                founders.send(json.dumps({**frame, "ref": "2"}))
                receive(founders, "ack")
        with mei.app.socket() as hers:
            hers.send(json.dumps({"type": "resume", "conversations": {talk["id"]: received[-1]}, "ref": "3"}))
            caught_up = [receive(hers, "chat.message")["message"]["seq"] for _ in range(3)]
            if caught_up != [3, 4, 5]:
                raise DemoFailed(f"resume gave {caught_up}")
        self.say("Mei's phone was off for three messages; she resumes and has 3, 4 and 5, in order, once")

    def deadlines_pass(self) -> None:
        solar, bakery, storage = self.campaigns.values()
        ends = datetime.fromisoformat(bakery["endsAt"])
        with self.people["Jonas"].app.socket() as phone:
            time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()) + 0.5)
            late = self.people["Noor"]
            closed = late.app.post(
                f"/api/campaigns/{bakery['id']}/invest", {"amount": "100", "paymentMethodId": late.card}, expect=409
            )
            self.say(f"The deadline passes; Noor comes a moment late and is refused: {closed['code']}")
            command("close_campaigns")
            notice = receive(phone, "notification")["notification"]
        until(lambda: self._campaign_status(solar) == self._campaign_status(bakery) == "settled")
        self.say(f"Solar roofs has {self._progress(solar)}: funded, and settled with its founder")
        for name in ("Mei", "Rafael"):
            mine = [
                row["status"]
                for row in self.people[name].app.pages("/api/investments")
                if row["campaign"]["id"] == bakery["id"]
            ]
            if mine != ["refunded"]:
                raise DemoFailed(f"{name} was not refunded: {mine}")
        self.say("The bakery missed its goal: Mei gets $750.50 back and Rafael $1,200.00, to the cent")
        self.say(f"Jonas received it on his phone at once: {notice['title']}")
        inbox = self.people["Mei"].app.get("/api/notifications")
        mails = until(lambda: self._mails(self.people["Mei"].email))
        self.say(f"Mei has {inbox['unreadCount']} notices in the app and {len(mails)} mails")
        if self._campaign_status(storage) != "live":
            raise DemoFailed("cold storage should be live still")

    def a_payment_is_disputed(self) -> None:
        noor, storage = self.people["Noor"], list(self.campaigns.values())[2]
        before = self._progress(storage)
        body = {"amount": "400", "paymentMethodId": self._add_card(noor, DISPUTED)}
        made = noor.app.post(f"/api/campaigns/{storage['id']}/invest", body)
        path = f"/api/investments/{made['id']}"
        until(lambda: noor.app.get(path)["disputes"])
        contested = noor.app.post(f"{path}/withdraw", body, expect=409)
        self.say(f"The bank takes $400.00 of Noor's back; they are frozen, and count no more ({contested['code']})")
        if self.provider == "sandbox":
            noor.app.post(f"/api/sandbox/payments/{made['id']}/dispute", {"outcome": "lost"})
        else:
            command("finish_pending")
        if self._progress(storage) != before:
            raise DemoFailed(f"what is disputed still counts: {self._progress(storage)}, not {before}")
        now = noor.app.get(path)["disputes"][0]["status"]
        self.say(f"The dispute is {now}; the campaign stays at {before}")

    def the_books_are_checked(self) -> None:
        self.say(f"The ledger is rebuilt from its entries: {command('ledger_verify').splitlines()[-1]}")
        self.say(f"Rows, ledger and the provider's statement: {command('reconcile').splitlines()[-1]}")
        self.say(f"The counts of the community are counted again: {command('social_verify').splitlines()[-1]}")

    # --- small words ------------------------------------------------------------------------------------------------

    def _staff(self) -> list[Person]:
        return [person for person in self.people.values() if person.role in ("reviewer", "moderator")]

    def _log_in(self, person: Person) -> None:
        person.app.token = ""
        answer = person.app.post("/api/auth/login", {"email": person.email, "password": self.password})
        person.app.token, person.app.id = answer["token"], answer["user"]["id"]

    def _id(self, person: Person) -> str:
        return person.app.id

    def _mails(self, address: str) -> list[dict[str, Any]]:
        status, _, body = Client(self.base).fetch(f"/mailbox/messages?to={address}")
        if status != 200:
            raise DemoFailed("the mailbox is closed; the demo runs on a development install only")
        return list(json.loads(body)["items"])

    def _mailed_link(self, address: str) -> str | None:
        for mail in self._mails(address):
            if found := re.search(r"/verify-email\?token=([\w-]+)", mail["text"]):
                return found[1]
        return None

    def _send_papers(self, person: Person) -> None:
        number = person.passport = f"L{next(_passports) % 10**7:07d}"
        required = person.app.post(
            "/api/kyc/initiate",
            {"documentType": "passport", "documentNumber": number, "dateOfBirth": "1989-03-14"},
            expect=201,
        )["required"]
        drawn = {
            "front": pictures.passport(person.first_name, person.last_name, number),
            "selfie": pictures.selfie(person.first_name, person.last_name),
        }
        files = [("documents", (f"{kind}.jpg", drawn[kind], "image/jpeg")) for kind in required]
        person.app.upload("/api/kyc/documents", [*files, *(("kinds", kind) for kind in required)])

    def _raise(self, founder: str, title: str, category: str, goal: str, cap: str | None, seed: int) -> None:
        app = self.people[founder].app
        ends = datetime.now(UTC) + (timedelta(days=30) if title in self.OPEN_FOR_LONG else self._time_to_watch())
        fields: list[tuple[str, Any]] = [
            ("title", title),
            ("summary", f"{title}: built by neighbours, owned by neighbours."),
            ("description", "What we make, what it costs, who we are, and what could go wrong.\n\n" * 3),
            ("category", category),
            ("goalAmount", goal),
            ("minInvestment", "50"),
            ("currency", "USD"),
            ("endsAt", ends.isoformat()),
            ("expectedReturnPercent", "6.5"),
            ("media", ("cover.jpg", pictures.cover(title, seed), "image/jpeg")),
        ]
        if cap:
            fields.append(("maxAmount", cap))
        campaign = app.upload("/api/campaigns", fields)
        app.post(f"/api/campaigns/{campaign['id']}/submit")
        self.campaigns[title] = campaign

    def _time_to_watch(self) -> timedelta:
        """Two campaigns end while we watch, by the real clock: late enough for a slow machine to invest first."""
        return timedelta(seconds=max(20.0, 1.5 * (time.monotonic() - self.begun)))

    def _add_card(self, person: Person, card: TestCard) -> str:
        details: dict[str, Any] = {"token": card.token}
        if self.provider == "sandbox":
            year = time.gmtime().tm_year + 3
            details = {"number": card.number, "expiryMonth": 12, "expiryYear": year, "cvv": "123"}
        added = person.app.post("/api/investments/payment-methods", {"type": "card", "details": details}, expect=201)
        return str(added["id"])

    def _add_bank_account(self, person: Person) -> str:
        token = "tok_bank_account"
        if self.provider != "sandbox":  # the provider's own page asks who they are and for their bank
            made = person.app.post("/api/investments/payment-methods/setup", {"type": "bank_account"})
            token = made["token"]
            person.app.submit_form(made["url"], answer="prove")
        body = {"type": "bank_account", "details": {"token": token}}
        return str(person.app.post("/api/investments/payment-methods", body, expect=201)["id"])

    def _invest(self, name: str, campaign: dict[str, Any], amount: str) -> None:
        person = self.people[name]
        made = person.app.post(
            f"/api/campaigns/{campaign['id']}/invest", {"amount": amount, "paymentMethodId": person.card}
        )
        until(lambda: self._status(name, made["id"]) == "committed")

    def _status(self, name: str, investment: str) -> str:
        return str(self.people[name].app.get(f"/api/investments/{investment}")["status"])

    def _progress(self, campaign: dict[str, Any]) -> str:
        now = self.people["Mei"].app.get(f"/api/campaigns/{campaign['id']}")
        return (
            f"${Decimal(now['raisedAmount']):,.2f} of ${Decimal(now['goalAmount']):,.2f} ({now['progressPercent']} %)"
        )

    def _campaign_status(self, campaign: dict[str, Any]) -> str:
        return str(self.people["Mei"].app.get(f"/api/campaigns/{campaign['id']}")["status"])
