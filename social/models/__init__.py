"""The community: follows, groups, channels, posts, comments, reactions, feeds, stories."""

from social.models.ads import Ad, AdClick, AdDay
from social.models.channels import Channel, ChannelMember, ChannelPin
from social.models.comments import Comment, CommentLike, CommentMention
from social.models.feed import Announcement, FeedItem
from social.models.follows import Follow
from social.models.groups import Group, GroupInvitation, Membership
from social.models.moderation import Appeal, Case, Decision, Report
from social.models.posts import AuthorCounts, Post, PostCounts, PostEdit, PostMedia, PostMention, PostTag, Reaction
from social.models.search import ChannelIndex, GroupIndex, KnownWord, PostIndex
from social.models.stories import Story, StoryView

__all__ = [
    "Ad",
    "AdClick",
    "AdDay",
    "Announcement",
    "Appeal",
    "AuthorCounts",
    "Case",
    "Channel",
    "ChannelIndex",
    "ChannelMember",
    "ChannelPin",
    "Comment",
    "CommentLike",
    "CommentMention",
    "Decision",
    "FeedItem",
    "Follow",
    "Group",
    "GroupIndex",
    "GroupInvitation",
    "KnownWord",
    "Membership",
    "Post",
    "PostCounts",
    "PostEdit",
    "PostIndex",
    "PostMedia",
    "PostMention",
    "PostTag",
    "Reaction",
    "Report",
    "Story",
    "StoryView",
]
