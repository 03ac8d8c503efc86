"""Posts, groups and channels for tests of every app, as their services leave them."""

from typing import Any

from accounts.models import User
from core import clock
from social.models import Post
from social.services.posts import draft_post, publish_post


def make_post(author: User, content: str = "The panels are on the roof.", **fields: Any) -> Post:
    now = clock.now()
    return publish_post(draft_post(author=author, content=content, now=now, **fields), now=now)
