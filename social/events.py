"""Events of the community, with their notices."""

from uuid import UUID

from core.events import Kind, declare
from social.models import Post

declare(
    Kind("post.published", about=Post, facts={"author_id": UUID, "campaign_id": UUID | None}, audit=False),
    Kind("post.deleted", about=Post, facts={"author_id": UUID}),
)
