"""Reads of a person's own profile, and of how they may sign in."""

from accounts.models import ExternalIdentity, Passkey, Profile, User


def profile_of(user: User) -> Profile:
    """The person's row; before anything was counted or edited there is none, and this one is not saved."""
    return Profile.objects.filter(pk=user.pk).first() or Profile(user=user)


def sign_in_method_count(user: User) -> int:
    """How many things sign this person in on their own: a password, providers, passkeys."""
    others = (ExternalIdentity.objects.filter(user=user), Passkey.objects.filter(user=user))
    return int(user.has_usable_password()) + sum(rows.count() for rows in others)
