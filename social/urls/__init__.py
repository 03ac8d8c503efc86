"""/api/social"""

from django.urls import path

from social.views.ads import AdClicks
from social.views.channels import Channels, Editors, Pins, Subscription
from social.views.comments import CommentLikes, Comments, Replies
from social.views.feed import Feed
from social.views.groups import Groups
from social.views.memberships import Bans, GroupInvitations, JoinRequests, Members, OwnMembership
from social.views.moderation import Reports, Sanctions
from social.views.people import People
from social.views.posts import PostEdits, Posts, PostsOfPerson
from social.views.reactions import Likes, Reactions
from social.views.search import Search
from social.views.stories import Stories

urlpatterns = [
    path("/ads/<uuid:ad_id>/click", AdClicks.as_view({"post": "click"})),
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
    path("/search", Search.as_view({"get": "list"})),
    path("/reports", Reports.as_view({"post": "create"})),
    path("/sanctions", Sanctions.as_view({"get": "list"})),
    path("/sanctions/<uuid:sanction_id>/appeal", Sanctions.as_view({"post": "appeal"})),
    path("/users/<uuid:user_id>/posts", PostsOfPerson.as_view({"get": "list"})),
    path("/groups", Groups.as_view({"get": "list", "post": "create"})),
    path("/groups/<uuid:group_id>", Groups.as_view({"get": "show", "put": "edit", "delete": "remove"})),
    path("/groups/<uuid:group_id>/posts", Groups.as_view({"get": "posts"})),
    path("/groups/<uuid:group_id>/join", OwnMembership.as_view({"post": "join"})),
    path("/groups/<uuid:group_id>/leave", OwnMembership.as_view({"post": "leave"})),
    path("/groups/<uuid:group_id>/members", Members.as_view({"get": "list"})),
    path("/groups/<uuid:group_id>/members/<uuid:user_id>", Members.as_view({"delete": "remove"})),
    path("/groups/<uuid:group_id>/members/<uuid:user_id>/role", Members.as_view({"put": "set_role"})),
    path("/groups/<uuid:group_id>/requests", JoinRequests.as_view({"get": "list"})),
    path("/groups/<uuid:group_id>/requests/<uuid:user_id>", JoinRequests.as_view({"get": "show", "post": "decide"})),
    path("/groups/<uuid:group_id>/invitations", GroupInvitations.as_view({"post": "invite"})),
    path("/groups/<uuid:group_id>/bans", Bans.as_view({"get": "list"})),
    path("/groups/<uuid:group_id>/bans/<uuid:user_id>", Bans.as_view({"post": "ban", "delete": "end"})),
    path("/channels", Channels.as_view({"get": "list", "post": "create"})),
    path("/channels/<uuid:channel_id>", Channels.as_view({"get": "show", "put": "edit"})),
    path("/channels/<uuid:channel_id>/posts", Channels.as_view({"get": "posts"})),
    path("/channels/<uuid:channel_id>/posts/<uuid:post_id>/pin", Pins.as_view({"post": "pin", "delete": "unpin"})),
    path("/channels/<uuid:channel_id>/subscribe", Subscription.as_view({"post": "subscribe"})),
    path("/channels/<uuid:channel_id>/unsubscribe", Subscription.as_view({"post": "unsubscribe"})),
    path("/channels/<uuid:channel_id>/editors/<uuid:user_id>", Editors.as_view({"post": "add", "delete": "remove"})),
    path("/channels/<uuid:channel_id>/owner", Editors.as_view({"put": "give"})),
    path("/feed", Feed.as_view({"get": "list"})),
    path("/stories", Stories.as_view({"get": "list"})),
    path("/stories/<uuid:story_id>", Stories.as_view({"delete": "remove"})),
    path("/stories/<uuid:story_id>/view", Stories.as_view({"post": "view"})),
    path("/stories/<uuid:story_id>/viewers", Stories.as_view({"get": "viewers"})),
    path("/users/<uuid:user_id>", People.as_view({"get": "show"})),
    path("/users/<uuid:user_id>/follow", People.as_view({"post": "follow", "delete": "unfollow"})),
    path("/users/<uuid:user_id>/followers", People.as_view({"get": "followers"})),
    path("/users/<uuid:user_id>/following", People.as_view({"get": "following"})),
]
