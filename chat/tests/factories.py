"""Conversations as their services leave them, and the paths of the API."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from chat.models import Conversation
from chat.outputs import MessageOutput
from chat.services import conversations, messages

CONVERSATIONS = "/api/chat/conversations"


def direct(starter: User, other: User) -> Conversation:
    member, _ = conversations.open_direct(starter=starter, participants=[other.pk], now=timezone.now())
    return member.conversation


def group(owner: User, *others: User, title: str = "") -> Conversation:
    ids = [other.pk for other in others]
    return conversations.begin_group(starter=owner, participants=ids, title=title, now=timezone.now()).conversation


def say(user: User, conversation: Conversation, content: str = "Hello", **more: Any) -> MessageOutput:
    """The message as clients see it."""
    output, _ = messages.send_message(
        user=user, conversation_id=conversation.pk, content=content, now=timezone.now(), **more
    )
    return output


def url(conversation: Conversation | UUID | str, tail: str = "") -> str:
    return f"{CONVERSATIONS}/{getattr(conversation, 'pk', conversation)}{tail}"
