"""How people are labelled who speak about a campaign (17 CFR 227.303(c))."""

from typing import Any

from accounts.permissions import USE_ADMIN
from campaigns.models import AuthorRole, Backing


def author_role(author: Any, campaign: Any) -> str:
    """
    What somebody is to a campaign now; of several the one that matters most to a reader. Empty for none.

    :param campaign: a `Campaign`, or a row with its `id` and `owner_id`
    """
    if author.pk is None:
        return ""
    if campaign.owner_id == author.pk:
        return AuthorRole.FOUNDER
    if USE_ADMIN.held_by(author):
        return AuthorRole.STAFF
    backs = Backing.objects.filter(campaign_id=campaign.id, backer=author, committed_minor__gt=0).exists()
    return AuthorRole.INVESTOR if backs else ""
