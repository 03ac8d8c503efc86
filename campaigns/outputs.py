"""What clients see of campaigns."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import Meta, field

from accounts.outputs.people import UserCard
from campaigns.errors import Missing
from campaigns.fees import Due, Fee, FeeKind, PaidBy, RefundedWhen, Schedule
from campaigns.key_information import Instrument, current_form
from campaigns.models import (
    MATERIAL,
    PUBLIC,
    PUBLIC_NAMES,
    Amendment,
    AmendmentStatus,
    AuthorRole,
    Campaign,
    CampaignDocument,
    Category,
    DocumentKind,
    KeyInformation,
    Outcome,
    Phase,
    Status,
    StatusChange,
    Update,
    UpdateEdit,
    available_minor,
    deadline,
    phase,
    progress_percent,
    shown,
)
from campaigns.reporting import DueReport, on_time_rate
from campaigns.rules import Rules
from campaigns.services.transitions import TRANSITIONS, Actor
from campaigns.verdicts import Verdict
from core.api.outputs import Count, Currency, Moment, MoneyText, Output, Url
from core.money import Money, minor_text
from core.share_pages import share_url
from uploads.models import StoredFile
from uploads.outputs import MediaCard, media_cards
from uploads.selectors import media_url
from uploads.services import make_link

DOCUMENT_LINK = timedelta(minutes=15)
"""How long a link to a document opens."""
Action = Literal[
    "edit",
    "submit",
    "delete",
    "cancel",
    "close_early",
    "amend",
    "post_update",
    "propose_distribution",
    "invest",
    "join_waitlist",
    "accept_offer",
    "leave_waitlist",
]


class Allowance(Output):
    """What a write call would answer now."""

    allowed: bool
    because: Annotated[str | None, Meta(description="The code of the refusal; null when it is allowed.")]
    detail: Annotated[str | None, Meta(description="The refusal in a sentence.")]
    rule: Annotated[
        str | None,
        Meta(description="The rule of the campaign's rule set that decides it; null when it is no such rule."),
    ]
    until: Annotated[Moment | None, Meta(description="When the answer changes by the clock alone; null: it does not.")]

    @classmethod
    def of(cls, action: str, verdict: Verdict) -> Self:
        refusal = verdict.refusal
        return cls(
            action=action,  # type: ignore[call-arg]  # each subclass says which there are
            allowed=refusal is None,
            because=refusal.code if refusal else None,
            detail=refusal.detail if refusal else None,
            rule=verdict.rule or None,
            until=verdict.changes_at,
        )


class AllowedAction(Allowance):
    """Something that may, or may not, be done with a campaign now."""

    action: Action


class CategoryCard(Output):
    id: UUID
    slug: str
    name: str

    @classmethod
    def of(cls, category: Category) -> Self:
        return cls(id=category.pk, slug=category.slug, name=category.name)


class CampaignCard(Output):
    """A campaign in a list or beside an investment."""

    id: UUID
    title: str
    slug: str
    summary: str
    category: str
    status: Status
    outcome: Annotated[Outcome | None, Meta(description="How it ended; it stays when settled.")]
    phase: Annotated[
        Phase,
        Meta(
            description="The status by the clock: one that is live is `upcoming`, `open`, or `ended` when its deadline "
            "has passed and it is not decided yet."
        ),
    ]
    accepts_investments: Annotated[bool, Meta(description="It is open by the clock, and there is room under its cap.")]
    owner: UserCard
    goal_amount: MoneyText
    max_amount: MoneyText | None
    min_investment: MoneyText | None
    currency: Currency
    raised_amount: Annotated[MoneyText, Meta(description="What backers have put in and not got back.")]
    reserved_amount: Annotated[
        MoneyText,
        Meta(description="What payments under way may still add, and what is offered to people in the waiting list."),
    ]
    committed_amount: Annotated[
        MoneyText, Meta(description="Of what is raised, what the campaign holds for its backers.")
    ]
    settled_amount: Annotated[MoneyText, Meta(description="Of what is raised, what was released to the owner.")]
    investor_count: Count
    progress_percent: Annotated[float, Meta(ge=0, description="Raised as a share of the goal.")]
    starts_at: Moment | None
    ends_at: Moment
    cover_image: Url | None
    share_url: Annotated[Url | None, Meta(description="Its page for anybody. Null until it is public.")]
    created_at: Moment

    @classmethod
    def of(cls, campaign: Campaign, now: datetime) -> Self:
        """From a row of `for_cards()`. Does not query."""
        by_clock = phase(campaign.status, campaign.starts_at, deadline(campaign, now), now)
        return cls(
            id=campaign.pk,
            title=campaign.title,
            slug=campaign.slug,
            summary=campaign.summary,
            category=campaign.category.slug,
            status=Status(campaign.status),
            outcome=Outcome(campaign.outcome) if campaign.outcome else None,
            phase=by_clock,
            accepts_investments=by_clock == Phase.OPEN and available_minor(campaign) > 0,
            owner=UserCard.of(campaign.owner),
            goal_amount=campaign.text(campaign.goal_minor),
            max_amount=campaign.text_or_none(campaign.max_minor),
            min_investment=campaign.text_or_none(campaign.min_investment_minor),
            currency=campaign.currency,
            raised_amount=campaign.text(campaign.raised_minor),
            reserved_amount=campaign.text(campaign.reserved_minor + campaign.offered_minor),
            committed_amount=campaign.text(campaign.committed_minor),
            settled_amount=campaign.text(campaign.settled_minor),
            investor_count=campaign.investor_count,
            progress_percent=campaign.progress_percent,
            starts_at=campaign.starts_at,
            ends_at=deadline(campaign, now),
            cover_image=media_url(campaign.cover) if campaign.cover else None,  # type: ignore[attr-defined]
            share_url=_share_url(campaign),
            created_at=campaign.created_at,
        )

    @classmethod
    def of_row(cls, row: Any, now: datetime) -> Self:
        """From a row of `campaigns/sql`."""
        currency = row.currency
        by_clock = phase(row.status, row.starts_at, deadline(row, now), now)
        return cls(
            id=row.id,
            title=row.title,
            slug=row.slug,
            summary=row.summary,
            category=row.category,
            status=row.status,
            outcome=row.outcome or None,
            phase=by_clock,
            accepts_investments=by_clock == Phase.OPEN and available_minor(row) > 0,
            owner=UserCard.of_columns(
                row.owner_id, row.owner_first_name, row.owner_last_name, row.owner_profile_photo, row.owner_badges
            ),
            goal_amount=minor_text(row.goal_minor, currency),
            max_amount=None if row.max_minor is None else minor_text(row.max_minor, currency),
            min_investment=None if row.min_investment_minor is None else minor_text(row.min_investment_minor, currency),
            currency=currency,
            raised_amount=minor_text(row.raised_minor, currency),
            reserved_amount=minor_text(row.reserved_minor + row.offered_minor, currency),
            committed_amount=minor_text(row.raised_minor - row.settled_minor, currency),
            settled_amount=minor_text(row.settled_minor, currency),
            investor_count=row.investor_count,
            progress_percent=progress_percent(row.raised_minor, row.goal_minor),
            starts_at=row.starts_at,
            ends_at=deadline(row, now),
            cover_image=media_url(row.cover) if row.cover else None,
            share_url=_share_url(row),
            created_at=row.created_at,
        )


def _share_url(campaign: Any) -> str | None:
    return share_url("campaign", campaign.id) if campaign.status in PUBLIC else None


class KeyInformationField(Output):
    id: str
    label: str
    text: str
    missing: Annotated[bool, Meta(description="It is needed for this offer, and empty.")]


class KeyInformationPart(Output):
    id: Annotated[str, Meta(description="The letter of Annex I.")]
    title: str
    needed: bool
    fields: list[KeyInformationField]


class KeyInformationOutput(Output):
    """The key investment information sheet, by its parts."""

    title: str
    instrument: Instrument
    has_vehicle: bool
    disclaimer: str
    warning: str
    parts: list[KeyInformationPart]
    updated_at: Moment

    @classmethod
    def of(cls, written: KeyInformation) -> Self:
        sheet, form = written.sheet(), current_form()
        missing = {id for _part, id in sheet.missing()}
        return cls(
            title=sheet.title,
            instrument=Instrument(sheet.instrument),
            has_vehicle=sheet.has_vehicle,
            disclaimer=form.disclaimer,
            warning=form.warning,
            parts=[
                KeyInformationPart(
                    id=part.id,
                    title=part.title,
                    needed=sheet.needs(part),
                    fields=[
                        KeyInformationField(id=id, label=label, text=sheet.texts.get(id, ""), missing=id in missing)
                        for id, label in part.fields.items()
                    ],
                )
                for part in form.parts
            ],
            updated_at=written.updated_at,
        )


class DocumentCard(Output):
    """A version of a document that investors read and accept."""

    id: UUID
    kind: DocumentKind
    version: Annotated[int, Meta(ge=1)]
    title: str
    url: Annotated[Url, Meta(description="A PDF. Opens for you alone, with your access token, for some minutes.")]
    sha256: Annotated[str, Meta(description="Of its bytes.")]
    required: Annotated[bool, Meta(description="Whether it is accepted before investing: the newest of its kind.")]
    accepted_at: Annotated[Moment | None, Meta(description="When I accepted it.")]
    created_at: Moment

    @classmethod
    def of(cls, document: CampaignDocument, *, viewer_id: UUID, now: datetime) -> Self:
        """From a row of `selectors.campaign_documents`. Does not query."""
        return cls(
            id=document.pk,
            kind=DocumentKind(document.kind),
            version=document.version,
            title=document.title,
            url=make_link(document.file_id, viewer_id=viewer_id, now=now, lifetime=DOCUMENT_LINK).url,
            sha256=document.sha256,
            required=document.version == document.newest,  # type: ignore[attr-defined]
            accepted_at=document.accepted_at,  # type: ignore[attr-defined]
            created_at=document.created_at,
        )


class MyInvestment(Output):
    amount: MoneyText
    currency: Currency
    since: Moment


class CampaignStep(Output):
    """A step of a campaign's life."""

    before: Annotated[Status, Meta(description="The status that it left.")] = field(name="from")
    after: Annotated[Status, Meta(description="The status that it got.")] = field(name="to")
    actor: Actor
    reason: Annotated[str | None, Meta(description="Written for the owner.")]
    at: Moment

    @classmethod
    def of(cls, change: StatusChange) -> Self:
        return cls(
            before=Status(change.from_status),
            after=Status(change.to_status),
            actor=TRANSITIONS[change.from_status, change.to_status].actor,
            reason=change.reason or None,
            at=change.created_at,
        )


