"""The chapter of the story about a funded campaign's money: two people pay its owner, who pays its holders in turn."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from vectragrow.demo.client import DemoFailed, command, until
from vectragrow.demo.people import Person

STEPS = 6


@dataclass
class Returns:
    """Plays on the people of a story and its funded campaign; `say`, `log_in` and `add_method` are the story's."""

    say: Any
    people: dict[str, Person]
    campaign: dict[str, Any]
    log_in: Any
    add_bank_account: Any

    def play(self) -> None:
        amara, mei, noor = (self.people[name] for name in ("Amara", "Mei", "Noor"))
        self.an_owner_names_an_account(amara)
        with_rights = [self.people[name] for name in ("Ines", "Tom")]
        for person in with_rights:
            command("grant_role", person.email, "admin")
        self.two_people_pay_the_owner(amara, with_rights)
        self.holders_are_paid(amara, with_rights[0], [mei, self.people["Rafael"], noor])
        self.a_holder_withdraws(mei)
        for person in with_rights:
            command("grant_role", person.email, person.role)
            self.log_in(person)

    def an_owner_names_an_account(self, owner: Person) -> None:
        self.log_in(owner)  # to change where money goes, a session proves anew who it is
        account = self.add_bank_account(owner)
        owner.app.put("/api/investments/payout-target", {"paymentMethodId": account})
        target = until(lambda: self._verified_target(owner))
        self.say(f"Amara names the account her money goes to, {target['paymentMethod']['brand']}; it is verified")

    def _verified_target(self, owner: Person) -> dict[str, Any] | None:
        target: dict[str, Any] = owner.app.get("/api/investments/payout-target")
        if target["status"] == "rejected":
            raise DemoFailed(f"the account was rejected: {target}")
        return target if target["status"] == "verified" else None

    def two_people_pay_the_owner(self, owner: Person, staff: list[Person]) -> None:
        first, second = staff
        until(lambda: self._settlement(owner)["status"] == "waiting_for_approval")
        due = self._settlement(owner)
        sums = f"${Decimal(due['gross']):,.2f} less ${Decimal(due['fees']):,.2f} of fees"
        self.say(f"“{self.campaign['title']}” owes its founder {sums}; so much takes two people")
        command("decide_settlement", self.campaign["id"], "approve", "--by", first.email)
        if self._settlement(owner)["status"] != "waiting_for_approval":
            raise DemoFailed("one person alone has paid the owner")
        command("decide_settlement", self.campaign["id"], "approve", "--by", second.email)
        paid = until(lambda: self._settlement(owner) if self._settlement(owner)["status"] == "paid" else None)
        self.say(f"{first.first_name} approves, then {second.first_name}: ${Decimal(paid['paid']):,.2f} are paid out")

    def _settlement(self, owner: Person) -> dict[str, Any]:
        found: dict[str, Any] = owner.app.get(f"/api/campaigns/{self.campaign['id']}/settlement")
        return found

    def holders_are_paid(self, owner: Person, staff: Person, holders: list[Person]) -> None:
        body = {"amount": "1000", "kind": "dividend", "paymentMethodId": owner.card, "note": "Our first dividend."}
        path = f"/api/campaigns/{self.campaign['id']}/distributions"
        made = owner.app.post(path, body)
        until(
            lambda: any(row["id"] == made["id"] and row["paymentStatus"] == "captured" for row in owner.app.pages(path))
        )
        command("decide_distribution", made["id"], "approve", "--by", staff.email)
        self.say(f"Amara pays in a dividend of $1,000.00 for all holders; {staff.first_name} approves it")
        parts = {holder.first_name: until(lambda holder=holder: self._returned(holder)) for holder in holders}
        if sum(parts.values()) != 1000:
            raise DemoFailed(f"the parts are {parts}")
        told = ", ".join(f"{name} ${part:,.2f}" for name, part in parts.items())
        self.say(f"It is split by what each holds: {told}; together $1,000.00 to the cent")

    def _is_paid_in(self, owner: Person, path: str, distribution_id: str) -> bool:
        return any(row["id"] == distribution_id and row["paymentStatus"] == "captured" for row in owner.app.pages(path))

    def _returned(self, holder: Person) -> Decimal | None:
        rows = holder.app.get("/api/investments/returns")["items"]
        parts = [Decimal(row["amount"]) for row in rows if row["campaign"]["id"] == self.campaign["id"]]
        return sum(parts, Decimal(0)) or None

    def a_holder_withdraws(self, holder: Person) -> None:
        self.log_in(holder)
        account = self.add_bank_account(holder)
        mine = next(row for row in holder.app.pages("/api/investments") if row["campaign"]["id"] == self.campaign["id"])
        body = {"amount": "200", "paymentMethodId": account}
        payout = holder.app.post(f"/api/investments/{mine['id']}/withdraw", body)
        until(lambda: "paid_out" in self._steps(holder, mine["id"]))
        self.say(f"Mei withdraws ${Decimal(payout['amount']):,.2f} of hers to her bank account")

    def _steps(self, holder: Person, investment_id: str) -> list[str]:
        return [event["kind"] for event in holder.app.get(f"/api/investments/{investment_id}")["events"]]
