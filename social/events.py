"""Events of the community, with their notices."""

from uuid import UUID

from core.events import Kind, declare
from notifications.effects import Withdrawal
from social.models import Comment, Post
from social.notices import COMMENT_LIKED, COMMENTED, LIKED, MENTIONED, REACTED, REPLIED, PostNotice

AUTHOR = {"author_id": UUID}
OF_A_COMMENT = {"post_id": UUID, "author_id": UUID}
REACTION = {"author_id": UUID, "emoji": str, "act": str}
TOLD = {"answered_ids": list[UUID], "post_author_ids": list[UUID]}

declare(
    Kind("post.published", about=Post, facts={"author_id": UUID, "campaign_id": UUID | None}, audit=False),
    Kind("post.edited", about=Post, facts={**AUTHOR, "fields": list[str]}, audit=False),
    Kind("post.deleted", about=Post, facts={**AUTHOR, "by_moderator": bool}),
    Kind(
        "post.mentioned",
        about=Post,
        facts={"mentioned_ids": list[UUID]},
        audit=False,
        effects=[PostNotice(MENTIONED, to="mentioned_ids")],
    ),
    Kind("post.liked", about=Post, facts=AUTHOR, audit=False, effects=[PostNotice(LIKED, to="author_id")]),
    Kind("post.unliked", about=Post, facts=AUTHOR, audit=False, effects=[Withdrawal(LIKED, to="author_id")]),
    Kind("post.reacted", about=Post, facts=REACTION, audit=False, effects=[PostNotice(REACTED, to="author_id")]),
    Kind(
        "post.reaction_removed",
        about=Post,
        facts=REACTION,
        audit=False,
        effects=[Withdrawal(REACTED, to="author_id")],
    ),
    Kind(
        "comment.added",
        about=Comment,
        facts={"post_id": UUID, "parent_id": UUID | None, "mentioned_ids": list[UUID], **TOLD},
        audit=False,
        effects=[
            PostNotice(REPLIED, to="answered_ids"),
            PostNotice(MENTIONED, to="mentioned_ids"),
            PostNotice(COMMENTED, to="post_author_ids"),
        ],
    ),
    Kind(
        "comment.deleted",
        about=Comment,
        facts={**OF_A_COMMENT, **TOLD},
        effects=[
            Withdrawal(REPLIED, to="answered_ids", actor="author_id"),
            Withdrawal(COMMENTED, to="post_author_ids", actor="author_id"),
        ],
    ),
    Kind(
        "comment.liked",
        about=Comment,
        facts=OF_A_COMMENT,
        audit=False,
        effects=[PostNotice(COMMENT_LIKED, to="author_id")],
    ),
    Kind(
        "comment.unliked",
        about=Comment,
        facts=OF_A_COMMENT,
        audit=False,
        effects=[Withdrawal(COMMENT_LIKED, to="author_id")],
    ),
)
