"""Posts, groups and channels for tests of every app, as their services leave them."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from core import clock
from core.testing import commits
from social.models import Ad, Case, Channel, ChannelMember, Comment, Decision, Group, Membership, Post, Story
from social.models.moderation import SANCTIONS
from social.services.ads import approve_ad, draft_ad, submit_ad
from social.services.channels import add_editor, draft_channel, open_channel
from social.services.comments import write_comment
from social.services.decisions import decide, open_case
from social.services.groups import draft_group, found_group
from social.services.memberships import enter, set_role
from social.services.posts import draft_post, publish_post
from social.services.reports import report
from social.services.stories import draft_story, publish_story
from social.services.subscriptions import subscribe
from uploads.testing import picture


def make_post(author: User, content: str = "The panels are on the roof.", **fields: Any) -> Post:
    now = clock.now()
    with commits():
        return publish_post(draft_post(author=author, content=content, now=now, **fields), now=now)


def make_comment(author: User, post: Post, content: str = "Well done.", **fields: Any) -> Comment:
    with commits():
        return write_comment(author=author, post_id=post.pk, content=content, now=clock.now(), **fields)


def make_group(
    owner: User, name: str = "Solar roofs", *, visibility: str = "public", join_policy: str = "", **fields: Any
) -> Group:
    """A group; without a join policy the most open one that goes with the visibility."""
    policy = join_policy or {"public": "open", "private": "request", "secret": "invite"}[visibility]
    now = clock.now()
    draft = draft_group(founder=owner, name=name, visibility=visibility, join_policy=policy, now=now, **fields)
    return found_group(founder=owner, draft=draft, now=now)


def put_in_group(group: Group, person: User, role: str = "member", status: str = "member") -> Membership:
    """As somebody with the right to do it leaves the person."""
    now = clock.now()
    owner = group.memberships.filter(role=Membership.Role.OWNER).select_related("user")[0].user
    enter(group, person.pk, status, by=owner, now=now)
    if role != Membership.Role.MEMBER:
        set_role(actor=owner, group_id=group.pk, user_id=person.pk, role=role, now=now)
    return Membership.objects.get(group=group, user=person)


def make_channel(owner: User, name: str = "Roof news", **fields: Any) -> Channel:
    now = clock.now()
    return open_channel(draft=draft_channel(owner=owner, name=name, now=now, **fields), now=now)


def put_in_channel(channel: Channel, person: User, role: str = "subscriber") -> ChannelMember:
    now = clock.now()
    subscribe(person=person, channel_id=channel.pk, now=now)
    if role == ChannelMember.Role.EDITOR:
        add_editor(owner=channel.owner, channel_id=channel.pk, user_id=person.pk, now=now)
    return ChannelMember.objects.get(channel=channel, user=person)


def make_story(author: User, *, now: datetime | None = None, caption: str = "") -> Story:
    """A picture of today."""
    moment = now or clock.now()
    return publish_story(draft_story(author=author, media=picture(), caption=caption, now=moment), now=moment)


def make_ad(advertiser: User, *, approved_by: User | None = None, **fields: Any) -> Ad:
    """An ad that runs from an hour ago for a week; waiting for review, if nobody approves it."""
    now = clock.now()
    terms = {
        "title": "Solar roofs",
        "target_url": "https://example.com/roofs",
        "starts_at": now - timedelta(hours=1),
        "ends_at": now + timedelta(days=7),
        **fields,
    }
    ad = submit_ad(draft_ad(advertiser=advertiser, now=now, media=picture(), **terms), now=now)
    if approved_by:
        approve_ad(reviewer=approved_by, ad_id=ad.pk, revision=ad.revision, now=now)
    return ad


def case_about(thing: Any, reporter: User, target_type: str = "post", **fields: Any) -> Case:
    """The open case of something that somebody has just reported."""
    about = {"target_type": target_type, "target_id": thing.pk, "reason": "abuse", **fields}
    made, _ = report(reporter=reporter, now=clock.now(), **about)
    return made.case


def act(moderator: User, case: Case, action: str, *, days: int = 0, rule: str = "abuse", **fields: Any) -> Decision:
    """Open a case and decide it."""
    now = clock.now()
    _, seen = open_case(moderator=moderator, case_id=case.pk, now=now)
    fields |= {"rule": rule} if action in SANCTIONS else {}
    fields |= {"length": timedelta(days=days)} if days else {}
    return decide(moderator=moderator, case_id=case.pk, seen=seen, action=action, now=now, **fields)
