"""Personal data in the books (core.privacy): the accounts of the books that are a person's by their code."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from core.privacy import Kept, declare, declare_impersonal
from ledger.models import Entry, LedgerAccount, Posting, Seal, SealedDay


def books_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    """What the books owe the person, or owed."""
    kept = LedgerAccount.objects.filter(code__contains=f":user:{person_id}:").order_by("code")
    for code, currency, posted in kept.values_list("code", "currency", "posted"):
        yield {"account": code.partition(":")[0], "currency": currency, "balanceMinor": posted}


BOOKS = Kept("the books are kept to the cent, for an account without a name")

declare(LedgerAccount, export=books_of, erase=BOOKS, retention=BOOKS)
for model in (Posting, Entry):
    declare_impersonal(model, about="amounts between accounts of the books", retention=Kept("the ledger only grows"))
for seal in (Seal, SealedDay):
    declare_impersonal(seal, about="hashes of the books", retention=Kept("the ledger only grows"))
