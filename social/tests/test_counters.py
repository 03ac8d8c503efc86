"""Counters: what `social_verify` finds and corrects, and what a profile's count tells whom."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Profile, User
from core import clock
from core.testing import Api
from social import counters
from social.models import AuthorCounts, Channel, Comment, Group, Membership, Post, PostCounts
from social.selectors.people import person_page
from social.services.comments import delete_comment
from social.testing import make_comment, make_post


def verify(**options: Any) -> str:
    out = StringIO()
    call_command("social_verify", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def community(api: Api, author: User, stranger: User, moderator: User) -> Post:
    """A post with everything that is counted, written through the services."""
    post = make_post(author)
    for visibility in ("followers", "private"):
        make_post(author, visibility=visibility)
    top = make_comment(stranger, post)
    reply = make_comment(author, post, answers_id=top.pk)
    make_comment(stranger, post, answers_id=reply.pk)
    delete_comment(person=author, post_id=post.pk, comment_id=reply.pk, now=clock.now())
    me = api.as_user(stranger)
    for path in ("like", "reactions/🎉", f"comments/{top.pk}/like"):
        assert me.post(f"/api/social/posts/{post.pk}/{path}").status_code == 200
    gone = make_post(author)
    api.as_user(author).delete(f"/api/social/posts/{gone.pk}")
    return post


def test_what_services_count_is_right(community: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "BATCH", 2)
    assert verify() == "13 rows with counts, 0 differ.\n"
    assert PostCounts.objects.get(post=community).comment_count == 2


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (PostCounts, {"like_count": 7}),
        (PostCounts, {"comment_count": 7}),
        (PostCounts, {"reactions": {"👍": 7}}),
        (Comment, {"replies_count": 7}),
        (Comment, {"like_count": 7}),
        (AuthorCounts, {"public_posts": 7, "followers_posts": 7}),
        (Profile, {"posts_count": 7}),
        (Profile, {"followers_count": 7, "following_count": 7}),
    ],
)
def test_a_wrong_count_is_found_and_corrected(community: Post, model: Any, wrong: dict[str, Any]) -> None:
    right = list(model.objects.order_by("pk").values("pk", *wrong))
    model.objects.update(**wrong)
    with pytest.raises(CommandError, match="differ"):
        verify()
    assert list(model.objects.order_by("pk").values("pk", *wrong)) != right
    with pytest.raises(CommandError, match="corrected"):
        verify(fix=True)
    assert list(model.objects.order_by("pk").values("pk", *wrong)) == right
    assert "0 differ" in verify()


def test_groups_and_channels_are_counted(author: User) -> None:
    group = Group.objects.create(name="Us", name_key="us", visibility="public", join_policy="open", member_count=3)
    Membership.objects.create(group=group, user=author, status="member", changed_at=group.created_at)
    Channel.objects.create(name="Roofs", name_key="roofs", owner=author, subscriber_count=2)
    with pytest.raises(CommandError, match="2 differ"):
        verify(fix=True)
    assert Group.objects.get().member_count == 1
    assert Channel.objects.get().subscriber_count == 0


def test_missing_rows_are_found_and_made(community: Post) -> None:
    PostCounts.objects.filter(post=community).delete()
    AuthorCounts.objects.all().delete()
    with pytest.raises(CommandError, match="2 differ"):
        verify(fix=True)
    assert "0 differ" in verify()
    assert PostCounts.objects.get(post=community).reactions == {"👍": 1, "🎉": 1}


def test_many_rows_are_corrected_in_as_many_statements_as_one(author: User) -> None:
    made = []
    for posts in (1, 9):
        while Post.objects.count() < posts:
            make_post(author)
        PostCounts.objects.update(like_count=7)
        with CaptureQueriesContext(connection) as statements, pytest.raises(CommandError, match=f" {posts} differ"):
            verify(fix=True)
        made.append(len(statements))
    assert made[0] == made[1]


def test_each_person_is_told_of_what_they_can_read(
    author: User, follower: User, stranger: User, moderator: User
) -> None:
    def told() -> list[int]:
        return [person_page(who, author.pk, clock.now()).posts_count for who in (stranger, follower, moderator, author)]

    group = Group.objects.create(name="Us", name_key="us", visibility="private", join_policy="invite")
    Membership.objects.create(group=group, user=author, status="member", changed_at=group.created_at)
    assert told() == [0, 0, 0, 0]
    public = [make_post(author) for _ in range(3)]
    make_post(author, visibility="followers")
    make_post(author, visibility="private")
    make_post(author, group_id=group.pk)
    assert told() == [3, 4, 4, 6]
    for name, value in (("hidden_at", clock.now()), ("held_at", clock.now()), ("visibility", "private")):
        one = public.pop()
        Post.objects.filter(pk=one.pk).update(**{name: value})
        assert told()[0] == len(public)
    Post.objects.update(hidden_at=None)
    assert told()[0] == 1
    Post.objects.all().delete()
    assert AuthorCounts.objects.values_list("public_posts", "followers_posts").get() == (0, 0)


def test_counts_are_never_negative(community: Post) -> None:
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE social_postcounts SET comment_count = -1")
