"""The feed as its person sees it."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from msgspec import Meta

from campaigns.outputs import CampaignCard
from core.api.outputs import Output
from social.models import Announcement
from social.outputs.ads import FeedAd
from social.outputs.posts import PostOutput


class Why(Output):
    """Why something is in my feed."""

    kind: Annotated[
        Literal["follow", "group", "channel", "campaign", "own", "ad"],
        Meta(
            description="`follow`: a person, also as the owner of a campaign that went live. `campaign`: one that I "
            "follow or back. `ad`: an advertiser shows it to everybody."
        ),
    ]
    id: Annotated[UUID, Meta(description="Of the person, the group, the channel, the campaign or the advertiser.")]
    name: str


class FeedEntry(Output):
    kind: Annotated[Literal["post", "campaign", "ad"], Meta(description="Which of the members is there.")]
    why: Why
    post: PostOutput | None
    campaign: CampaignCard | None
    announcement: Annotated[Announcement.Kind | None, Meta(description="What happened to the campaign.")]
    ad: FeedAd | None

    @classmethod
    def of_post(cls, post: PostOutput, why: Any) -> Self:
        """
        :param why: `own`, `follow`, `group` or `channel`
        """
        group, channel, author = post.group, post.channel, post.author
        if why == "group" and group is not None:
            reason = Why(kind="group", id=group.id, name=group.name)
        elif why == "channel" and channel is not None:
            reason = Why(kind="channel", id=channel.id, name=channel.name)
        else:
            reason = Why(kind=why, id=author.id, name=author.name)
        return cls(kind="post", why=reason, post=post, campaign=None, announcement=None, ad=None)

    @classmethod
    def of_announcement(cls, campaign: CampaignCard, announcement: Announcement.Kind, why: Any) -> Self:
        """
        :param why: `campaign`: followed or backed; `follow`: its owner is followed
        """
        if why == "follow":
            reason = Why(kind="follow", id=campaign.owner.id, name=campaign.owner.name)
        else:
            reason = Why(kind="campaign", id=campaign.id, name=campaign.title)
        return cls(kind="campaign", why=reason, post=None, campaign=campaign, announcement=announcement, ad=None)

    @classmethod
    def of_ad(cls, ad: FeedAd) -> Self:
        why = Why(kind="ad", id=ad.advertiser.id, name=ad.advertiser.name)
        return cls(kind="ad", why=why, post=None, campaign=None, announcement=None, ad=ad)
