"""Events of campaigns, with their notices."""

from datetime import datetime, timedelta
from uuid import UUID

from campaigns.effects import BackersNotice, FollowersNotice
from campaigns.models import Campaign, Status
from campaigns.services.transitions import TRANSITIONS
from core.events import Kind, declare
from core.money import Money
from notifications.effects import Category, Notice
from notifications.messages import Message


def _to_followers(name: str) -> FollowersNotice:
    facts = ("campaign_id", "campaign_title")
    return FollowersNotice(Message(name, Category.CAMPAIGNS, facts, path="/campaigns/{campaign_id}"))


def _about_report(name: str) -> Message:
    facts = ("campaign_id", "campaign_title", "report", "due_date")
    return Message(name, Category.CAMPAIGNS, facts, path="/campaigns/{campaign_id}/updates")


def _message(name: str) -> Message:
    return Message(name, Category.CAMPAIGNS, ("campaign_id", "campaign_title"), path="/campaigns/{campaign_id}")


def _to_owner(name: str) -> Notice:
    return Notice(_message(name), to="owner_id")


def _to_audience(name: str) -> list[Notice]:
    """To those who follow or back it, each once."""
    return [FollowersNotice(_message(name)), BackersNotice(_message(name))]


def _step(
    to: Status, *facts: str, notify: bool = True, sms: bool = False, followers: FollowersNotice | None = None
) -> Kind:
    """
    :param facts: those that the owner's notice names besides the campaign
    :param notify: whether the owner gets a notice
    """
    name = next(one.event for one in TRANSITIONS.values() if one.after == to)
    shown = ("campaign_id", "campaign_title", *facts)
    message = Message(name.replace(".", "_"), Category.CAMPAIGNS, shown, sms=sms, path="/campaigns/{campaign_id}")
    return Kind(
        name,
        about=Campaign,
        facts={"owner_id": UUID, "before": str, "amount": Money},
        sealed={"campaign_title": str, "reason": str | None},
        timeline=True,
        effects=[*([Notice(message, to="owner_id")] if notify else []), *([followers] if followers else [])],
    )


UPDATE = Message(
    "campaign_update", Category.CAMPAIGNS, ("campaign_id", "campaign_title"), path="/campaigns/{campaign_id}/updates"
)
"""One message for backers and followers: who is both has one entry."""

declare(
    Kind("campaign.created", about=Campaign),
    Kind("campaign.edited", about=Campaign, facts={"fields": list[str]}),
    Kind("campaign.deleted", about=Campaign, facts={"title": str}),
    _step(Status.DRAFT, notify=False),
    _step(Status.IN_REVIEW),
    _step(Status.REJECTED, "reason"),
    _step(Status.LIVE),
    _step(Status.FUNDED, "amount", sms=True, followers=_to_followers("followed_campaign_funded")),
    _step(Status.FAILED, "amount", sms=True, followers=_to_followers("followed_campaign_failed")),
    _step(Status.CANCELLED, "amount", followers=_to_followers("followed_campaign_cancelled")),
    _step(Status.SETTLED, notify=False),
    Kind("campaign.key_information_written", about=Campaign),
    Kind("campaign.document_added", about=Campaign, facts={"document_id": UUID, "kind": str, "version": int}),
    Kind("campaign.document_accepted", about=Campaign, facts={"document_id": UUID, "kind": str, "version": int}),
    Kind(
        "campaign.early_close_announced",
        about=Campaign,
        facts={"ends_at": datetime},
        sealed={"campaign_title": str},
        timeline=True,
        effects=_to_audience("campaign_closes_early"),
    ),
    Kind(
        "campaign.early_close_missed",
        about=Campaign,
        facts={"ends_at": datetime, "owner_id": UUID},
        sealed={"campaign_title": str},
        timeline=True,
        effects=[_to_owner("campaign_goes_on"), *_to_audience("campaign_goes_on")],
    ),
    Kind("campaign.amendment_proposed", about=Campaign, facts={"fields": list[str]}),
    Kind(
        "campaign.amendment_approved",
        about=Campaign,
        facts={"owner_id": UUID, "reconfirm_until": datetime},
        sealed={"campaign_title": str},
        timeline=True,
        effects=[_to_owner("amendment_approved"), BackersNotice(_message("terms_amended"))],
    ),
    Kind(
        "campaign.amendment_rejected",
        about=Campaign,
        facts={"owner_id": UUID},
        sealed={"campaign_title": str, "reason": str},
        effects=[
            Notice(
                Message(
                    "amendment_rejected",
                    Category.CAMPAIGNS,
                    ("campaign_id", "campaign_title", "reason"),
                    path="/campaigns/{campaign_id}",
                ),
                to="owner_id",
            )
        ],
    ),
    Kind("campaign.backer_joined", about=Campaign, facts={"backer_id": UUID}, audit=False),
    Kind("campaign.backer_left", about=Campaign, facts={"backer_id": UUID}, audit=False),
    Kind("campaign.followed", about=Campaign, audit=False, keep=timedelta(days=90)),
    Kind("campaign.unfollowed", about=Campaign, audit=False, keep=timedelta(days=90)),
    Kind(
        "campaign.update_published",
        about=Campaign,
        facts={"update_id": UUID, "is_public": bool},
        sealed={"campaign_title": str},
        effects=[BackersNotice(UPDATE), FollowersNotice(UPDATE, only_if="is_public")],
    ),
    Kind(
        "campaign.report_due",
        about=Campaign,
        facts={"owner_id": UUID, "report": str, "due_date": str, "is_overdue": bool},
        sealed={"campaign_title": str},
        audit=False,
        effects=[
            Notice(_about_report("report_due"), to="owner_id", unless="is_overdue"),
            Notice(_about_report("report_overdue"), to="owner_id", only_if="is_overdue"),
        ],
    ),
    Kind("campaign.update_edited", about=Campaign, facts={"update_id": UUID, "fields": list[str]}),
    Kind("campaign.update_deleted", about=Campaign, facts={"update_id": UUID}),
    Kind(
        "campaign.ending_soon",
        about=Campaign,
        sealed={"campaign_title": str},
        audit=False,
        effects=[_to_followers("followed_campaign_ending")],
    ),
)
