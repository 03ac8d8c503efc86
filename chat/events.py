"""Events of conversations. Messages are not events: they have streams of their own (docs/realtime.md)."""

from chat.models import Conversation
from core.events import Kind, declare

declare(Kind("conversation.opened", about=Conversation, facts={"type": str, "members": int}, audit=False))
