"""Personal data in the community (core.privacy). What somebody published goes with them; counts of others follow."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from accounts.services.counts import count
from core.data import sql
from core.data.locks import lock
from core.data.transactions import atomic
from core.privacy import Cascade, Delete, DeleteAfter, Kept, Withheld, declare, declare_impersonal
from social.models import (
    Ad,
    AdClick,
    AdDay,
    Announcement,
    Appeal,
    AuthorCounts,
    Case,
    Channel,
    ChannelIndex,
    ChannelMember,
    ChannelPin,
    Comment,
    CommentLike,
    CommentMention,
    Decision,
    FeedItem,
    Follow,
    Group,
    GroupIndex,
    GroupInvitation,
    KnownWord,
    Membership,
    Post,
    PostCounts,
    PostEdit,
    PostIndex,
    PostMedia,
    PostMention,
    PostTag,
    Reaction,
    Report,
    Story,
    StoryView,
)
from social.selectors import sanctions
from social.services.comments import bury_comment, count_comment_like
from social.services.follows import delete_follows_of
from social.services.reactions import uncount_reaction
from social.services.stories import delete_stories_of, delete_views_of
from social.services.succession import leave_channels, leave_groups
from uploads.services import delete_file, release_files

AS_LONG_AS_THE_ACCOUNT = Kept("as long as the account")
BATCH = 500
"""Rows that an erasure takes back in one exchange with the database."""
KEPT_AFTER_DELETION = timedelta(days=30)
"""How long a deleted post or comment stays as an empty row, for reports about it that are still open."""


def memberships_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    """Without the name of a secret group for whom it has banned: it may have got another one since."""
    for place in Membership.objects.filter(user=person_id).select_related("group").order_by("pk"):
        is_out = place.status == Membership.Status.BANNED and place.group.visibility == Group.Visibility.SECRET
        yield {
            "groupId": place.group_id,
            "groupName": None if is_out else place.group.name,
            "role": place.role,
            "status": place.status,
            "createdAt": place.created_at,
            "changedAt": place.changed_at,
        }


def posts_of(person_id: UUID) -> Iterator[dict[str, Any]]:
    said = Post.objects.filter(author_id=person_id, deleted_at__isnull=True).order_by("pk")
    for post in said.prefetch_related("media__file", "edits", "tags"):
        yield {
            "id": post.pk,
            "content": post.content,
            "visibility": post.visibility,
            "groupId": post.group_id,
            "channelId": post.channel_id,
            "campaignId": post.campaign_id,
            "authorRole": post.author_role or None,
            "media": [{"fileId": media.file_id, "alt": media.file.alt} for media in post.media.all()],
            "tags": [tag.tag for tag in post.tags.all()],
            "edits": [{"content": edit.content, "replacedAt": edit.replaced_at} for edit in post.edits.all()],
            "createdAt": post.created_at,
            "editedAt": post.edited_at,
            "hiddenAt": post.hidden_at,
        }


def delete_posts(*, person_id: UUID, now: datetime) -> None:
    """With everything under them; pictures leave the store too."""
    posts = Post.objects.filter(author_id=person_id)
    count(user_id=person_id, posts=-posts.filter(deleted_at__isnull=True).count())
    for media in PostMedia.objects.filter(post__in=posts).select_related("file"):
        media.delete()
        delete_file(media.file, now=now)
    posts.delete()


def delete_reactions(*, person_id: UUID, now: datetime) -> None:
    given = Reaction.objects.filter(user_id=person_id).order_by("post_id", "emoji")
    while some := list(given[:BATCH]):
        Reaction.objects.filter(pk__in=[reaction.pk for reaction in some]).delete()
        with sql.together():
            for reaction in some:
                uncount_reaction(reaction)


def delete_comment_likes(*, person_id: UUID, now: datetime) -> None:
    given = CommentLike.objects.filter(user_id=person_id).order_by("comment_id")
    while some := list(given[:BATCH]):
        CommentLike.objects.filter(pk__in=[like.pk for like in some]).delete()
        with sql.together():
            for like in some:
                count_comment_like(like.comment_id, -1)


def bury_comments(*, person_id: UUID, now: datetime) -> None:
    """Tombstones stay, so that what others replied has its place."""
    own = Comment.objects.filter(author_id=person_id, deleted_at__isnull=True)
    above = own.filter(parent__isnull=False).values("parent_id")
    list(lock(Comment.objects.filter(Q(pk__in=own.values("pk")) | Q(pk__in=above)).order_by("pk")))
    for comment in own.select_related("post").order_by("post_id", "pk"):
        bury_comment(comment, actor=None, now=now)


def delete_follows(*, person_id: UUID, now: datetime) -> None:
    delete_follows_of(person_id)


def delete_stories(*, person_id: UUID, now: datetime) -> None:
    delete_stories_of(person_id, now)


def delete_story_views(*, person_id: UUID, now: datetime) -> None:
    delete_views_of(person_id)


declare(
    Follow,
    person="follower_id",
    export=("followed_id", "created_at"),
    erase=delete_follows,
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(
    Group,
    export=Withheld("exported as the person's memberships"),
    erase=Kept("belongs to its members; without any it is deleted with the last one's membership"),
    retention=Kept("as long as its members"),
)
declare(
    Membership,
    person="user_id",
    export=memberships_of,
    erase=leave_groups,
    retention=Cascade("group"),
)
declare(
    GroupInvitation,
    person="invitation__inviter_id",
    export=("group_id", "group__name", "invitation__email", "created_at"),
    erase=Delete(),
    retention=Cascade("invitation"),
)
declare(
    Channel,
    person="owner_id",
    export=("id", "name", "description", "subscriber_count", "created_at"),
    erase=Kept("passed on to an editor, or deleted, with the owner's own subscription"),
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(
    ChannelMember,
    person="user_id",
    export=("channel_id", "channel__name", "role", "created_at"),
    erase=leave_channels,
    retention=Cascade("channel"),
)
declare(
    Post,
    export=posts_of,
    erase=delete_posts,
    retention=DeleteAfter(KEPT_AFTER_DELETION, since="deleted_at"),
)
declare(
    PostMedia,
    export=Withheld("exported with its post, and among the files"),
    erase=Cascade("post"),
    retention=Cascade("post"),
)
declare(
    AuthorCounts,
    export=Withheld("how many of the exported posts there are"),
    erase=Delete(),
    person="user_id",
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare(PostEdit, export=Withheld("exported with its post"), erase=Cascade("post"), retention=Cascade("post"))
declare(
    PostMention,
    person="user_id",
    export=("post_id",),
    erase=Delete(),
    retention=Cascade("post"),
)
declare_impersonal(PostCounts, about="numbers of a post", retention=Cascade("post"))
declare_impersonal(PostTag, about="words that a post is found by", retention=Cascade("post"))
declare_impersonal(ChannelPin, about="which posts stand at the top of a channel", retention=Cascade("post"))
declare(
    Reaction,
    person="user_id",
    export=("post_id", "emoji", "created_at"),
    erase=delete_reactions,
    retention=Cascade("post"),
)
declare(
    Comment,
    person="author_id",
    export=("id", "post_id", "parent_id", "content", "author_role", "created_at", "edited_at", "deleted_at"),
    erase=bury_comments,
    retention=Cascade("post"),
)
declare(
    CommentMention,
    person="user_id",
    export=("comment_id",),
    erase=Delete(),
    retention=Cascade("comment"),
)
declare(
    CommentLike,
    person="user_id",
    export=("comment_id", "created_at"),
    erase=delete_comment_likes,
    retention=Cascade("comment"),
)
declare(
    FeedItem,
    person="user_id",
    export=Withheld("which posts of others reached a feed follows from what the person follows, which is exported"),
    erase=Delete(),
    retention=Kept("the newest 1,000 of each person; `social.trim_feeds` removes the others"),
)
declare_impersonal(Announcement, about="what happened to a campaign", retention=Cascade("campaign"))
declare(
    Story,
    person="author_id",
    export=("id", "file_id", "caption", "views_count", "created_at", "expires_at"),
    erase=delete_stories,
    retention=Kept("for 24 hours; `social.delete_stories` deletes it then"),
)
declare(
    StoryView,
    person="viewer_id",
    export=("story_id", "created_at"),
    erase=delete_story_views,
    retention=Cascade("story"),
)
declare(
    PostIndex,
    person="post__author_id",
    export=Withheld("made of the post's own words"),
    erase=Cascade("post"),
    retention=Cascade("post"),
)
declare_impersonal(GroupIndex, about="words that a group is found by", retention=Cascade("group"))
declare_impersonal(ChannelIndex, about="words that a channel is found by", retention=Cascade("channel"))
declare_impersonal(
    KnownWord,
    about="words that several public posts have",
    retention=Kept("while the newest posts have it (`social.learn_words`)"),
)


def delete_ads(*, person_id: UUID, now: datetime) -> None:
    """They end at once; their pictures leave the store too."""
    for ad in Ad.objects.filter(advertiser_id=person_id).select_related("file"):
        ad.delete()
        delete_file(ad.file, now=now)


declare(
    Ad,
    person="advertiser_id",
    export=(
        "id",
        "title",
        "body",
        "target_url",
        "file_id",
        "starts_at",
        "ends_at",
        "daily_cap",
        "status",
        "reason",
        "reviewed_at",
        "created_at",
    ),
    erase=delete_ads,
    retention=AS_LONG_AS_THE_ACCOUNT,
)
declare_impersonal(AdDay, about="how often an ad was seen and followed", retention=Cascade("ad"))
declare_impersonal(
    AdClick,
    about="ids of impressions that were followed, so that each counts once",
    retention=DeleteAfter(timedelta(days=2), since="created_at"),
)


CASES_KEPT = timedelta(days=2 * 365 + 1)
"""
After the last decision: how somebody was judged before is asked for repeated offences, and a claim over what was hidden
may come as late. The trigger of the table lets decisions go after two years, not before.
"""


def decisions_about(person_id: UUID) -> Iterator[dict[str, Any]]:
    """Without who reported anything, and without what moderators note for each other."""
    for decision in sanctions(person_id).order_by("pk"):
        appeal = getattr(decision, "appeal", None)
        yield {
            "id": decision.pk,
            "action": decision.action,
            "targetType": decision.case.target_type,
            "targetId": decision.case.target_id,
            "rule": decision.rule,
            "words": decision.words,
            "until": decision.until,
            "createdAt": decision.created_at,
            "undoneAt": decision.undone_by.created_at if hasattr(decision, "undone_by") else None,
            "appeal": {"text": appeal.text, "status": appeal.status, "answer": appeal.answer} if appeal else None,
        }


def blank_decisions(*, person_id: UUID, now: datetime) -> None:
    Decision.objects.filter(person_id=person_id).update(words="", note="")


def blank_cases(*, person_id: UUID, now: datetime) -> None:
    """What was reported of a person goes with them: its words, and the bytes of its pictures."""
    about = Case.objects.filter(person_id=person_id)
    about.update(versions=[])
    for case_id in about.values_list("pk", flat=True):
        release_files(case_id)


def blank_reports(*, person_id: UUID, now: datetime) -> None:
    Report.objects.filter(reporter_id=person_id).update(details="")


def blank_appeals(*, person_id: UUID, now: datetime) -> None:
    Appeal.objects.filter(decision__person_id=person_id).update(text="", answer="")


def delete_old_cases(*, now: datetime) -> int:
    recent = Decision.objects.filter(case=OuterRef("pk"), created_at__gte=now - CASES_KEPT)
    due = Case.objects.filter(~Exists(recent), closed_at__lt=now - CASES_KEPT).order_by("closed_at", "pk")
    count = 0
    while ids := list(due.values_list("pk", flat=True)[:BATCH]):
        for case_id in ids:
            with atomic():
                release_files(case_id)
                count += Case.objects.filter(pk=case_id).delete()[1].get(Case._meta.label, 0)
    return count


declare(
    Case,
    export=Withheld("what was reported is exported with the posts and comments, decisions as such"),
    erase=blank_cases,
    retention=delete_old_cases,
)
declare(
    Report,
    person="reporter_id",  # not also whose thing was reported: nobody learns who reported them
    export=("case__target_type", "case__target_id", "reason", "details", "created_at"),
    erase=blank_reports,
    retention=Cascade("case"),
)
declare(Decision, export=decisions_about, erase=blank_decisions, retention=Cascade("case"))
declare(Appeal, export=Withheld("exported with its decision"), erase=blank_appeals, retention=Cascade("decision"))
