"""
The books: accounts, postings and their entries (docs/ledger.md).

Balances are kept by the database as entries arrive and no rule of these tables rests on Python alone: see
`migrations/_rules.py` for the triggers.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.data.ids import uuid7
from core.models import Entity
from core.money import Money


class LedgerAccount(Entity):
    """
    An account of the ledger. Its balances are minor units on its own side, so that more is always a greater number.

    Callers name accounts (`escrow:campaign:<uuid>`); the ledger has no business nouns.
    """

    lock_level: ClassVar = 90

    class Kind(models.TextChoices):
        ASSET = "asset"
        LIABILITY = "liability"
        INCOME = "income"
        EXPENSE = "expense"

    DEBIT_KINDS = frozenset({Kind.ASSET, Kind.EXPENSE})
    """Kinds that grow by debits; the others grow by credits."""

    code = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=9, choices=Kind)
    currency = models.CharField(max_length=3)
    may_go_negative = models.BooleanField(default=False)
    """False: what is posted less what is reserved to leave never falls below zero."""
    posted = models.BigIntegerField(default=0)
    pending_in = models.BigIntegerField(default=0)
    pending_out = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ledger_account"
        constraints = [
            models.CheckConstraint(
                condition=Q(may_go_negative=True) | Q(posted__gte=F("pending_out")),
                name="ledger_account_stays_at_or_above_zero",
            ),
            models.CheckConstraint(
                condition=Q(pending_in__gte=0, pending_out__gte=0), name="ledger_account_pending_is_not_negative"
            ),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="ledger_account_currency_is_iso"),
            models.CheckConstraint(
                condition=Q(kind__in=["asset", "liability", "income", "expense"]), name="ledger_account_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def side(self) -> int:
        """+1 if debits make it grow, -1 if credits do: turns an entry's amount into the account's own."""
        return 1 if self.kind in self.DEBIT_KINDS else -1

    def may_run_short_by(self, amount: int) -> bool:
        """Whether an entry of `amount` takes from an account that may not fall below zero."""
        return self.side * amount < 0 and not self.may_go_negative

    @property
    def balance(self) -> Money:
        """What is posted, as this row was read."""
        return Money(self.posted, self.currency)

    @property
    def available(self) -> Money:
        """What may still leave, as this row was read: reservations out count as gone, reservations in not yet."""
        return Money(self.posted - self.pending_out, self.currency)


class PostingQuerySet(models.QuerySet["Posting"]):
    def open_reservations(self) -> "PostingQuerySet":
        return self.filter(phase=Posting.Phase.RESERVED, resolution=None)


class Posting(Entity):
    """
    One event in the books, never changed afterwards. Its entries sum to zero in each currency.

    A reservation is settled by a second posting that `resolves` it: `posted` with the same entries, or `voided`
    with none. A mistake is corrected by a posting that `reverses` it.
    """

    class Phase(models.TextChoices):
        POSTED = "posted"
        RESERVED = "reserved"
        VOIDED = "voided"

    key = models.CharField(max_length=255)
    """What makes it happen once: chosen by the caller, or derived from the posting it resolves or reverses."""
    phase = models.CharField(max_length=8, choices=Phase)
    kind = models.CharField(max_length=60)
    """The caller's word for what happened: `investment.captured`."""
    reference = models.CharField(max_length=120, default="", blank=True)
    """What caused it: `investment:<uuid>`. No personal data here or in the description: the books outlive people."""
    description = models.CharField(max_length=255, default="", blank=True)
    effective_at = models.DateTimeField()
    """When it counts, for reports; `created_at` is when it was written."""
    entry_count = models.PositiveSmallIntegerField()
    """How many entries it has, so that none can be added later."""
    resolves = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="resolution")
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversal")

    objects = PostingQuerySet.as_manager()

    class Meta:
        db_table = "ledger_transaction"
        constraints = [
            models.UniqueConstraint(fields=["key"], name="ledger_transaction_key_is_used_once"),
            models.CheckConstraint(
                condition=Q(phase="posted", resolves=None)
                | Q(phase="posted", reverses=None)
                | Q(phase="reserved", resolves=None, reverses=None)
                | Q(phase="voided", resolves__isnull=False, reverses=None),
                name="ledger_transaction_phase_fits_its_links",
            ),
            models.CheckConstraint(
                condition=Q(phase="voided", entry_count=0) | (~Q(phase="voided") & Q(entry_count__gte=2)),
                name="ledger_transaction_has_two_entries_unless_voided",
            ),
        ]
        indexes = [models.Index(fields=["reference"], name="ledger_transaction_reference")]

    def __str__(self) -> str:
        return self.key


class Entry(models.Model):
    """One account's part in a posting: minor units, debit positive and credit negative."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    posting = models.ForeignKey(
        Posting, on_delete=models.PROTECT, related_name="entries", db_column="transaction_id", db_index=False
    )
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="entries", db_index=False)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        db_table = "ledger_entry"
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(fields=["posting", "account"], name="ledger_entry_is_one_per_account"),
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_entry_moves_something"),
        ]
        indexes = [models.Index(fields=["account", "id"], name="ledger_entry_by_account")]

    def __str__(self) -> str:
        return str(self.money)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Seal(models.Model):
    """
    The hash of a posting with its entries, kept when its day was over. Without a foreign key, so that it outlives the
    posting and names one that is missing.
    """

    posting_id = models.UUIDField(primary_key=True)
    hash = models.BinaryField()
    """SHA-256 of the posting's canonical text (docs/ledger.md, Seals)."""

    class Meta:
        db_table = "ledger_seal"

    def __str__(self) -> str:
        return str(self.posting_id)


class SealedDay(models.Model):
    """A day of the books (UTC, by the ids of its postings), chained to the sealed day before it."""

    day = models.DateField(primary_key=True)
    posting_count = models.PositiveIntegerField()
    previous = models.BinaryField()
    """The digest of the sealed day before; 32 zero bytes for the first one."""
    digest = models.BinaryField()
    """SHA-256 of the previous digest, the day, and the hashes of its postings in the order of their ids."""
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_sealed_day"
        constraints = [
            models.UniqueConstraint(fields=["previous"], name="ledger_sealed_day_follows_one_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {bytes(self.digest).hex()}"
