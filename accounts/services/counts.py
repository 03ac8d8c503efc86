"""The counts on a profile; `campaigns` and `social` keep them through this service."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import F

from accounts.models import Profile
from core.data.locks import lock

BATCH = 5000


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


def uncount_follows(*, followed: Collection[UUID], followers: Collection[UUID]) -> None:
    """
    Take one follower from each of `followed`, and from each of `followers` one whom they follow: what ends with an
    account, all at once.
    """
    everybody = sorted({*followed, *followers})
    for start in range(0, len(everybody), BATCH):
        some = everybody[start : start + BATCH]
        rows = set(lock(Profile.objects.filter(pk__in=some).order_by("pk")).values_list("pk", flat=True))
        Profile.objects.filter(pk__in=rows.intersection(followed)).update(followers_count=F("followers_count") - 1)
        Profile.objects.filter(pk__in=rows.intersection(followers)).update(following_count=F("following_count") - 1)
