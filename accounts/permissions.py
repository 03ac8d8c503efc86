"""Conditions of a person (address verified, identity proven, recently authenticated), and the rights over accounts."""

from typing import Any

from accounts.errors import AccountFrozen, EmailNotVerified, KYCRequired, StepUpRequired
from core import clock, rights
from core.api.errors import Refusal
from core.api.permissions import SignedIn

USE_ADMIN = rights.declare(
    "admin.use", roles=["reviewer", "moderator", "admin"], about="Sign in to the admin, with a second factor."
)
READ_PEOPLE = rights.declare(
    "people.read",
    roles=["reviewer", "moderator", "admin"],
    about="See in the admin people, their devices and their login history.",
)
SUSPEND = rights.declare(
    "people.suspend", roles=["moderator", "admin"], about="Suspend and reinstate people who are not staff."
)
READ_RELATIONS = rights.declare(
    "people.relations",
    roles=["moderator", "admin"],
    about="See in the admin whom a person blocks and mutes, and who blocks and mutes them.",
)
SUSPEND_STAFF = rights.declare("staff.suspend", roles=["admin"], about="Suspend and reinstate staff.")


class EmailVerified(SignedIn):
    refusals: tuple[type[Refusal], ...] = (EmailNotVerified,)

    def has_permission(self, request: Any, view: Any) -> bool:
        super().has_permission(request, view)
        if not request.user.email_verified:
            raise EmailNotVerified()
        return True


class MayPublish(EmailVerified):
    """For whatever reaches other people: a verified address, and not frozen by moderators."""

    refusals = (EmailNotVerified, AccountFrozen)

    def has_permission(self, request: Any, view: Any) -> bool:
        super().has_permission(request, view)
        until = request.user.frozen_until
        if until is not None and until > clock.now():
            raise AccountFrozen(until=until)
        return True


class KYCVerified(EmailVerified):
    """A verified address and a proven identity."""

    refusals = (EmailNotVerified, KYCRequired)

    def has_permission(self, request: Any, view: Any) -> bool:
        super().has_permission(request, view)
        if not request.user.kyc_verified:
            raise KYCRequired()
        return True


class TwoFactorRecent(SignedIn):
    """
    The session proved who it is within the last five minutes (SECURITY-GOALS 30): at login or by step-up, and where a
    second factor is on, with its code (`Session.is_recent_at`).
    """

    refusals = (StepUpRequired,)

    def has_permission(self, request: Any, view: Any) -> bool:
        super().has_permission(request, view)
        if not request.auth.is_recent_at(clock.now()):
            raise StepUpRequired()
        return True
