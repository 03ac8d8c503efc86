"""
Signed links to the page with a campaign's figures, for its owner, who opens it in a browser without signing in.

A link is kept nowhere. It names the campaign and the owner, ends after a day, and opens nothing once the campaign is no
longer theirs or their account is suspended or erased.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.core import signing

from accounts.models import Status
from analytics.errors import PageLinkNotValid
from campaigns.models import Campaign

LIFETIME = timedelta(hours=24)
MAX_LENGTH = 300
"""Characters of the longest token we make, and some."""
_SALT = "analytics.page"


@dataclass(frozen=True, slots=True)
class PageLink:
    token: str
    expires_at: datetime

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL}/figures?token={quote(self.token)}"


def make_page_link(campaign: Campaign, *, now: datetime) -> PageLink:
    """A link for the campaign's present owner."""
    expires_at = (now + LIFETIME).replace(microsecond=0)
    claims = [campaign.pk.hex, campaign.owner_id.hex, int(expires_at.timestamp())]
    return PageLink(signing.Signer(salt=_SALT).sign_object(claims), expires_at)


def campaign_of_page_link(token: str, *, now: datetime) -> Campaign:
    """
    The campaign whose figures a link opens, with its owner.

    :raises PageLinkNotValid: expired, forged, cut, or the campaign has another owner or one without an active account;
        the answer does not show which
    """
    try:
        campaign_id, owner_id, expires = signing.Signer(salt=_SALT).unsign_object(
            token if len(token) <= MAX_LENGTH else ""
        )
    except (signing.BadSignature, ValueError):
        raise PageLinkNotValid() from None
    campaign = (
        Campaign.objects.select_related("owner")
        .filter(pk=UUID(campaign_id), owner_id=UUID(owner_id), owner__status=Status.ACTIVE)
        .first()
    )
    if campaign is None or now.timestamp() >= expires:
        raise PageLinkNotValid()
    return campaign
