"""Signed-in devices and the login history."""

from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta

from accounts.models import LoginAttempt, Session
from core.api.outputs import Moment, Output
from core.devices import device_name

Device = Annotated[str, Meta(description="In words, such as `Firefox on Linux`.")]


class SessionOutput(Output):
    id: UUID
    device: Device
    ip: str | None
    created_at: Moment
    last_seen_at: Moment
    current: Annotated[bool, Meta(description="Whether it is the one that asks.")]

    @classmethod
    def of(cls, session: Session, *, current: Session) -> Self:
        return cls(
            id=session.pk,
            device=device_name(session.device),
            ip=session.address,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            current=session.pk == current.pk,
        )


class LoginAttemptOutput(Output):
    id: UUID
    at: Moment
    ip: str | None
    device: Device
    method: Annotated[
        str,
        Meta(
            description="`password`, `password+totp`, `passkey`, `google`, `registration`, `password_reset`, `admin` …"
        ),
    ]
    success: bool
    reason: Annotated[str | None, Meta(description="The code of the refusal; null for a sign-in.")]

    @classmethod
    def of(cls, attempt: LoginAttempt) -> Self:
        return cls(
            id=attempt.pk,
            at=attempt.created_at,
            ip=attempt.address,
            device=device_name(attempt.device),
            method=attempt.method,
            success=attempt.success,
            reason=attempt.reason or None,
        )
