"""What an erasure takes away and leaves, and what an export holds."""

from collections.abc import Callable
from io import StringIO
from typing import Any

from django.core.management import call_command

from accounts.models import User
from core import clock
from core.data.transactions import atomic
from core.privacy.declarations import every_declaration
from core.privacy.erasure import erase_person
from core.testing import Api
from social.models import Comment, CommentMention, Post, PostCounts, PostMention, Reaction
from social.services.bans import ban
from social.testing import make_comment, make_group, make_post, put_in_group

POSTS = "/api/social/posts"


def test_an_erasure_leaves_the_counts_of_others_exact(
    api: Api, author: User, stranger: User, person: Callable[..., User]
) -> None:
    post = make_post(author, f"<@{stranger.pk}>")
    top = make_comment(stranger, post, f"Mine <@{author.pk}>")
    answer = make_comment(author, post, f"<@{stranger.pk}>", answers_id=top.pk)
    make_comment(stranger, post, "Mine too", answers_id=top.pk)
    other_top = make_comment(author, post)
    make_comment(stranger, post, "And mine", answers_id=other_top.pk)
    me = api.as_user(stranger)
    for path in ("like", "reactions/🎉", "reactions/🚀", f"comments/{answer.pk}/like"):
        me.post(f"{POSTS}/{post.pk}/{path}")
    api.as_user(author).post(f"{POSTS}/{post.pk}/reactions/🎉")
    own = make_post(stranger)
    make_comment(author, own)
    with atomic():
        erase_person(person_id=stranger.pk, now=clock.now())
    assert set(Comment.objects.filter(author=stranger).values_list("content", flat=True)) == {""}
    assert not Reaction.objects.filter(user=stranger).exists()
    assert not Post.objects.filter(author=stranger).exists()
    assert not PostMention.objects.exists()
    assert not CommentMention.objects.exists()
    kept = PostCounts.objects.get(post=post)
    assert (kept.like_count, kept.reactions, kept.comment_count) == (0, {"🎉": 1}, 2)
    assert Comment.objects.get(pk=answer.pk).like_count == 0
    assert Comment.objects.get(pk=other_top.pk).replies_count == 0
    out = StringIO()
    call_command("social_verify", stdout=out)
    assert "0 differ" in out.getvalue()
    shown = api.as_user(author).get(f"{POSTS}/{post.pk}").json()["comments"]["items"]
    authors = [item["author"] and item["author"]["id"] for item in shown]
    assert authors == [str(author.pk), None]
    assert [item["repliesCount"] for item in shown] == [0, 1]


def export_of(person: User) -> dict[str, list[dict[str, Any]]]:
    """Of each model of this app the rows in the person's export."""
    found = {}
    for declaration in every_declaration():
        if declaration.name.startswith("social/"):
            export: Any = declaration.export
            if callable(export):
                found[declaration.name] = list(export(person.pk))
            elif declaration.person is not None and isinstance(export, tuple):
                rows = declaration.model._default_manager.filter(**{declaration.person: person.pk})
                found[declaration.name] = list(rows.values(*export))
    return found


def test_an_export_holds_all_of_it_and_nothing_of_others(api: Api, author: User, stranger: User) -> None:
    post = make_post(author, "First words #solar")
    api.as_user(author).put(f"{POSTS}/{post.pk}", {"content": f"Second words #wind <@{stranger.pk}>"})
    comment = make_comment(author, post, f"My comment <@{stranger.pk}>")
    theirs = make_comment(stranger, post, "Their comment")
    for path in ("like", f"comments/{theirs.pk}/like"):
        api.as_user(author).post(f"{POSTS}/{post.pk}/{path}")
    export = export_of(author)
    (said,) = export["social/posts"]
    assert said["edits"][0]["content"] == "First words #solar"
    assert said["tags"] == ["wind"]
    assert [row["content"] for row in export["social/comments"]] == [comment.content]
    assert [row["emoji"] for row in export["social/reactions"]] == ["👍"]
    assert [row["comment_id"] for row in export["social/comment-likes"]] == [theirs.pk]
    of_stranger = export_of(stranger)
    assert [row["post_id"] for row in of_stranger["social/post-mentions"]] == [post.pk]
    assert [row["comment_id"] for row in of_stranger["social/comment-mentions"]] == [comment.pk]
    assert "Second words" not in str(of_stranger)


def test_an_export_does_not_name_a_secret_group_for_whom_it_has_banned(author: User, stranger: User) -> None:
    groups = [make_group(author, f"Attic {kind}", visibility=kind) for kind in ("secret", "private")]
    for group in groups:
        put_in_group(group, stranger)
    assert [row["groupName"] for row in export_of(stranger)["social/memberships"]] == ["Attic secret", "Attic private"]
    for group in groups:
        ban(actor=author, group_id=group.pk, user_id=stranger.pk, now=clock.now())
    places = export_of(stranger)["social/memberships"]
    assert [(row["status"], row["groupName"]) for row in places] == [("banned", None), ("banned", "Attic private")]
