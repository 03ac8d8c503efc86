"""A community of many posts for the measurements, in a database of its own under var/community-<posts>."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bench.platform import VIEWER, Platform, prepared
from bench.server import ROOT

STAR, HERMIT, BUSY_AUTHOR, EAGER_READER = (f"person{n}@bench.example" for n in (1, 2, 3, 5))
"""Followed by everybody; by nobody; with 200 posts; who follows 10,000 people and is in 50 groups (community.sql)."""
CAMPAIGNS = 50
FEEDS = """
INSERT INTO social_feeditem (user_id, kind, item_id)
    SELECT reader.id, 'post', item.id
      FROM (SELECT id FROM accounts_user WHERE email IN (%s, %s)
            UNION ALL SELECT pg_temp.person(n) FROM generate_series(1001, 1200) n WHERE n <= %s) reader
     CROSS JOIN LATERAL (
        SELECT id FROM (
            SELECT p.id, p.author_id FROM social_follow f CROSS JOIN LATERAL (
                SELECT * FROM social_post p WHERE p.author_id = f.followed_id AND p.deleted_at IS NULL
                 ORDER BY p.id DESC LIMIT 1000) p
              LEFT JOIN social_group g ON g.id = p.group_id
             WHERE f.follower_id = reader.id AND p.visibility <> 'private'
               AND (p.channel_id IS NULL OR p.visibility = 'public') AND (p.group_id IS NULL OR g.visibility = 'public')
            UNION
            SELECT p.id, p.author_id FROM social_membership m CROSS JOIN LATERAL (
                SELECT * FROM social_post p WHERE p.group_id = m.group_id AND p.deleted_at IS NULL
                 ORDER BY p.id DESC LIMIT 1000) p
             WHERE m.user_id = reader.id AND m.status = 'member'
            UNION
            SELECT p.id, p.author_id FROM social_channelmember m CROSS JOIN LATERAL (
                SELECT * FROM social_post p WHERE p.channel_id = m.channel_id AND p.deleted_at IS NULL
                 ORDER BY p.id DESC LIMIT 1000) p
             WHERE m.user_id = reader.id
        ) found WHERE author_id <> reader.id ORDER BY id DESC LIMIT 1000) item
"""
"""The feeds of the readers that are measured and of two hundred others, as the worker leaves them."""


@dataclass(frozen=True)
class Pages:
    """What is asked for, by the ids in its addresses."""

    author: UUID
    post: UUID
    """One of theirs with some 300 comments."""
    group: UUID
    """A public one that the viewer is in."""


@contextmanager
def community(posts: int) -> Iterator[Platform]:
    """The servers, with a community of so many posts; kept for the next run."""
    with prepared(f"community-{posts}") as platform:
        fill(posts)
        yield platform


def fill(posts: int) -> None:
    from django.db import connection, transaction

    from accounts.models import User
    from accounts.testing import make_person
    from campaigns.testing import make_campaign
    from core import clock
    from core.jobs.runner import all_jobs, run

    if User.objects.filter(email=VIEWER).exists():
        return
    sys.stdout.write(f"filling the community with {posts} posts\n")
    started = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        viewer = make_person(email=VIEWER, first_name="Vera")
        founder = make_person(email="founder@bench.example", first_name="Fay", identity=True)
        for number in range(CAMPAIGNS):
            make_campaign(founder, title=f"A solar roof for school {number}")
        script = (ROOT / "bench" / "community.sql").read_text()
        cursor.execute(script.replace(":posts", str(posts)).replace(":viewer", f"uuid '{viewer.pk}'"))
        cursor.execute("ANALYZE")
        cursor.execute(FEEDS, [VIEWER, EAGER_READER, posts // 10])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    if job := all_jobs().get("social.learn_words"):
        run(job, now=clock.now())
    sys.stdout.write(f"filled in {time.monotonic() - started:.0f} s\n")


def pages() -> Pages:
    from social.models import Group, Post

    posts: Any = Post.objects.filter(author__email=BUSY_AUTHOR, counts__comment_count__gt=200)
    group = Group.objects.filter(memberships__user__email=VIEWER, visibility="public").order_by("pk")[0]
    return Pages(author=posts.get().author_id, post=posts.get().pk, group=group.pk)


def people(count: int) -> list[Any]:
    """Some of the many, none of those with a part of their own."""
    from accounts.models import User

    return list(User.objects.filter(email__in=[f"person{n}@bench.example" for n in range(500, 500 + count)]))
