"""Reads of a person's own profile, and of how they may sign in."""

from typing import Any

from accounts.models import ExternalIdentity, Passkey, Profile, ProfilePicture, User
from accounts.outputs.people import me
from uploads.selectors import media_url


def profile_of(user: User) -> Profile:
    """The person's row; before anything was counted or edited there is none, and this one is not saved."""
    return Profile.objects.filter(pk=user.pk).first() or Profile(user=user)


def own_profile(user: User, profile: Profile) -> dict[str, Any]:
    """What `GET /api/profile` answers: /me, the counts, the badges and every size of the pictures."""
    sizes: dict[str, dict[str, str]] = {kind: {} for kind in ProfilePicture.Kind.values}
    rows = ProfilePicture.objects.filter(user=user).values_list("kind", "size", "file__storage_name")
    for kind, size, name in rows:
        sizes[kind][size] = media_url(name)
    return {
        **me(user),
        "profilePhotoSizes": sizes[ProfilePicture.Kind.PHOTO] or None,
        "coverPhotoSizes": sizes[ProfilePicture.Kind.COVER] or None,
        "followersCount": profile.followers_count,
        "followingCount": profile.following_count,
        "postsCount": profile.posts_count,
        "campaignsCount": profile.campaigns_count,
        "badges": user.badges,
    }


def ways_in(user: User) -> int:
    """How many things sign this person in on their own: a password, providers, passkeys."""
    others = (ExternalIdentity.objects.filter(user=user), Passkey.objects.filter(user=user))
    return int(user.has_usable_password()) + sum(rows.count() for rows in others)
