"""Search: one statement for each type of things."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from accounts.selectors import found_people
from campaigns.selectors import found_campaigns
from core.api.outputs import Page
from core.api.pages import Part
from core.data.statements import load
from core.search import Asked, read_name, read_query
from social.access import asker
from social.errors import NothingToLookFor
from social.outputs.search import Hit, Kind
from social.texts import folded_tag

KEYS = ("score", "id")
MAX_FOUND = 1000
"""What is found is counted so far, as the statements look no further."""
_POSTS = load("social/sql/post_search.sql")
_GROUPS = load("social/sql/group_search.sql")
_CHANNELS = load("social/sql/channel_search.sql")

Find = Callable[..., list[Any]]
"""Takes `core.api.pages.Part.parameters`, by `KEYS`, and gives rows, the best first."""


def search_page(person: Any, kind: Kind, q: str, part: Part, now: datetime) -> Page[Hit]:
    """
    What the person may see of one type and `q` finds, the best first.

    :raises NothingToLookFor: no word in `q`
    """
    find: Find
    show: Callable[[Any], Hit]
    match kind:
        case Kind.PEOPLE:
            find, show = partial(found_people, person, _asked(read_name, q)), Hit.of_person
        case Kind.POSTS:
            find, show = _find_posts(person, q), partial(Hit.of_post, now=now)
        case Kind.GROUPS:
            asked = _asked(read_query, q)
            find, show = partial(_GROUPS.rows, **asker(person), **asked.parameters), partial(Hit.of_group, now=now)
        case Kind.CHANNELS:
            asked = _asked(read_query, q)
            find, show = partial(_CHANNELS.rows, **asker(person), **asked.parameters), partial(Hit.of_channel, now=now)
        case Kind.CAMPAIGNS:
            find, show = partial(found_campaigns, person, _asked(read_query, q)), partial(Hit.of_campaign, now=now)
    return part.page_of(find(**part.parameters), show, whole=lambda: len(find(limit=MAX_FOUND)))


def _asked(read: Callable[[str], Asked], q: str) -> Asked:
    asked = read(q)
    if not asked.has_words:
        raise NothingToLookFor(field="q")
    return asked


def _find_posts(person: Any, q: str) -> Find:
    """Hashtags are looked for as such, beside the words."""
    tags = [tag for word in q.split() if (tag := _tag(word))]
    if not tags:
        return partial(_POSTS.rows, **asker(person), **_asked(read_query, q).parameters, untagged=True)
    asked = read_query(" ".join(word for word in q.split() if not _tag(word)))
    return partial(_POSTS.rows, **asker(person), **asked.parameters, words=asked.has_words, tag=tags[0], tags=tags)


def _tag(word: str) -> str:
    return folded_tag(word) if word.startswith(("#", "\uff03")) else ""
