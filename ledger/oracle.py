"""
An independent check of the books: rebuilds every balance, and every seal, from the lines that `ledger_export` writes.

It shares no code with the platform and needs nothing but Python, so an auditor can run it on a machine of their own:

    manage.py ledger_export > books.jsonl
    python ledger/oracle.py books.jsonl

It prints one line for each fault, then what it has counted; the exit status is 0 only without faults. What the lines
mean is written in docs/ledger.md.
"""

import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

HELD_FEES = "fees:held:campaign:"
SIDES = {"asset": 1, "expense": 1, "liability": -1, "income": -1}


class Books:
    """Takes the lines one by one; `faults` says what does not agree once all of them are in."""

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.posted: defaultdict[str, int] = defaultdict(int)
        self.open: dict[str, list[dict[str, Any]]] = {}
        self.phases: dict[str, str] = {}
        self.keys: set[str] = set()
        self.phase_of_key: dict[str, str] = {}
        self.undone: set[str] = set()
        self.days: dict[str, dict[str, Any]] = {}
        self.hashes: dict[str, Any] = {}
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.owed: defaultdict[str, int] = defaultdict(int)
        self.found: list[str] = []
        self.fees: defaultdict[tuple[str, str], int] = defaultdict(int)

    def take(self, line: dict[str, Any]) -> None:
        if line["type"] == "account":
            self.accounts[line["code"]] = line
        elif line["type"] == "sealedDay":
            self.days[line["day"]] = line
            self.hashes[line["day"]] = hashlib.sha256(bytes.fromhex(line["previous"]) + line["day"].encode())
        elif line["type"] == "posting":
            self.take_posting(line)
        else:
            self.found.append(f"a line of an unknown type: {line['type']}")

    def take_posting(self, posting: dict[str, Any]) -> None:
        key = posting["key"]
        sums: defaultdict[str, int] = defaultdict(int)
        for entry in posting["entries"]:
            sums[entry["currency"]] += entry["minor"]
            account = self.accounts.get(entry["account"])
            if account is None:
                self.found.append(f"{key}: an entry on {entry['account']}, which is no account")
            elif account["currency"] != entry["currency"]:
                self.found.append(
                    f"{key}: {entry['currency']} on {entry['account']}, which holds {account['currency']}"
                )
        self.found += [f"{key}: off by {off} {currency}" for currency, off in sums.items() if off]
        if key in self.keys:
            self.found.append(f"{key}: booked twice")
        self.keys.add(key)
        self.phase_of_key[key] = posting["phase"]
        self.phases[posting["id"]] = posting["phase"]
        self.follow(posting)
        day = day_of(posting["id"])
        self.counts[day] += 1
        if day in self.hashes:
            self.hashes[day].update(hash_of(posting))

    def follow(self, posting: dict[str, Any]) -> None:
        """Reservations hold their entries until they are resolved; posted entries count."""
        if posting["resolves"]:
            held = self.open.pop(posting["resolves"], None)
            if held is None:
                self.found.append(f"{posting['key']}: resolves no open reservation")
            elif posting["phase"] == "posted" and amounts(held) != amounts(posting["entries"]):
                self.found.append(f"{posting['key']}: other amounts than it reserved")
        if posting["reverses"]:
            if self.phases.get(posting["reverses"]) != "posted" or posting["reverses"] in self.undone:
                self.found.append(f"{posting['key']}: reverses what is not posted, or was reversed before")
            self.undone.add(posting["reverses"])
        if posting["phase"] == "reserved":
            self.open[posting["id"]] = posting["entries"]
        elif posting["phase"] == "posted":
            for entry in posting["entries"]:
                self.posted[entry["account"]] += entry["minor"]
                if entry["account"].startswith(HELD_FEES):
                    self.fees[entry["account"], posting["reference"]] -= entry["minor"]
                if posting["kind"] in ("campaign.released", "settlement.paid_out"):
                    self.owed[posting["reference"]] -= entry["minor"] * entry["account"].startswith("payable:")

    def faults(self) -> Iterator[str]:
        yield from self.found
        coming: defaultdict[str, int] = defaultdict(int)
        going: defaultdict[str, int] = defaultdict(int)
        for entries in self.open.values():
            for entry in entries:
                own = entry["minor"] * self.side(entry["account"])
                (coming if own > 0 else going)[entry["account"]] += abs(own)
        for code, account in self.accounts.items():
            rebuilt = self.posted[code] * self.side(code), coming[code], going[code]
            kept = account["posted"], account["pendingIn"], account["pendingOut"]
            if rebuilt != kept:
                yield f"{code}: keeps {kept}, its entries give {rebuilt} (posted, pending in, pending out)"
            if not account["mayGoNegative"] and rebuilt[0] < rebuilt[2]:
                yield f"{code}: below zero"
        yield from self.wrong_fees()
        for reference, owed in self.owed.items():
            if owed < 0:
                yield f"{reference}: its owner was paid {-owed} minor units more than was released"
        yield from self.broken_disputes()
        yield from self.broken_seals()

    def wrong_fees(self) -> Iterator[str]:
        """No investment gets more fees back than it paid; nothing is held of a campaign whose fees were earned."""
        for (code, reference), kept in self.fees.items():
            campaign = code.removeprefix(HELD_FEES)
            if reference != f"campaign:{campaign}" and kept < 0:
                yield f"{reference}: gave back {-kept} more in fees than it took"
        for code in {code for code, _ in self.fees}:
            if f"fees:{code.removeprefix(HELD_FEES)}" in self.keys and self.posted[code]:
                yield f"{code}: holds fees after they were earned"

    def broken_disputes(self) -> Iterator[str]:
        """What a provider took and gave back (`dispute-won`) cannot also have been paid for by anybody here."""
        for code in self.accounts:
            if not code.startswith("dispute:"):
                continue
            dispute = code.partition(":")[2]
            is_won = f"dispute-won:{dispute}/resolved" in self.keys
            lost = (f"dispute-freeze:{dispute}/resolved", f"dispute-lost:{dispute}")
            is_lost = any(self.phase_of_key.get(key) == "posted" for key in lost)
            if is_won and is_lost:
                yield f"{code}: won, and paid for as if it were lost"
            if (is_won or is_lost) and self.posted[code]:
                yield f"{code}: ended, with {self.posted[code]} left on it"

    def broken_seals(self) -> Iterator[str]:
        previous = bytes(32).hex()
        for day in sorted(self.days):
            sealed = self.days[day]
            if sealed["previous"] != previous:
                yield f"{day}: does not follow the sealed day before it"
            there = self.counts[day]
            if sealed["postings"] != there or sealed["digest"] != self.hashes[day].hexdigest():
                yield f"{day}: was sealed with {sealed['postings']} postings; the {there} there give another digest"
            previous = sealed["digest"]

    def side(self, code: str) -> int:
        return SIDES[self.accounts[code]["kind"]] if code in self.accounts else 1


