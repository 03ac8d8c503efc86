"""What is recorded of conversations. Messages are none of it: they have streams of their own (docs/realtime.md)."""

from chat.models import Conversation
from core.events import Kind, declare

declare(Kind("conversation.opened", about=Conversation, facts={"type": str, "members": int}, audit=False))