class DueReportCard(Output):
    """An update or an annual report that the owner owes."""

    kind: Update.Kind
    due_at: Moment
    published_at: Moment | None
    on_time: Annotated[bool | None, Meta(description="Null while it is neither published nor overdue.")]

    @classmethod
    def of(cls, report: DueReport) -> Self:
        return cls(kind=report.kind, due_at=report.due_at, published_at=report.published_at, on_time=report.on_time)


class Reporting(Output):
    """What the owner owes after the end, and whether it came on time."""

    on_time_rate: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(description="The share that came on time of what was due; null while nothing was."),
    ]
    due: Annotated[list[DueReportCard], Meta(description="The last ten by `dueAt`, the next ones included.")]

    @classmethod
    def of(cls, reports: Sequence[DueReport]) -> Self:
        return cls(on_time_rate=on_time_rate(reports), due=[DueReportCard.of(report) for report in reports[-10:]])


class TermsChange(Output):
    """A field of the terms that changes; amounts in major units of the campaign's currency, moments in UTC."""

    field: str
    before: str | None
    after: str | None

    @classmethod
    def between(cls, before: Mapping[str, Any], after: Mapping[str, Any], currency: str) -> "list[TermsChange]":
        """:param before: material fields by their columns, as versions of the terms keep them; `after` too"""
        return [
            cls(
                field=PUBLIC_NAMES[name],
                before=shown(name, before[name], currency),
                after=shown(name, after[name], currency),
            )
            for name in MATERIAL
            if name in after and before.get(name) != after[name]
        ]