def amounts(entries: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    return sorted((entry["account"], entry["minor"], entry["currency"]) for entry in entries)


def hash_of(posting: dict[str, Any]) -> bytes:
    """SHA-256 of the canonical text: a JSON list of the posting's members, its entries in the order of their codes."""
    members = [posting[name] for name in ("id", "key", "phase", "kind", "reference", "description")]
    members += [microseconds(posting[name]) for name in ("createdAt", "effectiveAt")]
    members += [len(posting["entries"]), posting["resolves"] or "", posting["reverses"] or ""]
    members.append([list(entry) for entry in amounts(posting["entries"])])
    return hashlib.sha256(json.dumps(members, ensure_ascii=False).encode()).digest()


def microseconds(moment: str) -> int:
    """Since 1970, of an RFC 3339 moment."""
    since = datetime.fromisoformat(moment.replace("Z", "+00:00")) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def day_of(posting_id: str) -> str:
    """The day (UTC) of a UUIDv7 (RFC 9562 section 5.7)."""
    return datetime.fromtimestamp(int(posting_id.replace("-", "")[:12], 16) / 1000, UTC).date().isoformat()


def check(lines: Iterable[str]) -> tuple[list[str], str]:
    """The faults of an export, and a line of what it holds."""
    books = Books()
    for line in lines:
        if line.strip():
            books.take(json.loads(line))
    faults = list(books.faults())
    held = f"{len(books.accounts)} accounts, {len(books.phases)} postings, {len(books.open)} open reservations"
    return faults, f"{held}, {len(books.days)} sealed days"


def main(names: list[str]) -> int:
    with open(names[0], encoding="utf-8") if names else sys.stdin as lines:
        faults, held = check(lines)
    last = f"{'Faults: ' + str(len(faults)) if faults else 'The books agree'}: {held}."
    sys.stdout.write("\n".join([*faults, last, ""]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
