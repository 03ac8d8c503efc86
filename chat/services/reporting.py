"""Messages as things that may be reported to the moderators (docs/moderation.md)."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.relations import not_hidden_from
from accounts.reportable import Target, TargetType, picture_facts, register
from chat.models import Member, Message
from chat.streams import moderated
from core.api.errors import NotFound
from core.realtime.publishing import Push, publish_all

MAX_LINES_BEFORE = 5
"""So many messages before the reported one are shown to moderators, and nothing else of the conversation."""


@register
class MessageTarget(Target):
    type = TargetType.MESSAGE

    def find(self, viewer: Any, id: UUID, now: datetime) -> Message:
        """
        One that a member of its conversation sees, or would see without a block: whoever blocks first can still report,
        and nobody escapes a report by blocking.
        """
        message = Message.objects.filter(pk=id, deleted_at__isnull=True, hidden_at__isnull=True).first()
        if message is None or not Message.objects.seen_by(_member(viewer, message)).filter(pk=id).exists():
            raise NotFound()
        return message

    def there(self) -> QuerySet[Message]:
        return Message.objects.filter(deleted_at__isnull=True)

    def person_id(self, thing: Message) -> UUID:
        return thing.sender_id

    def describe(self, thing: Message) -> dict[str, Any]:
        attachments = thing.attachments.select_related("file").order_by("position")
        return {"title": "", "words": thing.content, "pictures": picture_facts([each.file for each in attachments])}

    def lines_before(self, thing: Message, viewer: Any) -> list[dict[str, Any]]:
        """Without names: whose words are no concern of the case, but the sender's."""
        seen = Message.objects.seen_by(_member(viewer, thing)).filter(seq__lt=thing.seq)
        shown = seen.filter(not_hidden_from(viewer.pk, "sender") | Q(sender=thing.sender_id))
        shown = shown.filter(deleted_at__isnull=True, hidden_at__isnull=True).order_by("-seq")
        people = {thing.sender_id: 0}
        return [
            {
                "by": people.setdefault(message.sender_id, len(people)),
                "words": message.content,
                "pictures": len(message.attachments.all()),
            }
            for message in reversed(shown.prefetch_related("attachments")[:MAX_LINES_BEFORE])
        ]

    def reach(self, thing: Message) -> int:
        return thing.conversation.members.count()

    def set_hidden(self, thing: Message, at: datetime | None, now: datetime) -> None:
        """Everybody in the conversation sees its place without its content; open sockets learn of it."""
        super().set_hidden(thing, at, now)
        transaction.on_commit(partial(_announce, thing.pk))


def _member(person: Any, message: Message) -> Member:
    """:raises NotFound: no member, or they deleted the conversation"""
    member = Member.objects.not_deleted_by(person).filter(conversation=message.conversation_id).first()
    if member is None:
        raise NotFound()
    return member


def _announce(message_id: UUID) -> None:
    push: Push = moderated(message_id)
    publish_all([push])
