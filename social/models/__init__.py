"""The community: follows, groups, channels, posts, comments, reactions."""

from social.models.channels import Channel, ChannelMember, ChannelPin
from social.models.comments import Comment, CommentLike, CommentMention
from social.models.follows import Follow
from social.models.groups import Group, Membership
from social.models.posts import AuthorCounts, Post, PostCounts, PostEdit, PostMedia, PostMention, PostTag, Reaction

__all__ = [
    "AuthorCounts",
    "Channel",
    "ChannelMember",
    "ChannelPin",
    "Comment",
    "CommentLike",
    "CommentMention",
    "Follow",
    "Group",
    "Membership",
    "Post",
    "PostCounts",
    "PostEdit",
    "PostMedia",
    "PostMention",
    "PostTag",
    "Reaction",
]
