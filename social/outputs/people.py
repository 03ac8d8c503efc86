"""People as others see them in the community."""

from typing import Annotated, Any, Self

from msgspec import Meta

from accounts.outputs.people import UserCard
from accounts.outputs.relations import MutedUntil
from core.api.outputs import Count, Moment, Url


class PersonCard(UserCard):
    """A person in a list."""

    followed_by_me: bool

    @classmethod
    def of_person(cls, row: Any) -> Self:
        """From a row of `social/sql/follow_list.sql`."""
        return cls(
            id=row.user_id,
            first_name=row.first_name,
            last_name=row.last_name,
            profile_photo=row.profile_photo or None,
            badges=row.badges,
            followed_by_me=row.followed_by_me,
        )


class PersonOutput(PersonCard):
    """The public profile of a person."""

    bio: str
    location: str
    website: str
    cover_photo: Url | None
    followers_count: Count
    following_count: Count
    posts_count: Annotated[Count, Meta(description="Posts that everybody may read; of my own, all.")]
    campaigns_count: Annotated[Count, Meta(description="Campaigns that went live.")]
    follows_me: bool
    mutual_count: Annotated[Count, Meta(description="How many of those whom I follow follow this person.")]
    muting: bool
    muted_until: MutedUntil
    created_at: Moment

    @classmethod
    def of_profile(cls, row: Any) -> Self:
        """From a row of `social/sql/person_page.sql`."""
        return cls(
            id=row.user_id,
            first_name=row.first_name,
            last_name=row.last_name,
            profile_photo=row.profile_photo or None,
            badges=row.badges,
            followed_by_me=row.followed_by_me,
            bio=row.bio,
            location=row.location,
            website=row.website,
            cover_photo=row.cover_photo or None,
            followers_count=row.followers_count,
            following_count=row.following_count,
            posts_count=row.posts_count,
            campaigns_count=row.campaigns_count,
            follows_me=row.follows_me,
            mutual_count=row.mutual_count,
            muting=row.muting,
            muted_until=row.muted_until,
            created_at=row.created_at,
        )
