"""/api/social"""

from django.urls import path

from social.views.comments import CommentLikes, Comments, Replies
from social.views.posts import PostEdits, Posts, PostsOfPerson
from social.views.reactions import Likes, Reactions

urlpatterns = [
    path("/posts", Posts.as_view({"get": "list", "post": "create"})),
    path("/posts/<uuid:post_id>", Posts.as_view({"get": "show", "put": "edit", "delete": "remove"})),
    path("/posts/<uuid:post_id>/edits", PostEdits.as_view({"get": "list"})),
    path("/posts/<uuid:post_id>/like", Likes.as_view({"post": "like", "delete": "unlike"})),
    path("/posts/<uuid:post_id>/reactions", Reactions.as_view({"get": "list"})),
    path("/posts/<uuid:post_id>/reactions/<str:emoji>", Reactions.as_view({"post": "add", "delete": "remove"})),
    path("/posts/<uuid:post_id>/comments", Comments.as_view({"get": "list", "post": "create"})),
    path("/posts/<uuid:post_id>/comments/<uuid:comment_id>", Comments.as_view({"delete": "remove"})),
    path(
        "/posts/<uuid:post_id>/comments/<uuid:comment_id>/replies",
        Replies.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "/posts/<uuid:post_id>/comments/<uuid:comment_id>/like",
        CommentLikes.as_view({"post": "add", "delete": "remove"}),
    ),
    path("/users/<uuid:user_id>/posts", PostsOfPerson.as_view({"get": "list"})),
]
