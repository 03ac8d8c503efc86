"""Gates about the person: address verified, identity proven, recently authenticated, role."""

from typing import Any

from django.utils import timezone

from accounts.errors import EmailNotVerified, KYCRequired, StepUpRequired
from core.api.errors import Refusal, RoleRequired
from core.api.permissions import SignedIn


class EmailVerified(SignedIn):
    refusals: tuple[type[Refusal], ...] = (EmailNotVerified,)

    def has_permission(self, request: Any, view: Any) -> bool:
        super().has_permission(request, view)
        if not request.user.email_verified:
            raise EmailNotVerified()
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
        if not request.auth.is_recent_at(timezone.now()):
            raise StepUpRequired()
        return True


def HasRole(*roles: str) -> type[SignedIn]:  # noqa: N802  (reads like the class it makes)
    """A gate for the given roles; an admin passes every one."""
    allowed = {*roles, "admin"}

    class HasOneOf(SignedIn):
        refusals = (RoleRequired,)

        def has_permission(self, request: Any, view: Any) -> bool:
            super().has_permission(request, view)
            if request.user.role not in allowed:
                raise RoleRequired(roles=" or ".join(sorted(allowed)))
            return True

    HasOneOf.roles = tuple(sorted(allowed))
    return HasOneOf
