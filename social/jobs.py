"""What runs in the background: handlers of the outbox, and what is done by the clock."""

from uuid import UUID

from core.jobs import outbox
from core.jobs.runner import Job, register
from social.services import feeds, stories, words

TRIM_FEEDS = register(
    Job(
        "social.trim_feeds",
        "Remove from feeds what is behind their newest 1,000 items.",
        due=feeds.long_feeds,
        work=feeds.trim_feed,
        batch=feeds.TRIMMED,
    )
)
DELETE_STORIES = register(
    Job(
        "social.delete_stories",
        "Delete stories whose day is over, with their bytes.",
        due=stories.ended_stories,
        work=stories.delete_ended_story,
    )
)
LEARN_WORDS = register(
    Job(
        "social.learn_words",
        "Count the words of the newest public posts, so that search knows beginnings of words and typing errors.",
        due=words.vocabularies,
        work=words.learn_words,
    )
)


@outbox.on(feeds.DELIVER)
def deliver(event_id: UUID, kind: str, item_id: str, step: int = 0, before: str = str(feeds.NEWEST)) -> None:
    feeds.deliver(kind, UUID(item_id), order_id=event_id, step=step, before=UUID(before))
