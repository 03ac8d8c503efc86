"""How a person can be reached, as the notifications app keeps it."""

from accounts.models import User
from notifications.services.recipients import keep_recipient


def keep_contact(user: User) -> None:
    """Copy address, name and confirmed number there, in the caller's transaction; called at every change of them."""
    keep_recipient(
        user_id=user.pk,
        email=user.email,
        first_name=user.first_name,
        phone_number=user.phone_number if user.phone_verified else "",
        email_verified=user.email_verified,
    )
