"""What groups and channels have in common."""

from collections import Counter
from datetime import datetime
from typing import Any

from accounts.services.counts import count
from social.models import Post, PostMedia
from uploads.services import delete_file


def delete_posts_of(*, now: datetime, **place: Any) -> None:
    """
    Delete every post of a group or channel that is being deleted, in the caller's transaction: pictures leave the
    store, and authors' counts follow.

    :param place: `group` or `channel`, locked
    """
    posts = Post.objects.filter(**place)
    counted = Counter(posts.filter(deleted_at__isnull=True).values_list("author_id", flat=True))
    for media in PostMedia.objects.filter(post__in=posts).select_related("file"):
        delete_file(media.file, now=now)
    posts.delete()
    for author_id, number in sorted(counted.items()):
        count(user_id=author_id, posts=-number)
