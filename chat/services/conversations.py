"""Starting a conversation, and hiding it for one member."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from accounts.access import lock_people
from accounts.models import Status, User
from accounts.relations import is_hidden_between, not_hidden_from
from chat.access import access_conversation
from chat.errors import PersonNotFound, WrongParticipants
from chat.models import Conversation, Member
from core import events
from core.data.transactions import atomic, retrying

MAX_MEMBERS = 256


@retrying
def open_direct(*, starter: User, participants: Collection[UUID], now: datetime) -> tuple[Member, bool]:
    """
    The pair's one direct conversation, made if there is none. One that the starter deleted is visible again, empty.

    :returns: the starter's place, and whether it is new
    :raises WrongParticipants: not exactly one other person
    :raises PersonNotFound: there is no such active person, or one of the two blocks the other
    """
    others = _others(starter, participants)
    if len(others) != 1:
        raise WrongParticipants(field="participants", most=MAX_MEMBERS - 1)
    people = lock_people(starter.pk, *others)  # a block of the pair comes before this or after it
    if is_hidden_between(starter.pk, *others) or not all(pk in people and people[pk].is_active for pk in others):
        raise PersonNotFound()
    conversation = Conversation(
        type=Conversation.Type.DIRECT, direct_key=pair_key(starter.pk, *others), created_at=now, active_at=now
    )
    # A concurrent insert makes this one wait for its commit and then do nothing; the read after it sees the row.
    Conversation.objects.bulk_create([conversation], ignore_conflicts=True)
    kept = Conversation.objects.get(direct_key=conversation.direct_key)
    is_new = kept.pk == conversation.pk
    if is_new:
        _add_members(kept, [starter.pk, *others], starter=starter, owner_id=None, now=now)
    else:
        Member.objects.filter(conversation=kept, user=starter).update(gone_at_seq=None)
    return access_conversation(starter, kept.pk), is_new


@retrying
def begin_group(*, starter: User, participants: Collection[UUID], title: str, now: datetime) -> Member:
    """
    A new group of the starter, who owns it, and others.

    :raises WrongParticipants: nobody else, or too many
    :raises PersonNotFound: one of them is not an active person, or hidden from the starter
    """
    others = _others(starter, participants)
    if not 1 <= len(others) < MAX_MEMBERS:
        raise WrongParticipants(field="participants", most=MAX_MEMBERS - 1)
    _require_people(starter, others)
    conversation = Conversation.objects.create(type=Conversation.Type.GROUP, title=title, created_at=now, active_at=now)
    _add_members(conversation, [starter.pk, *others], starter=starter, owner_id=starter.pk, now=now)
    return access_conversation(starter, conversation.pk)


def delete_conversation(*, user: User, conversation_id: UUID) -> None:
    """Hide it for this person, with all messages so far; the others keep it. :raises NotFound:"""
    with atomic():
        member = access_conversation(user, conversation_id, for_update=True)
        seq = member.conversation.last_seq
        Member.objects.filter(pk=member.pk).update(gone_at_seq=seq, cleared_seq=seq, last_read_seq=seq)


def _others(starter: User, participants: Collection[UUID]) -> list[UUID]:
    return [user_id for user_id in dict.fromkeys(participants) if user_id != starter.pk]


def _require_people(starter: User, user_ids: list[UUID]) -> None:
    active = User.objects.filter(not_hidden_from(starter.pk, "pk"), pk__in=user_ids, status=Status.ACTIVE)
    if active.count() != len(user_ids):
        raise PersonNotFound()


def pair_key(one: UUID, other: UUID) -> str:
    return ":".join(sorted([one.hex, other.hex]))


def _add_members(
    conversation: Conversation, user_ids: list[UUID], *, starter: User, owner_id: UUID | None, now: datetime
) -> None:
    """The first members of a new conversation."""
    Member.objects.bulk_create(
        Member(
            conversation=conversation,
            user_id=user_id,
            role=Member.Role.OWNER if user_id == owner_id else Member.Role.MEMBER,
            created_at=now,
        )
        for user_id in user_ids
    )
    about = {"type": str(conversation.type), "members": len(user_ids)}
    events.record("conversation.opened", conversation, actor=starter, now=now, **about)
