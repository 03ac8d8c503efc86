"""Badges: given by staff or by the identity review, for a time or for good, and repeated on the person for cards."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from accounts.services.administration import set_badges
from core import events
from core.data.transactions import retrying
from kyc.access import lock_person
from kyc.errors import BadgeFollowsVerification, OwnCase
from kyc.models import Badge, GrantedBadge, Source


@retrying
def give_badge(
    *, staff: User, user_id: UUID, badge: str, expires_at: datetime | None = None, now: datetime
) -> list[str]:
    """
    A badge by hand. Giving one that is held changes its end only. Returns the person's badges.

    :raises BadgeFollowsVerification: `identity`
    :raises OwnCase: to oneself
    :raises NotFound: nobody has this id
    """
    person = _person_for(staff, user_id, badge)
    grant(user_id=person.pk, badge=badge, source=Source.STAFF, issued_by=staff, expires_at=expires_at, now=now)
    events.record("badge.given", person, actor=staff, now=now, badge=badge)
    return badges_at(person.pk, now)


@retrying
def take_badge(*, staff: User, user_id: UUID, badge: str, now: datetime) -> list[str]:
    """The opposite; does nothing for a badge that is not held. Raises as `give_badge` does."""
    person = _person_for(staff, user_id, badge)
    if revoke(user_id=person.pk, badge=badge, now=now):
        events.record("badge.taken", person, actor=staff, now=now, badge=badge)
    return badges_at(person.pk, now)


def _person_for(staff: User, user_id: UUID, badge: str) -> User:
    if badge == Badge.IDENTITY:
        raise BadgeFollowsVerification()
    if staff.pk == user_id:
        raise OwnCase()
    return lock_person(user_id)


def grant(
    *,
    user_id: UUID,
    badge: str,
    source: str,
    issued_by: User | None,
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """In the caller's transaction, which holds the person's lock."""
    held = GrantedBadge.objects.filter(user_id=user_id, badge=badge, revoked_at__isnull=True)
    if held.valid_at(now).exists():
        held.update(expires_at=expires_at)
    else:
        held.update(revoked_at=now)  # one that ran out
        GrantedBadge.objects.create(
            user_id=user_id,
            badge=badge,
            source=source,
            issued_by=issued_by,
            issued_at=now,
            expires_at=expires_at,
            created_at=now,
        )
    _repeat(user_id, now)


def revoke(*, user_id: UUID, badge: str, now: datetime) -> bool:
    """In the caller's transaction, which holds the person's lock. Returns whether it was held."""
    held = GrantedBadge.objects.filter(user_id=user_id, badge=badge, revoked_at__isnull=True).update(revoked_at=now)
    _repeat(user_id, now)
    return bool(held)


def people_with_ended_badges(now: datetime) -> QuerySet[GrantedBadge, UUID]:
    """Ids of people whose cards show a badge whose time is over."""
    over = GrantedBadge.objects.filter(revoked_at__isnull=True, expires_at__lte=now)
    return over.order_by("user_id").values_list("user_id", flat=True).distinct()


@retrying
def end_badges(user_id: UUID, *, now: datetime) -> None:
    """Take the badges whose time is over off a person's card."""
    lock_person(user_id)
    GrantedBadge.objects.filter(user_id=user_id, revoked_at__isnull=True, expires_at__lte=now).update(revoked_at=now)
    _repeat(user_id, now)


def badges_at(user_id: UUID, now: datetime) -> list[str]:
    return sorted(GrantedBadge.objects.valid_at(now).filter(user_id=user_id).values_list("badge", flat=True))


def _repeat(user_id: UUID, now: datetime) -> None:
    set_badges(user_id=user_id, badges=badges_at(user_id, now))
