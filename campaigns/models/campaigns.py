"""Campaigns, their categories and pictures, and what they are found by (docs/campaign-lifecycle.md)."""

from datetime import datetime
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q

from campaigns.fees import Schedule, newest_version, schedule
from campaigns.permissions import MODERATE
from campaigns.rules import Rules, RuleSet, rule_set, version_on
from campaigns.rules.calendar import Place
from core import clock
from core.models import Entity
from core.money import MAX_MINOR, Money, minor_text
from core.search import Breadth, WordQuery, read_query
from uploads.models import StoredFile


class Category(Entity):
    """What a campaign is about. Clients name it by its slug."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Status(models.TextChoices):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    REJECTED = "rejected"
    LIVE = "live"
    FUNDED = "funded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SETTLED = "settled"


class Phase(models.TextChoices):
    """Where a campaign is by the clock: its status, but one that is live is `upcoming`, `open` or `ended`."""

    DRAFT = Status.DRAFT.value
    IN_REVIEW = Status.IN_REVIEW.value
    REJECTED = Status.REJECTED.value
    UPCOMING = "upcoming"
    OPEN = "open"
    ENDED = "ended"
    """Its deadline has passed, and it is not decided yet."""
    FUNDED = Status.FUNDED.value
    FAILED = Status.FAILED.value
    CANCELLED = Status.CANCELLED.value
    SETTLED = Status.SETTLED.value


class Outcome(models.TextChoices):
    """How a campaign ended."""

    FUNDED = Status.FUNDED.value
    FAILED = Status.FAILED.value
    CANCELLED = Status.CANCELLED.value


PUBLIC = (Status.LIVE, Status.FUNDED, Status.FAILED, Status.CANCELLED, Status.SETTLED)
BEFORE_LIVE = (Status.DRAFT, Status.IN_REVIEW, Status.REJECTED)
EDITABLE = (Status.DRAFT, Status.REJECTED)
"""Where everything may still change, the terms included."""
CLOSED = (Status.FUNDED, Status.FAILED, Status.CANCELLED)
"""Decided, with money still to be released or refunded."""


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def visible_to(self, person: Any) -> Self:
        """What went live is for everyone, the rest for its owner; moderators also see what waits for review."""
        seen = Q(status__in=PUBLIC) | Q(owner_id=person.pk)
        if MODERATE.held_by(person):
            seen |= Q(status__in=[Status.IN_REVIEW, Status.REJECTED])
        return self.filter(seen)

    def in_phase(self, phase: str, now: datetime) -> Self:
        """Those that are live and by the clock `upcoming`, `open` or `ended`."""
        match phase:
            case Phase.UPCOMING:
                return self.filter(status=Status.LIVE, starts_at__gt=now)
            case Phase.OPEN:
                return self.filter(status=Status.LIVE, starts_at__lte=now, ends_at__gt=now)
        return self.filter(status=Status.LIVE, ends_at__lte=now)

    def due_at(self, now: datetime) -> Self:
        """Those whose deadline has passed without a decision, and those decided whose money is not settled."""
        return self.filter(Q(status=Status.LIVE, ends_at__lte=now) | Q(status__in=CLOSED))

    def matching(self, q: str) -> Self:
        """Those that hold every term of `q`, in the syntax of web searches (`"a phrase" -without or`)."""
        query = WordQuery(read_query(q), Breadth.PARTS)
        return self.filter(pk__in=CampaignIndex.objects.filter(words=query).values("pk"))

    def for_cards(self) -> Self:
        """With what a card shows, in one query."""
        pictures = CampaignMedia.objects.filter(campaign=models.OuterRef("pk")).order_by("position")
        return (
            self.select_related("owner", "category")
            .annotate(cover=models.Subquery(pictures.values("file__storage_name")[:1]))
            .defer("description")
        )


def phase(status: str, starts_at: datetime | None, ends_at: datetime, now: datetime) -> Phase:
    """Of a campaign with these terms."""
    if status != Status.LIVE or starts_at is None:
        return Phase(status)
    if now < starts_at:
        return Phase.UPCOMING
    return Phase.OPEN if now < ends_at else Phase.ENDED


def deadline(campaign: Any, now: datetime) -> datetime:
    """
    The deadline that holds at `now`. An earlier one at which the goal is not reached any more gives way to the first
    one (`services.early_close`), also before anybody has written that down.

    :param campaign: a `Campaign`, or a row with its columns
    """
    has_missed = (
        campaign.first_ends_at is not None
        and campaign.status == Status.LIVE
        and campaign.ends_at <= now
        and not campaign.reserved_minor
        and campaign.raised_minor < campaign.goal_minor
    )
    found: datetime = campaign.first_ends_at if has_missed else campaign.ends_at
    return found


def is_open(status: str, starts_at: datetime | None, ends_at: datetime, now: datetime) -> bool:
    """Whether a campaign with these terms takes investments."""
    return phase(status, starts_at, ends_at, now) == Phase.OPEN


def available_minor(campaign: Any) -> int:
    """
    How much may still be invested: up to the cap, or up to what one campaign may hold.

    :param campaign: a `Campaign`, or a row with its columns
    """
    taken: int = campaign.raised_minor + campaign.reserved_minor + campaign.offered_minor
    return (campaign.max_minor or MAX_MINOR) - taken


def rules_of(campaign: Any) -> RuleSet:
    """
    The rules that hold for a campaign; before it is submitted, those that are in force today.

    :param campaign: a `Campaign`, or a row with its columns
    """
    return rule_set(campaign.rules, campaign.rules_version or version_on(campaign.rules, clock.now().date()))


def fees_of(campaign: Any) -> Schedule:
    """
    What investors and the owner of a campaign pay; before it is published, what it would be today.

    :param campaign: a `Campaign`, or a row with its columns
    """
    if campaign.status in BEFORE_LIVE:
        return newest_version(settings.FEE_SCHEDULE)
    return schedule(campaign.fee_schedule, campaign.fee_schedule_version)


def place_of(campaign: Any) -> Place:
    """Whose clock and whose public holidays count for a campaign, or for a row with its columns."""
    return Place(ZoneInfo(campaign.time_zone), rules_of(campaign).country or campaign.country)


def progress_percent(raised_minor: int, goal_minor: int) -> float:
    """Raised as a share of the goal, cut to two decimals."""
    return raised_minor * 10_000 // goal_minor / 100


class Campaign(Entity):
    """
    A request for money until a deadline. Amounts are minor units of `currency`.

    `raised_minor` and `reserved_minor` are kept by `services.funding` under this row's lock, in the commit that books
    the same amounts in the ledger.
    """

    lock_level: ClassVar = 70

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="campaigns")
    title = models.CharField(max_length=120)
    slug = models.SlugField(max_length=130, unique=True)
    summary = models.CharField(max_length=300)
    description = models.TextField(max_length=20_000)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="campaigns", db_index=False)

    currency = models.CharField(max_length=3)
    goal_minor = models.BigIntegerField()
    max_minor = models.BigIntegerField(null=True, blank=True)
    """The hard cap; without one a campaign may raise up to `MAX_MINOR`."""
    min_investment_minor = models.BigIntegerField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    """Empty until it goes live if it should start right then."""
    ends_at = models.DateTimeField()
    expected_return_percent = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)

    rules = models.CharField(max_length=10, choices=Rules, default=Rules.NONE, db_default=Rules.NONE)
    rules_version = models.CharField(max_length=10, default="", db_default="", blank=True)
    """Of the rule set: the one in force when the campaign was submitted; empty before that."""
    country = models.CharField(max_length=2, default="", db_default="", blank=True)
    """Of the owner's business, ISO 3166-1 alpha-2: whose public holidays count."""
    time_zone = models.CharField(max_length=40, default="UTC", db_default="UTC")
    """In which days are counted, a name of the IANA time zone database."""
    fiscal_year_end = models.CharField(max_length=5, default="12-31", db_default="12-31")
    """The last day of the owner's fiscal year, `MM-DD`."""
    fee_schedule = models.CharField(max_length=20, default="none", db_default="none")
    fee_schedule_version = models.PositiveSmallIntegerField(default=1, db_default=1)
    """Of `campaigns.fees`; both are fixed when it is published, and say nothing before that."""
    terms_version = models.PositiveIntegerField(default=1, db_default=1)
    """Counts the terms that investors have agreed to; it grows with every change of them once the campaign is live."""
    first_ends_at = models.DateTimeField(null=True, blank=True)
    """The deadline before an early close; it holds again if the goal is missed at the earlier one."""
    reconfirm_until = models.DateTimeField(null=True, blank=True)
    """Until when those who invested before the last amendment have to confirm it."""

    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    review_note = models.TextField(max_length=1000, default="", blank=True)
    """What the moderator wrote when rejecting; for the owner."""
    published_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=[(s, s.label) for s in CLOSED], default="", blank=True)
    """How it ended; it stays when the campaign is settled. The table keeps it (migrations/_rules.py)."""
    settled_at = models.DateTimeField(null=True, blank=True)

    raised_minor = models.BigIntegerField(default=0)
    """What backers have put in and not got back."""
    reserved_minor = models.BigIntegerField(default=0)
    """What payments under way may still add; it counts against the cap, not towards the goal."""
    offered_minor = models.BigIntegerField(default=0, db_default=0)
    """What is offered to people in the waiting list; it counts against the cap like a payment under way."""
    waiting_count = models.PositiveIntegerField(default=0, db_default=0)
    """How many are in the waiting list without an offer."""
    settled_minor = models.BigIntegerField(default=0, db_default=0)
    """What of the raised money was released to the owner."""
    investor_count = models.PositiveIntegerField(default=0)
    trend = models.FloatField(default=0)
    """Decayed count of investments, in log space (`campaigns.trending`)."""

    version = models.PositiveIntegerField(default=1)
    """Counts edits and steps; it is the ETag. Money does not count: an editor need not re-read for it."""
    updated_at = models.DateTimeField()
    objects: ClassVar[CampaignQuerySet] = CampaignQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="campaign_status_is_known"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="campaign_currency_is_iso"),
            models.CheckConstraint(condition=Q(goal_minor__gt=0), name="campaign_goal_is_above_zero"),
            models.CheckConstraint(
                condition=Q(max_minor=None) | Q(max_minor__gte=F("goal_minor")),
                name="campaign_cap_is_not_below_its_goal",
            ),
            models.CheckConstraint(
                condition=Q(min_investment_minor=None)
                | Q(min_investment_minor__gt=0, min_investment_minor__lte=F("goal_minor")),
                name="campaign_minimum_is_within_its_goal",
            ),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at__gt=F("starts_at")), name="campaign_ends_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(status__in=BEFORE_LIVE) | Q(starts_at__isnull=False, published_at__isnull=False),
                name="campaign_beyond_review_has_a_start",
            ),
            models.CheckConstraint(
                condition=Q(raised_minor__gte=0, reserved_minor__gte=0), name="campaign_money_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(max_minor=None) | Q(max_minor__gte=F("raised_minor") + F("reserved_minor")),
                name="campaign_raised_and_reserved_stay_within_the_cap",
            ),
            models.CheckConstraint(
                condition=Q(raised_minor__lte=MAX_MINOR - F("reserved_minor"), goal_minor__lte=MAX_MINOR),
                name="campaign_money_stays_within_its_range",
            ),
            models.CheckConstraint(condition=Q(outcome__in=["", *CLOSED]), name="campaign_outcome_is_known"),
            models.CheckConstraint(
                condition=~Q(status__in=BEFORE_LIVE) | Q(raised_minor=0, reserved_minor=0, investor_count=0),
                name="campaign_holds_no_money_before_it_is_live",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[Status.FUNDED, Status.FAILED, Status.SETTLED]) | Q(reserved_minor=0),
                name="campaign_is_decided_when_nothing_is_under_way",
            ),
            models.CheckConstraint(condition=Q(rules__in=Rules.values), name="campaign_rules_are_known"),
            models.CheckConstraint(
                condition=Q(offered_minor__gte=0, settled_minor__gte=0, settled_minor__lte=F("raised_minor")),
                name="campaign_settles_no_more_than_it_raised",
            ),
            models.CheckConstraint(
                condition=Q(max_minor=None)
                | Q(max_minor__gte=F("raised_minor") + F("reserved_minor") + F("offered_minor")),
                name="campaign_offers_stay_within_the_cap",
            ),
            models.CheckConstraint(
                condition=~Q(rules_version="") | Q(status__in=[Status.DRAFT, Status.REJECTED]) | Q(rules=Rules.NONE),
                name="campaign_keeps_the_version_of_its_rules",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="campaign_newest"),
            models.Index(fields=["ends_at", "id"], condition=Q(status=Status.LIVE), name="campaign_ending"),
            models.Index(fields=["-raised_minor", "-id"], name="campaign_most_funded"),
            models.Index(fields=["-trend", "-id"], name="campaign_trending"),
            models.Index(fields=["owner", "-created_at", "-id"], name="campaign_by_owner"),
            models.Index(fields=["category", "-created_at", "-id"], name="campaign_by_category"),
            models.Index(fields=["status", "-created_at", "-id"], name="campaign_by_status"),
            models.Index(fields=["id"], condition=Q(status__in=CLOSED), name="campaign_unsettled"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def goal(self) -> Money:
        return Money(self.goal_minor, self.currency)

    @property
    def raised(self) -> Money:
        return Money(self.raised_minor, self.currency)

    @property
    def available_minor(self) -> int:
        return available_minor(self)

    @property
    def committed_minor(self) -> int:
        """What backers have put in, that is not released to the owner."""
        return self.raised_minor - self.settled_minor

    @property
    def rule_set(self) -> RuleSet:
        return rules_of(self)

    @property
    def fees(self) -> Schedule:
        return fees_of(self)

    @property
    def place(self) -> Place:
        return place_of(self)

    @property
    def progress_percent(self) -> float:
        return progress_percent(self.raised_minor, self.goal_minor)

    def text(self, minor: int) -> str:
        """An amount of this campaign as JSON shows it."""
        return minor_text(minor, self.currency)

    def text_or_none(self, minor: int | None) -> str | None:
        return None if minor is None else self.text(minor)

    @property
    def is_live(self) -> bool:
        return self.status == Status.LIVE

    def is_open_at(self, now: datetime) -> bool:
        """Computed from the clock: a deadline holds without a job that runs."""
        return is_open(self.status, self.starts_at, deadline(self, now), now)

    @property
    def etag(self) -> str:
        return f'"{self.version}"'


class CampaignIndex(models.Model):
    """
    What a campaign is found by (`core.search`). A trigger writes it when title, summary or description change
    (migrations/_rules.py): an investment, which changes the campaign's row, does not pay for it.
    """

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, primary_key=True, related_name="index")
    words = SearchVectorField()

    class Meta:
        verbose_name_plural = "campaign indexes"
        indexes = [GinIndex(fields=["words"], name="campaign_words", fastupdate=False)]

    def __str__(self) -> str:
        return str(self.campaign_id)


class CampaignPictures(models.QuerySet["CampaignMedia"]):
    def with_files(self) -> "CampaignPictures":
        """For `MediaCard.of`: two more queries for all of them."""
        return self.prefetch_related(models.Prefetch("file", StoredFile.objects.with_renditions()))


class CampaignMedia(Entity):
    """A picture of a campaign, in its place."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="media")
    file = models.OneToOneField("uploads.StoredFile", on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    objects = CampaignPictures.as_manager()

    class Meta:
        verbose_name_plural = "campaign media"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "position"], name="campaign_media_has_one_place"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.position}"
