"""Who gets what from /api/chat, each a stranger to the conversation in the path."""

from vectragrow.tests.matrix import Row

HELLO = {"content": "Hello"}

ROWS = {
    "GET /api/chat/conversations": Row.of(user=200),
    "POST /api/chat/conversations": Row.of(unverified=403, user=400),
    "GET /api/chat/conversations/{conversation_id}": Row.of(user=404),
    "DELETE /api/chat/conversations/{conversation_id}": Row.of(user=404),
    "PUT /api/chat/conversations/{conversation_id}/read": Row.of(user=404),
    "GET /api/chat/conversations/{conversation_id}/messages": Row.of(user=404),
    "POST /api/chat/conversations/{conversation_id}/messages": Row.of(unverified=403, user=404, body=HELLO),
}
