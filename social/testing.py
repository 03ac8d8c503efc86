"""Posts, groups and channels for tests of every app, as their services leave them."""

from typing import Any

from accounts.models import User
from core import clock
from core.testing import commits
from social.models import Comment, Post
from social.services.comments import write_comment
from social.services.posts import draft_post, publish_post


def make_post(author: User, content: str = "The panels are on the roof.", **fields: Any) -> Post:
    now = clock.now()
    with commits():
        return publish_post(draft_post(author=author, content=content, now=now, **fields), now=now)


def make_comment(author: User, post: Post, content: str = "Well done.", **fields: Any) -> Comment:
    with commits():
        return write_comment(author=author, post_id=post.pk, content=content, now=clock.now(), **fields)
