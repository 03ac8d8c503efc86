"""The community: follows, groups, channels, posts, comments, reactions."""

from social.models.channels import Channel, ChannelMember, ChannelPin
from social.models.comments import Comment, CommentLike
from social.models.follows import Follow
from social.models.groups import Group, Membership
from social.models.posts import Post, PostCounts, PostEdit, PostMedia, PostMention, PostTag, Reaction

__all__ = [
    "Channel",
    "ChannelMember",
    "ChannelPin",
    "Comment",
    "CommentLike",
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
