"""
Writers on connections of their own. Each twin takes away what keeps two of them apart, holds both where they have read
the same, and watches the count go wrong.
"""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from core import clock
from core.data.statements import Statement
from core.testing import together
from social import access
from social.emojis import LIKE
from social.errors import TooManyReactions
from social.models import Comment, Post, PostCounts, Reaction
from social.selectors.people import person_page
from social.services import comments, reactions
from social.testing import make_comment, make_post

pytestmark = pytest.mark.django_db(transaction=True)

MEETING = """
CREATE SEQUENCE rivals;  -- grows at once for everybody, whatever their transactions do
CREATE FUNCTION wait_for_a_rival() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM nextval('rivals');
    WHILE (SELECT last_value FROM rivals) < 2 LOOP
        PERFORM pg_sleep(0.01);
    END LOOP;
END $$
"""


@pytest.fixture
def post(author: User) -> Post:
    return make_post(author)


def like(person: User, post: Post) -> None:
    reactions.react(person=person, post_id=post.pk, emoji=LIKE, now=clock.now())


def unlike(person: User, post: Post) -> None:
    reactions.take_back(person=person, post_id=post.pk, emoji=LIKE, now=clock.now())


def counts(post: Post) -> tuple[int, int, int]:
    kept = PostCounts.objects.get(post=post)
    return kept.like_count, kept.reactions.get(LIKE, 0), Reaction.objects.filter(post=post, emoji=LIKE).count()


def test_everybody_likes_at_once(post: Post, person: Callable[..., User]) -> None:
    people = [person(f"p{n}") for n in range(12)]
    assert together(*(partial(like, one, post) for one in people)) == [None] * 12
    assert counts(post) == (12, 12, 12)
    assert together(*(partial(unlike, one, post) for one in people)) == [None] * 12
    assert counts(post) == (0, 0, 0)


@pytest.fixture
def meeting() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(MEETING)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION wait_for_a_rival; DROP SEQUENCE rivals")


def adding_with(old: str, new: str) -> Statement:
    """The statement that adds a reaction, with a change in its text."""
    lines = [f"{line}  -- if {', '.join(names)}" if names else line for line, names in reactions._ADD.lines]
    text = "\n".join(lines)
    assert old in text
    return Statement(text.replace(old, new))


@pytest.fixture
def reading_first(monkeypatch: pytest.MonkeyPatch, meeting: None) -> None:
    """The count is only read, and before both have read it, neither writes."""
    read = "(SELECT b.like_count FROM social_postcounts b, wait_for_a_rival() WHERE b.post_id = changed.post_id)"
    counted = "FROM changed WHERE n.post_id = changed.post_id"
    first = f"(SELECT changed.post_id, {read} AS like_count FROM changed OFFSET 0) before"
    for old, new in (
        ("n.like_count + :likes::bigint", "before.like_count + :likes::bigint"),
        (counted, f"FROM {first} WHERE n.post_id = before.post_id"),
    ):
        monkeypatch.setattr(reactions, "_ADD", adding_with(old, new))


def test_everybody_likes_at_once_twin(post: Post, person: Callable[..., User], reading_first: None) -> None:
    assert together(*(partial(like, person(name), post) for name in ("ada", "ben"))) == [None, None]
    kept, _, there = counts(post)
    assert (kept, there) == (1, 2)


def test_one_person_likes_twice_at_once(post: Post, stranger: User) -> None:
    for _ in range(3):
        together(*[partial(like, stranger, post)] * 4)
        assert counts(post) == (1, 1, 1)
        together(*[partial(unlike, stranger, post)] * 4)
        assert counts(post) == (0, 0, 0)


def test_likes_and_unlikes_at_once_agree(post: Post, stranger: User) -> None:
    for _ in range(5):
        together(*[partial(like, stranger, post), partial(unlike, stranger, post)] * 2)
        likes, of_emoji, there = counts(post)
        assert likes == of_emoji == there


def with_other_emoji(person: User, post: Post, emoji: str) -> Any:
    return partial(reactions.react, person=person, post_id=post.pk, emoji=emoji, now=clock.now())


@pytest.fixture
def nineteen(post: Post, stranger: User) -> None:
    for code in range(0x1F600, 0x1F600 + 19):
        with_other_emoji(stranger, post, chr(code))()


def test_the_last_reaction_is_given_once(post: Post, stranger: User, nineteen: None) -> None:
    outcomes = together(with_other_emoji(stranger, post, "🎉"), with_other_emoji(stranger, post, "🚀"))
    assert sorted(type(one).__name__ for one in outcomes) == ["PostOutput", "TooManyReactions"]
    assert Reaction.objects.filter(user=stranger).count() == 20


def test_the_last_reaction_is_given_once_twin(
    post: Post, stranger: User, nineteen: None, meeting: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock both count nineteen before either commits."""
    counting = "SELECT :id::uuid, :now::timestamptz, target.id, :viewer::uuid, :emoji::text FROM target"
    monkeypatch.setattr(reactions, "_ADD", adding_with(counting, f"{counting}, wait_for_a_rival()"))
    monkeypatch.setattr(reactions, "lock_person", lambda person_id: None)
    outcomes = together(with_other_emoji(stranger, post, "🎉"), with_other_emoji(stranger, post, "🚀"))
    assert not [one for one in outcomes if isinstance(one, TooManyReactions)]
    assert Reaction.objects.filter(user=stranger).count() == 21


def delete(person: User, comment: Comment) -> Any:
    return partial(
        comments.delete_comment, person=person, post_id=comment.post_id, comment_id=comment.pk, now=clock.now()
    )


def comment_count(post: Post) -> int:
    return PostCounts.objects.get(post=post).comment_count


def test_a_comment_deleted_twice_at_once_goes_once(post: Post, stranger: User, moderator: User) -> None:
    make_comment(stranger, post)
    comment = make_comment(stranger, post)
    assert together(delete(stranger, comment), delete(moderator, comment)) == [None, None]
    assert comment_count(post) == 1


def test_a_comment_deleted_twice_at_once_goes_once_twin(
    post: Post, stranger: User, moderator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_comment(stranger, post)
    comment = make_comment(stranger, post)
    both_have_read, bury = threading.Barrier(2), comments.bury_comment

    def wait_and_bury(comment: Comment, **given: Any) -> None:
        both_have_read.wait(60)
        bury(comment, **given)

    monkeypatch.setattr(access, "lock", lambda rows: rows)
    monkeypatch.setattr(comments, "bury_comment", wait_and_bury)
    together(delete(stranger, comment), delete(moderator, comment))
    assert comment_count(post) == 0


def test_comments_and_replies_at_once_are_all_counted(post: Post, author: User, person: Callable[..., User]) -> None:
    top = make_comment(author, post)
    people = [person(f"p{n}") for n in range(4)]
    said = together(
        *(partial(make_comment, one, post) for one in people),
        *(partial(make_comment, one, post, answers_id=top.pk) for one in people),
    )
    assert all(isinstance(one, Comment) for one in said), said
    top.refresh_from_db()
    assert (comment_count(post), top.replies_count) == (9, 4)


def test_posts_at_once_are_all_counted_for_their_author(author: User, stranger: User) -> None:
    together(*[partial(make_post, author)] * 4)
    counts = [person_page(who, author.pk, clock.now()).posts_count for who in (stranger, author)]
    assert counts == [4, 4]
