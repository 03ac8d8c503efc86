"""The counts on a profile; `campaigns` and `social` keep them through this service."""

from uuid import UUID

from django.db.models import F

from accounts.models import Profile


def count(*, user_id: UUID, followers: int = 0, following: int = 0, posts: int = 0, campaigns: int = 0) -> None:
    """
    Change a person's counts by so much, in the transaction of what is counted and as its last lock.

    Whoever counts two people (a follow) counts them in the order of their ids.
    """
    steps = {
        "followers_count": followers,
        "following_count": following,
        "posts_count": posts,
        "campaigns_count": campaigns,
    }
    changes = {column: F(column) + by for column, by in steps.items() if by}
    Profile.objects.bulk_create([Profile(user_id=user_id)], ignore_conflicts=True)
    Profile.objects.filter(pk=user_id).update(**changes)