class AmendmentOutput(Output):
    id: UUID
    campaign_id: UUID
    status: AmendmentStatus
    currency: Currency
    changes: list[TermsChange]
    reason: str
    review_note: Annotated[str | None, Meta(description="Why it was rejected; for the owner and staff.")]
    terms_version: Annotated[int | None, Meta(description="The version of the terms that it made.")]
    reconfirm_until: Annotated[Moment | None, Meta(description="Until when investors have to confirm it.")]
    created_at: Moment
    decided_at: Moment | None

    @classmethod
    def of(cls, amendment: Amendment) -> Self:
        """Reads its `campaign`."""
        currency = amendment.campaign.currency
        return cls(
            id=amendment.pk,
            campaign_id=amendment.campaign_id,
            status=AmendmentStatus(amendment.status),
            currency=currency,
            changes=TermsChange.between(amendment.before, amendment.changes, currency),
            reason=amendment.words,
            review_note=amendment.review_note or None,
            terms_version=amendment.terms_version,
            reconfirm_until=amendment.reconfirm_until,
            created_at=amendment.created_at,
            decided_at=amendment.decided_at,
        )


class FeeCard(Output):
    """A fee of the campaign's schedule, fixed when it was published. Amounts are in the campaign's currency."""

    id: str
    about: str
    paid_by: Annotated[
        PaidBy,
        Meta(description="`investor`: on top of the investment; `owner`: out of what was raised, when it is released."),
    ]
    kind: FeeKind
    of: Annotated[str, Meta(description="`amount`, or the id of the fee that it is a tax on.")]
    percent: Annotated[float, Meta(ge=0, le=100)]
    fixed: MoneyText | None
    minimum: MoneyText | None
    maximum: MoneyText | None
    refunded_when: Annotated[
        list[RefundedWhen], Meta(description="Why an investment goes back and the fee with it. Empty for the owner.")
    ]

    @classmethod
    def of_fee(cls, fee: Fee, currency: str) -> Self:
        def text(amounts: Mapping[str, int]) -> str | None:
            return minor_text(amounts[currency], currency) if currency in amounts else None

        return cls(
            id=fee.id,
            about=fee.about,
            paid_by=fee.paid_by,
            kind=fee.kind,
            of=fee.of,
            percent=fee.basis_points / 100,
            fixed=text(fee.fixed),
            minimum=text(fee.minimum),
            maximum=text(fee.maximum),
            refunded_when=[reason for reason, back in fee.refunded_when.items() if back],
        )


