"""/api/social"""

from django.urls import path

from social.views.posts import Posts, PostsOfPerson

urlpatterns = [
    path("/posts", Posts.as_view({"post": "create"})),
    path("/posts/<uuid:post_id>", Posts.as_view({"get": "show", "delete": "remove"})),
    path("/users/<uuid:user_id>/posts", PostsOfPerson.as_view({"get": "list"})),
]
