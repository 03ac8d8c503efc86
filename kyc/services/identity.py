"""Sets whether a person's identity is verified, with the matching badge."""

from datetime import datetime

from accounts.services.administration import set_identity_verified
from core import events
from kyc.models import Badge, Source, Verification
from kyc.services.badges import grant, revoke


def prove_identity(case: Verification, *, now: datetime) -> None:
    """In the caller's transaction, which holds the person's lock."""
    person = set_identity_verified(user_id=case.user_id, verified_at=now)
    grant(user_id=case.user_id, badge=Badge.IDENTITY, source=Source.VERIFICATION, issued_by=None, now=now)
    events.record("identity.verified", person, actor=None, now=now)


def withdraw_identity(case: Verification, *, now: datetime) -> None:
    """The opposite; what the person did while verified stays valid."""
    person = set_identity_verified(user_id=case.user_id, verified_at=None)
    revoke(user_id=case.user_id, badge=Badge.IDENTITY, now=now)
    events.record("identity.lost", person, actor=None, now=now)
