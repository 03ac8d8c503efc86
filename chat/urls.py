"""/api/chat"""

from django.urls import path

from chat.views import Conversations, Messages

urlpatterns = [
    path("conversations", Conversations.as_view({"get": "list", "post": "begin"})),
    path("conversations/<uuid:conversation_id>", Conversations.as_view({"get": "show", "delete": "remove"})),
    path("conversations/<uuid:conversation_id>/read", Conversations.as_view({"put": "read"})),
    path("conversations/<uuid:conversation_id>/messages", Messages.as_view({"get": "list", "post": "send"})),
]
