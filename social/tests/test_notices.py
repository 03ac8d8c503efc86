"""Who is notified of what people do with posts, judged when the notice is delivered."""

from collections.abc import Callable
from typing import Any

from accounts.models import Block, User
from core import clock
from core.testing import Api, deliver_events
from notifications.models import Notification, Recipient
from social.models import Comment, Follow, Post
from social.testing import make_comment, make_post

POSTS = "/api/social/posts"


def kinds(person: User) -> list[str]:
    """The kinds of a person's entries, oldest first."""
    return list(Notification.objects.filter(user_id=person.pk).order_by("id").values_list("kind", flat=True))


def entry(person: User) -> Notification:
    return Notification.objects.get(user_id=person.pk)


def test_likes_are_gathered_and_withdrawn(api: Api, author: User, person: Callable[..., User]) -> None:
    post = make_post(author)
    ada, ben = api.as_user(person("ada")), api.as_user(person("ben"))
    like = f"{POSTS}/{post.pk}/like"
    ada.post(like)
    deliver_events()
    assert entry(author).title == "Ada Example liked your post"
    assert entry(author).data["postId"] == str(post.pk)
    ada.post(like)
    ada.delete(like)
    deliver_events()
    assert kinds(author) == []
    ben.post(f"{POSTS}/{post.pk}/reactions/🎉")
    deliver_events()
    assert kinds(author) == ["post_reacted"]
    ben.delete(f"{POSTS}/{post.pk}/reactions/🎉")
    deliver_events()
    assert kinds(author) == []


def test_nobody_is_told_of_what_they_do_themselves(api: Api, author: User) -> None:
    post = make_post(author, f"<@{author.pk}>")
    comment = make_comment(author, post, f"<@{author.pk}>")
    make_comment(author, post, answers_id=comment.pk)
    me = api.as_user(author)
    me.post(f"{POSTS}/{post.pk}/like")
    me.post(f"{POSTS}/{post.pk}/comments/{comment.pk}/like")
    deliver_events()
    assert kinds(author) == []


def test_a_comment_tells_each_person_once(api: Api, author: User, stranger: User, person: Callable[..., User]) -> None:
    third = person("third")
    post = make_post(author)
    top = make_comment(stranger, post)
    deliver_events()
    assert kinds(author) == ["post_commented"]
    make_comment(third, post, f"<@{stranger.pk}> <@{author.pk}>", answers_id=top.pk)
    deliver_events()
    assert kinds(stranger) == ["comment_replied"]
    assert kinds(author) == ["post_commented", "mentioned"]
    api.as_user(author).post(f"{POSTS}/{post.pk}/comments/{top.pk}/like")
    deliver_events()
    assert kinds(stranger) == ["comment_replied", "comment_liked"]


def test_a_reply_to_a_reply_tells_whom_it_answers(author: User, stranger: User, person: Callable[..., User]) -> None:
    third = person("third")
    post = make_post(author)
    top = make_comment(stranger, post)
    reply = make_comment(third, post, answers_id=top.pk)
    deliver_events()
    make_comment(author, post, answers_id=reply.pk)
    deliver_events()
    assert kinds(third) == ["comment_replied"]
    assert kinds(stranger) == ["comment_replied"]


def test_a_deleted_comment_is_withdrawn(api: Api, author: User, stranger: User, moderator: User) -> None:
    post = make_post(author)
    comment = make_comment(stranger, post)
    deliver_events()
    api.as_user(moderator).delete(f"{POSTS}/{post.pk}/comments/{comment.pk}")
    deliver_events()
    assert kinds(author) == []


def test_who_may_not_read_it_any_more_is_not_told(
    api: Api, author: User, stranger: User, follower: User, person: Callable[..., User]
) -> None:
    """What was for followers when it was written, and is not for this person when the notice is delivered."""
    make_post(author, f"<@{follower.pk}>", visibility="followers")
    Follow.objects.all().delete()
    narrowed = make_post(author, f"<@{stranger.pk}>")
    Post.objects.filter(pk=narrowed.pk).update(visibility="private")
    hidden = make_post(author, f"<@{stranger.pk}>")
    Post.objects.filter(pk=hidden.pk).update(hidden_at=clock.now())
    gone = make_post(author, f"<@{stranger.pk}>")
    api.as_user(author).delete(f"{POSTS}/{gone.pk}")
    post = make_post(author)
    buried = make_comment(stranger, post)
    Comment.objects.filter(pk=buried.pk).update(hidden_at=clock.now())
    deliver_events()
    assert kinds(follower) == kinds(stranger) == []
    assert kinds(author) == ["followed"], "and of the comment that is hidden nothing"


def test_preferences_and_blocks_are_obeyed(api: Api, author: User, stranger: User, follower: User) -> None:
    post = make_post(author)
    Recipient.objects.filter(pk=author.pk).update(social_interactions=False)
    api.as_user(follower).post(f"{POSTS}/{post.pk}/like")
    deliver_events()
    Recipient.objects.filter(pk=author.pk).update(social_interactions=True)
    api.as_user(stranger).post(f"{POSTS}/{post.pk}/like")
    Block.objects.create(blocker=author, blocked=stranger)
    deliver_events()
    assert kinds(author) == []


def test_an_edit_tells_new_people_only(api: Api, author: User, stranger: User, follower: Any) -> None:
    post = make_post(author, f"<@{stranger.pk}>")
    deliver_events()
    api.as_user(author).put(f"{POSTS}/{post.pk}", {"content": f"<@{stranger.pk}> <@{follower.pk}>"})
    deliver_events()
    assert kinds(stranger) == kinds(follower) == ["mentioned"]
