"""Campaigns for tests of every app, made the way people make them."""

from datetime import timedelta
from typing import Any

from accounts.models import User
from campaigns.key_information import Instrument, current_form
from campaigns.models import Campaign
from campaigns.services.drafts import create_campaign
from campaigns.services.key_information import write_key_information
from campaigns.services.review import publish_campaign, submit_campaign
from core import clock
from core.money import parse_decimal


def draft_fields(**changes: Any) -> dict[str, Any]:
    """What `POST /api/campaigns` takes, as JSON."""
    ends_at = clock.now() + timedelta(days=30)
    return {
        "title": "A solar roof for the school",
        "summary": "Two hundred panels, owned by the village.",
        "description": "The roof faces south. We buy the panels together and share what they earn.",
        "category": "energy",
        "goalAmount": "1000.00",
        "currency": "USD",
        "endsAt": ends_at.isoformat(),
        **changes,
    }


def action_of(page: Any, action: str) -> Any:
    """An entry of `allowedActions` of a campaign's or an investment's page."""
    return next(one for one in page["allowedActions"] if one["action"] == action)


def allowed(page: Any) -> list[str]:
    """The actions that are allowed."""
    return [one["action"] for one in page["allowedActions"] if one["allowed"]]


def make_campaign(owner: User, *, status: str = "live", **fields: Any) -> Campaign:
    """
    A campaign of `owner` as its workflows leave it.

    :param status: draft, in_review or live
    """
    now = clock.now()
    for name in ("goal_amount", "max_amount", "min_investment"):
        if fields.get(name) is not None:
            fields[name] = parse_decimal(fields[name])
    country = {"us_reg_cf": "US", "eu_ecspr": "DE"}.get(fields.get("rules", ""), "")
    campaign = create_campaign(
        owner=owner,
        now=now,
        **{
            "title": "A solar roof for the school",
            "summary": "Two hundred panels, owned by the village.",
            "description": "The roof faces south.",
            "category": "energy",
            "goal_amount": parse_decimal("1000.00"),
            "currency": "USD",
            "country": country,
            "ends_at": now + timedelta(days=30),
            **fields,
        },
    )
    if campaign.rules == "eu_ecspr" and status != "draft":
        write_sheet(campaign)
    if status in ("in_review", "live"):
        campaign = submit_campaign(owner=owner, campaign_id=campaign.pk, now=now)
    if status == "live":
        campaign = publish_campaign(moderator=None, campaign_id=campaign.pk, now=now)
    return campaign


def write_sheet(campaign: Campaign, **texts: str) -> None:
    """A complete key investment information sheet of a loan, with other texts where they are given."""
    written = {id: "What there is to say." for part in current_form().parts for id in part.fields}
    write_key_information(
        owner=campaign.owner,
        campaign_id=campaign.pk,
        instrument=Instrument.LOAN,
        has_vehicle=False,
        texts={**written, **texts},
        now=clock.now(),
    )
