"""A profile, its link, invitations."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta
from msgspec.structs import asdict

from accounts.models import Profile, ProfilePicture, User
from accounts.outputs.people import MeOutput
from core.api.outputs import Count, Output, Url
from uploads.selectors import media_url


class InvitedOutput(Output):
    message: str
    invitation_id: UUID


class ShareOutput(Output):
    link: Annotated[Url, Meta(description="A public page of the profile.")]


class PictureSizes(Output):
    large: Url
    medium: Url
    small: Url


class ProfileOutput(MeOutput):
    """A person's own profile: what `GET /api/auth/me` answers, the counts, and every size of the pictures."""

    profile_photo_sizes: PictureSizes | None
    cover_photo_sizes: PictureSizes | None
    followers_count: Count
    following_count: Count
    posts_count: Count
    campaigns_count: Count
    badges: list[str]
    shows_backed_campaigns: bool

    @classmethod
    def of_profile(cls, user: User, profile: Profile) -> Self:
        """One query, for the pictures."""
        sizes: dict[str, dict[str, str]] = {kind: {} for kind in ProfilePicture.Kind.values}
        rows = ProfilePicture.objects.filter(user=user).values_list("kind", "size", "file__storage_name")
        for kind, size, name in rows:
            sizes[kind][size] = media_url(name)
        photo, cover = sizes[ProfilePicture.Kind.PHOTO], sizes[ProfilePicture.Kind.COVER]
        return cls(
            **asdict(MeOutput.of(user)),
            profile_photo_sizes=PictureSizes(**photo) if photo else None,
            cover_photo_sizes=PictureSizes(**cover) if cover else None,
            followers_count=profile.followers_count,
            following_count=profile.following_count,
            posts_count=profile.posts_count,
            campaigns_count=profile.campaigns_count,
            badges=user.badges,
            shows_backed_campaigns=profile.shows_backed_campaigns,
        )
