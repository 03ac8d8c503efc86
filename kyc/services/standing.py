"""What a decision does to the person: proven or not, with the badge that says so, and everyone upstairs told."""

from datetime import datetime
from functools import partial

from django.db import transaction

from accounts.services.standing import set_identity_verified
from kyc import signals
from kyc.models import Badge, Source, Verification
from kyc.services.badges import grant, revoke


def prove_identity(case: Verification, *, now: datetime) -> None:
    """In the caller's transaction, which holds the person's lock."""
    set_identity_verified(user_id=case.user_id, verified_at=now)
    grant(user_id=case.user_id, badge=Badge.IDENTITY, source=Source.VERIFICATION, issued_by=None, now=now)
    transaction.on_commit(partial(signals.identity_verified.send_robust, Verification, user_id=case.user_id))


def withdraw_identity(case: Verification, *, now: datetime) -> None:
    """The opposite; what was done while proven stays done."""
    set_identity_verified(user_id=case.user_id, verified_at=None)
    revoke(user_id=case.user_id, badge=Badge.IDENTITY, now=now)
    transaction.on_commit(partial(signals.identity_lost.send_robust, Verification, user_id=case.user_id))