class FeeAmount(Output):
    """What is due of a fee."""

    id: str
    amount: MoneyText

    @classmethod
    def of_due(cls, due: Due) -> Self:
        return cls(id=due.fee.id, amount=due.amount.text)


class Proceeds(Output):
    """What the owner gets of what was released, or before that of what is raised: that is `net` and all `fees`."""

    raised: MoneyText
    fees: list[FeeAmount]
    net: MoneyText
    currency: Currency

    @classmethod
    def of(cls, raised: Money, schedule: Schedule) -> Self:
        return cls(
            raised=raised.text,
            fees=[FeeAmount.of_due(due) for due in schedule.on_release(raised)],
            net=schedule.net_of(raised).text,
            currency=raised.currency,
        )


class CampaignOutput(CampaignCard):
    """Everything about one campaign that the person who asks may know."""

    description: str
    expected_return_percent: float | None
    rules: Annotated[Rules, Meta(description="The rule set that holds for it.")]
    rules_version: Annotated[str | None, Meta(description="Fixed when it is submitted.")]
    country: Annotated[str | None, Meta(description="Of the owner's business, ISO 3166-1 alpha-2.")]
    time_zone: Annotated[str, Meta(description="In which days are counted, an IANA name.")]
    fiscal_year_end: Annotated[str, Meta(description="The last day of the owner's fiscal year, `MM-DD`.")]
    terms_version: Annotated[int, Meta(ge=1, description="Grows with every change of the terms once it is live.")]
    first_ends_at: Annotated[
        Moment | None, Meta(description="The deadline before an early close; it holds again if the goal is missed.")
    ]
    fees: Annotated[
        list[FeeCard], Meta(description="What investors and the owner pay; before it is published, as of today.")
    ]
    proceeds: Annotated[Proceeds | None, Meta(description="What remains of what is raised; for the owner.")]
    media: list[MediaCard]
    my_investment: MyInvestment | None
    follower_count: Count
    followed_by_me: bool
    allowed_actions: Annotated[
        list[AllowedAction], Meta(description="What the caller may do with it now, why not, and until when.")
    ]
    missing: Annotated[
        list[Missing] | None,
        Meta(description="What is asked for before it can be submitted; for the owner, until it is live."),
    ]
    history: Annotated[
        list[CampaignStep] | None,
        Meta(description="The last 50 steps, the oldest first; for the owner and moderators."),
    ]
    reporting: Annotated[Reporting | None, Meta(description="Of a campaign that was funded.")]
    author_role: Annotated[
        AuthorRole | None, Meta(description="How what I say about it would be labelled (17 CFR 227.303(c)).")
    ]
    review_note: Annotated[str | None, Meta(description="Why it was rejected; for the owner.")]
    published_at: Moment | None
    closed_at: Moment | None
    settled_at: Moment | None
    updated_at: Moment
    version: int

    @property
    def etag(self) -> str:
        return f'"{self.version}"'


