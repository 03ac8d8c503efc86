"""/api/chat: conversations and their messages. Reading needs a session, reaching others a verified address."""

from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from msgspec.structs import replace
from rest_framework.response import Response

from accounts import brakes
from accounts.errors import SlowDown
from accounts.permissions import MayPublish
from chat import errors, reads, selectors
from chat.access import access_conversation
from chat.inputs import ConversationInput, MessageInput, MessagesQuery, ReadInput
from chat.models import Conversation, Member
from chat.outputs import ConversationCard, ConversationOutput, MessageOutput
from chat.services import conversations, messages, reading
from core import clock
from core.api import limits
from core.api.errors import Stale
from core.api.etags import if_match, require_match
from core.api.idempotency import prepared
from core.api.operations import operation
from core.api.outputs import Message, Page
from core.api.pages import asked_part
from core.api.permissions import SignedIn
from core.api.rendering import to_json
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from core.realtime.sockets import MESSAGES
from uploads.errors import BAD_FILE

BEGINNINGS = limits.Limit("chat:conversations", 60, timedelta(hours=1))
"""How many conversations a person may begin."""
MESSAGES_IN_A_PAGE = 50


class Conversations(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"begin": [MayPublish]}

    @operation("listConversations", returns=Page[ConversationCard])
    def list(self, request: Request) -> Page[ConversationCard]:
        """My conversations, latest activity first"""
        part = asked_part(request, keys=("active_at", "conversation_id"))
        rows = reads.conversation_rows(request.user, **part.parameters)
        return part.page_of(rows, together=reads.conversations, whole=lambda: Member.objects.of(request.user))

    @operation(
        "startConversation",
        ConversationInput,
        returns=ConversationOutput,
        status=201,
        also={200: "The direct conversation that the pair has already."},
        etag=True,
        errors=[errors.WrongParticipants, errors.PersonNotFound, limits.RateLimited, SlowDown],
    )
    def begin(self, request: Request, data: dict[str, Any]) -> Response:
        """Begin a conversation"""
        limit = limits.hit(BEGINNINGS, request.user.pk)
        people, now, is_new = data["participants"], clock.now(), True
        brakes.require_brake(request.user, brakes.Action.CONVERSATIONS, 1, now)
        if data["type"] == Conversation.Type.DIRECT:
            member, is_new = conversations.open_direct(starter=request.user, participants=people, now=now)
        else:
            member = conversations.begin_group(starter=request.user, participants=people, title=data["title"], now=now)
        return _conversation(member, status=201 if is_new else 200, headers=limit.headers)

    @operation("getConversation", returns=ConversationOutput, etag=True)
    def show(self, request: Request, conversation_id: UUID) -> Response:
        """One conversation with its members"""
        return _conversation(access_conversation(request.user, conversation_id))

    @operation("markConversationRead", ReadInput, returns=ConversationOutput, etag=True, errors=[Stale])
    def read(self, request: Request, conversation_id: UUID, data: dict[str, Any]) -> Response:
        """
        Mark as read

        Up to `seq`, or to the last message. The mark never moves back.
        """
        expected = if_match(request)
        if expected is not None:
            member = access_conversation(request.user, conversation_id)
            require_match(expected, _etag(selectors.conversation_detail(member)))
        return _conversation(reading.mark_read(user=request.user, conversation_id=conversation_id, **data))

    @operation("deleteConversation", returns=Message)
    def remove(self, request: Request, conversation_id: UUID) -> Message:
        """Delete a conversation for myself; the others keep it"""
        conversations.delete_conversation(user=request.user, conversation_id=conversation_id)
        return Message(message=_("Conversation deleted successfully"))


class Messages(ApiViewSet):
    permission_classes = [SignedIn]
    action_permissions = {"send": [MayPublish]}

    @operation(
        "listMessages",
        query=MessagesQuery,
        returns=Page[MessageOutput],
        default_limit=MESSAGES_IN_A_PAGE,
    )
    def list(self, request: Request, conversation_id: UUID, query: dict[str, Any]) -> Page[MessageOutput]:
        """Messages, newest first"""
        part = asked_part(request, keys=("seq",), default_limit=MESSAGES_IN_A_PAGE)
        rows = reads.message_rows(request.user, conversation_id, **query, part=part.parameters)
        return part.page_of(
            rows,
            together=reads.messages,
            whole=lambda: selectors.message_rows(access_conversation(request.user, conversation_id), **query),
        )

    def _draft(self, request: Request, conversation_id: UUID) -> tuple[messages.Draft, limits.LimitState]:
        data = parse(MessageInput, request)
        limit = limits.hit(MESSAGES, request.user.pk)
        draft = messages.draft_message(user=request.user, conversation_id=conversation_id, now=clock.now(), **data)
        return draft, limit

    @operation(
        "sendMessage",
        MessageInput,
        returns=MessageOutput,
        status=201,
        also={200: "The message that was sent with this `clientId` before."},
        multipart=True,
        errors=[errors.EmptyMessage, errors.ReplyNotHere, limits.RateLimited, *BAD_FILE],
    )
    @prepared(_draft)
    def send(
        self, request: Request, conversation_id: UUID, prepared: tuple[messages.Draft, limits.LimitState]
    ) -> Response:
        """Say something"""
        draft, limit = prepared
        output, is_new = messages.commit_message(draft)
        return Response(output, 201 if is_new else 200, headers=limit.headers)


def _conversation(member: Member, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    detail = selectors.conversation_detail(member)
    return Response(detail, status, headers={**(headers or {}), "ETag": _etag(detail)})


def _etag(detail: ConversationOutput) -> str:
    """Of what is shown, but for the pictures' links, which are new each time."""
    if detail.last_message:
        detail = replace(detail, last_message=replace(detail.last_message, media=[]))
    return f'"{sha256(to_json(detail)).hexdigest()[:32]}"'
