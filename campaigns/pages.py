"""The page at /s/campaign and the picture of its preview (docs/share-pages.md)."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import formats
from django.utils.translation import gettext as _, ngettext

from campaigns.models import Campaign, Outcome, Status
from campaigns.selectors import public_campaign
from core import clock
from core.previews import Preview
from core.share_pages import Head, Picture, drawn_picture, preview_picture, public, share_page, share_url
from uploads.outputs import MediaCard
from uploads.selectors import media_origins

DAY, HOUR = 86_400, 3_600


@public
def campaign(request: HttpRequest, **which: Any) -> HttpResponse:
    now = clock.now()
    shown, picture = public_campaign(now, **which)
    facts = {
        "campaign": shown,
        "picture": picture,
        "time_left": time_left(shown, now),
        "is_open": shown.is_open_at(now) and shown.available_minor > 0,
        "filled": min(shown.progress_percent, 100),
    }
    return share_page(request, "share/campaign.html", _head_of(shown, picture), media_from=media_origins(), **facts)


@public
def campaign_picture(request: HttpRequest, **which: Any) -> HttpResponse:
    shown, _picture = public_campaign(clock.now(), **which)
    return drawn_picture(_preview_of(shown))


def time_left(campaign: Campaign, now: datetime) -> str:
    """What the page says of the deadline of a public campaign."""
    match campaign.outcome or campaign.status:
        case Outcome.FUNDED:
            return _("Funded")
        case Outcome.FAILED:
            return _("Not funded")
        case Outcome.CANCELLED:
            return _("Cancelled")
    if campaign.starts_at and campaign.starts_at > now:
        return _("Starts on %(date)s") % {"date": formats.date_format(campaign.starts_at)}
    seconds = (campaign.ends_at - now).total_seconds()
    if seconds <= 0:
        return _("Ended, being counted")
    if campaign.available_minor <= 0:
        return _("No places left")
    if seconds < HOUR:
        return _("Less than an hour left")
    if seconds < 2 * DAY:
        hours = int(seconds // HOUR)
        return ngettext("%(count)d hour left", "%(count)d hours left", hours) % {"count": hours}
    days = int(seconds // DAY)
    return ngettext("%(count)d day left", "%(count)d days left", days) % {"count": days}


def _head_of(campaign: Campaign, picture: MediaCard | None) -> Head:
    title = _("%(name)s on VECTRAGrow") % {"name": campaign.title}
    link = share_url("campaign", campaign.pk)
    shown = (
        Picture(picture.url, picture.alt or title, picture.type, picture.width, picture.height)
        if picture
        else preview_picture(link, _preview_of(campaign), title)
    )
    return Head(title, campaign.summary, link, shown)


def _preview_of(campaign: Campaign) -> Preview:
    if campaign.status == Status.LIVE:
        facts = {"raised": campaign.raised, "goal": campaign.goal}
        return Preview(campaign.title, _("%(raised)s raised of %(goal)s") % facts)
    if campaign.outcome == Outcome.FUNDED:
        return Preview(campaign.title, _("Funded with %(raised)s") % {"raised": campaign.raised})
    return Preview(campaign.title, _("Campaign by %(name)s") % {"name": campaign.owner.name})
