"""Events of the community, with their notices."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import User
from core.events import Effect, Kind, declare
from notifications.effects import Category, Mail, Notice, Withdrawal
from notifications.messages import Message
from social.models import Ad, Appeal, Case, Channel, Comment, Decision, Group, Post, Story
from social.notices import (
    COMMENT_LIKED,
    COMMENTED,
    LIKED,
    MENTIONED,
    REACTED,
    REPLIED,
    WINDOW,
    GroupForgotten,
    GroupNotice,
    PostNotice,
)

AUTHOR = {"author_id": UUID}
OF_A_COMMENT = {"post_id": UUID, "author_id": UUID}
REACTION = {"author_id": UUID, "emoji": str, "act": str}
TOLD = {"answered_ids": list[UUID], "post_author_ids": list[UUID]}
PERSON = {"user_id": UUID}
REQUEST = {**PERSON, "staff_ids": list[UUID]}
NAMED = {"group_name": str}
FLEETING = timedelta(days=90)
"""How long likes, reactions and follows are kept as events: their own rows tell what there is."""
declare(
    Kind("post.published", about=Post, facts={"author_id": UUID, "campaign_id": UUID | None}, audit=False),
    Kind("post.edited", about=Post, facts={**AUTHOR, "fields": list[str]}, audit=False),
    Kind("post.deleted", about=Post, facts={**AUTHOR, "by_moderator": bool}),
    Kind(
        "post.mentioned",
        about=Post,
        facts={"mentioned_ids": list[UUID]},
        audit=False,
        effects=[PostNotice(MENTIONED, to="mentioned_ids")],
    ),
    Kind(
        "post.liked",
        about=Post,
        facts=AUTHOR,
        audit=False,
        keep=FLEETING,
        effects=[PostNotice(LIKED, to="author_id")],
    ),
    Kind(
        "post.unliked",
        about=Post,
        facts=AUTHOR,
        audit=False,
        keep=FLEETING,
        effects=[Withdrawal(LIKED, to="author_id")],
    ),
    Kind(
        "post.reacted",
        about=Post,
        facts=REACTION,
        audit=False,
        keep=FLEETING,
        effects=[PostNotice(REACTED, to="author_id")],
    ),
    Kind(
        "post.reaction_removed",
        about=Post,
        facts=REACTION,
        audit=False,
        keep=FLEETING,
        effects=[Withdrawal(REACTED, to="author_id")],
    ),
    Kind(
        "comment.added",
        about=Comment,
        facts={"post_id": UUID, "parent_id": UUID | None, "mentioned_ids": list[UUID], **TOLD},
        audit=False,
        effects=[
            PostNotice(REPLIED, to="answered_ids"),
            PostNotice(MENTIONED, to="mentioned_ids"),
            PostNotice(COMMENTED, to="post_author_ids"),
        ],
    ),
    Kind(
        "comment.deleted",
        about=Comment,
        facts={**OF_A_COMMENT, **TOLD},
        effects=[
            Withdrawal(REPLIED, to="answered_ids", actor="author_id"),
            Withdrawal(COMMENTED, to="post_author_ids", actor="author_id"),
        ],
    ),
    Kind(
        "comment.liked",
        about=Comment,
        facts=OF_A_COMMENT,
        audit=False,
        keep=FLEETING,
        effects=[PostNotice(COMMENT_LIKED, to="author_id")],
    ),
    Kind(
        "comment.unliked",
        about=Comment,
        facts=OF_A_COMMENT,
        audit=False,
        keep=FLEETING,
        effects=[Withdrawal(COMMENT_LIKED, to="author_id")],
    ),
)


def _group_notice(name: str, *facts: str, **conditions: str) -> Notice:
    """Tells somebody what was decided about them in a group, whoever decided it."""
    given = ("group_id", "group_name", *facts)
    return GroupNotice(Message(name, Category.GROUPS, given, path="/groups/{group_id}"), to="user_id", **conditions)


def _channel_notice(name: str, **conditions: str) -> Notice:
    """The same in a channel."""
    given = ("channel_id", "channel_name")
    return Notice(Message(name, Category.GROUPS, given, path="/channels/{channel_id}"), to="user_id", **conditions)


def _group(name: str, *effects: Effect, **more: Any) -> Kind:
    return Kind(name, about=Group, effects=effects, **more)


def _channel(name: str, *effects: Effect, **more: Any) -> Kind:
    return Kind(name, about=Channel, effects=effects, **more)


JOIN_REQUESTED = Message(
    "group_join_requested",
    Category.SOCIAL,
    ("group_id", "group_name"),
    path="/groups/{group_id}",
    group=("group_id",),
    window=WINDOW,
)
GROUP_INVITED = Message("group_invited", Category.SOCIAL, ("group_id", "group_name"), path="/groups/{group_id}")
FORGOTTEN = GroupForgotten(to="user_id")
REQUEST_ENDED = Withdrawal(JOIN_REQUESTED, to="staff_ids", actor="user_id")

GROUPS = (
    _group("group.founded"),
    _group("group.edited", facts={"fields": list[str]}),
    _group("group.deleted"),
    _group("group.joined", facts=PERSON, audit=False),
    _group("group.left", FORGOTTEN, facts=PERSON, audit=False),
    _group("group.invitation_declined", FORGOTTEN, facts=PERSON, audit=False),
    _group(
        "group.join_requested",
        Notice(JOIN_REQUESTED, to="staff_ids"),
        facts=REQUEST,
        sealed=NAMED,
        audit=False,
    ),
    _group("group.request_withdrawn", REQUEST_ENDED, facts=REQUEST, audit=False),
    _group(
        "group.request_approved",
        REQUEST_ENDED,
        _group_notice("group_request_approved"),
        facts=REQUEST,
        sealed=NAMED,
    ),
    _group(
        "group.request_rejected",
        REQUEST_ENDED,
        _group_notice("group_request_rejected"),
        facts=REQUEST,
        sealed=NAMED,
    ),
    _group("group.invited", GroupNotice(GROUP_INVITED, to="user_id"), facts=PERSON, sealed=NAMED),
    _group(
        "group.role_changed",
        _group_notice("group_role_changed", "after", unless="is_ones_own"),
        facts={**PERSON, "before": str, "after": str, "is_ones_own": bool},
        sealed=NAMED,
    ),
    _group("group.member_removed", FORGOTTEN, facts=PERSON),  # they and the banned are not told
    _group("group.banned", FORGOTTEN, facts=PERSON),
    _group("group.ban_ended", facts=PERSON),
)
CHANNELS = (
    _channel("channel.opened"),
    _channel("channel.edited", facts={"fields": list[str]}),
    _channel("channel.deleted"),
    _channel(
        "channel.role_changed",
        _channel_notice("channel_editor_added", only_if="is_editor"),
        facts={**PERSON, "role": str, "is_editor": bool},
        sealed={"channel_name": str},
    ),
    _channel("channel.passed_on", _channel_notice("channel_passed_on"), facts=PERSON, sealed={"channel_name": str}),
    _channel("channel.post_pinned", facts={"post_id": UUID}, audit=False),
    _channel("channel.post_unpinned", facts={"post_id": UUID}, audit=False),
)

declare(*GROUPS, *CHANNELS)
FOLLOWED = Message("followed", Category.SOCIAL, group=(), window=timedelta(days=1))
declare(
    Kind(
        "account.followed",
        about=User,
        facts={"by_invitation": bool},
        audit=False,
        keep=FLEETING,
        effects=[Notice(FOLLOWED, to="user_id", unless="by_invitation")],
    ),
    Kind(
        "account.unfollowed",
        about=User,
        audit=False,
        keep=FLEETING,
        effects=[Withdrawal(FOLLOWED, to="user_id")],
    ),
)
declare(
    Kind("story.published", about=Story, audit=False),
    Kind("story.deleted", about=Story, facts={"author_id": UUID}),
)
AD = {"advertiser_id": UUID, "ad_id": UUID, "ad_title": str}
AD_APPROVED = Message("ad_approved", Category.ADS, ("ad_id", "ad_title"), path="/ads/{ad_id}")
AD_REJECTED = Message("ad_rejected", Category.ADS, ("ad_id", "ad_title", "reason"), path="/ads/{ad_id}")

declare(
    Kind("ad.submitted", about=Ad),
    Kind("ad.edited", about=Ad, facts={"fields": list[str]}),
    Kind("ad.paused", about=Ad),
    Kind("ad.resumed", about=Ad),
    Kind("ad.approved", about=Ad, facts=AD, effects=[Notice(AD_APPROVED, to="advertiser_id")]),
    Kind("ad.rejected", about=Ad, facts={**AD, "reason": str}, effects=[Notice(AD_REJECTED, to="advertiser_id")]),
)
THING = ("target_type", "excerpt")
DECIDED = {"person_id": UUID | None, "target_type": str, "target_id": UUID, "tells": bool}
SANCTION = {**DECIDED, "rule": str, "hides": bool}
TIMED = {**SANCTION, "until": datetime}
WORDS = {"excerpt": str, "words": str}
"""Sealed: what was reported, and what a moderator writes to the person."""
JUDGED = {"person_id": UUID, "target_type": str}
HOW_TO_APPEAL = Message("how_to_appeal", facts=("appeal_token",), path="/appeal?token={appeal_token}")


def _decision_notice(name: str, *facts: str, path: str = "/moderation/{decision_id}") -> Notice:
    message = Message(name, Category.MODERATION, (*THING, *facts), path=path)
    return Notice(message, to="person_id", only_if="tells")


def _sanction(name: str, message: str, *facts: str, also: Sequence[Effect] = (), **kind: Any) -> Kind:
    notice = _decision_notice(message, "decision_id", "rule", "words", "hides", *facts)
    return Kind(f"moderation.{name}", about=Decision, effects=[notice, *also], **kind)


def _judged(name: str, message: str) -> Kind:
    told = Message(message, Category.MODERATION, (*THING, "words"), path="/moderation")
    return Kind(f"moderation.{name}", about=Appeal, facts=JUDGED, sealed=WORDS, effects=[Notice(told, to="person_id")])


declare(
    Kind(
        "moderation.held",
        about=Case,
        facts={"person_id": UUID, "target_type": str, "target_id": UUID},
        sealed={"excerpt": str},
        effects=[Notice(Message("moderation_held", Category.MODERATION, THING), to="person_id")],
    ),
    Kind("moderation.case_taken_over", about=Case, facts={"taken_from": UUID}),
    Kind("moderation.reporters_shown", about=Case, facts={"count": int}),
    Kind("moderation.picture_shown", about=Case, facts={"file_id": UUID}),
    Kind("moderation.dismissed", about=Decision, facts=DECIDED, sealed=WORDS),
    Kind("moderation.noted", about=Decision, facts=DECIDED, sealed=WORDS),
    _sanction("warned", "moderation_warned", facts=SANCTION, sealed=WORDS),
    _sanction("hidden", "moderation_hidden", facts=SANCTION, sealed=WORDS),
    _sanction("frozen", "moderation_frozen", "moment", facts=TIMED, sealed={**WORDS, "moment": str}),
    _sanction(
        "suspended",
        "moderation_suspended",
        "moment",
        also=[Mail(HOW_TO_APPEAL, to="person_id")],
        facts=TIMED,
        sealed={**WORDS, "moment": str, "appeal_token": str},
    ),
    Kind(
        "moderation.undone",
        about=Decision,
        facts=DECIDED,
        sealed=WORDS,
        effects=[_decision_notice("moderation_undone", "words", path="/moderation")],
    ),
    Kind("moderation.appealed", about=Appeal, facts={"person_id": UUID}),
    _judged("appeal_upheld", "appeal_upheld"),
    _judged("appeal_overturned", "appeal_overturned"),
)
