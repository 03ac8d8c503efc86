"""/api/profile: own posts, stories and ads, and suggested people"""

from django.urls import path

from social.views.ads import OwnAds
from social.views.posts import OwnPosts
from social.views.stories import OwnStories
from social.views.suggestions import Connections

urlpatterns = [
    path("/posts", OwnPosts.as_view({"get": "list", "post": "create"})),
    path("/stories", OwnStories.as_view({"get": "list", "post": "create"})),
    path("/connections", Connections.as_view({"get": "list"})),
    path("/ads", OwnAds.as_view({"get": "list", "post": "create"})),
    path("/ads/<uuid:ad_id>", OwnAds.as_view({"get": "show", "put": "edit"})),
    path("/ads/<uuid:ad_id>/pause", OwnAds.as_view({"post": "pause"})),
    path("/ads/<uuid:ad_id>/resume", OwnAds.as_view({"post": "resume"})),
]