class UpdateOutput(Output):
    """Something that the owner tells."""

    id: UUID
    kind: Update.Kind
    title: str | None
    content: str
    audience: Update.Audience
    author_role: Annotated[AuthorRole, Meta(description="What the author was to the campaign when it was written.")]
    media: list[MediaCard]
    publish_at: Annotated[Moment, Meta(description="From when on others read it; until then only the owner does.")]
    created_at: Moment
    edited_at: Annotated[Moment | None, Meta(description="What it said before is in `GET .../history`.")]

    @classmethod
    def of(cls, update: Update, now: datetime) -> Self:
        pictures = update.media.order_by("position").values_list("file_id", flat=True)
        files = StoredFile.objects.with_renditions().in_bulk(pictures)
        return cls._of(update, [MediaCard.of(files[file_id], now) for file_id in pictures])

    @classmethod
    def of_row(cls, row: Any, now: datetime) -> Self:
        """From a row of `campaigns/sql/update_list.sql`."""
        return cls._of(row, media_cards(row.media, now))

    @classmethod
    def _of(cls, update: Any, media: list[MediaCard]) -> Self:
        return cls(
            id=update.id,
            kind=update.kind,
            title=update.title or None,
            content=update.content,
            audience=update.audience,
            author_role=update.author_role,
            media=media,
            publish_at=update.publish_at,
            created_at=update.created_at,
            edited_at=update.edited_at,
        )


class UpdateEditOutput(Output):
    """What an update said before it was edited."""

    id: UUID
    title: str | None
    content: str
    replaced_at: Moment

    @classmethod
    def of(cls, edit: UpdateEdit) -> Self:
        return cls(id=edit.pk, title=edit.title or None, content=edit.content, replaced_at=edit.replaced_at)
