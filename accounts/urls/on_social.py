"""Under /api/social: blocking and muting."""

from django.urls import path

from accounts.views.relations import Blocks, Mutes

urlpatterns = [
    path("/blocks", Blocks.as_view({"get": "list"})),
    path("/mutes", Mutes.as_view({"get": "list"})),
    path("/users/<uuid:user_id>/block", Blocks.as_view({"post": "block", "delete": "unblock"})),
    path("/users/<uuid:user_id>/mute", Mutes.as_view({"post": "mute", "delete": "unmute"})),
]
