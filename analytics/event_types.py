"""
Names of events that clients may send, and the types of their properties. Other names are kept aside and listed.

Business events (an investment, a post) come from `core.events` (`analytics.business`) and are not sent by clients.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

PropertyType = type[str] | type[int] | type[float] | type[bool]


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    about: str
    """What it means, for docs and the admin."""
    properties: Mapping[str, PropertyType] = field(default_factory=dict)
    """Those that are expected, with their types; one of another type is refused, others are kept as they are."""
    is_about_campaign: bool = False


PAGE_VIEW = EventType("page_view", "somebody opened a page", {"title": str, "durationMs": int})
INTERACTIONS = {
    kind: EventType(f"campaign_{kind}", about, properties, is_about_campaign=True)
    for kind, about, properties in (
        ("view", "somebody opened a campaign's page", {}),
        ("click", "somebody followed a link or pressed a button there", {"target": str}),
        ("share", "somebody shared it", {"network": str}),
        ("follow", "somebody followed it", {}),
        ("save", "somebody saved it for later", {}),
        ("play", "somebody played its video", {"seconds": float}),
        ("download", "somebody opened one of its documents", {"document": str}),
        ("start", "somebody began to invest", {}),
    )
}
"""By the `interactionType` of `POST /api/analytics/track/campaign/:id`."""
OTHERS = (
    EventType("profile_view", "somebody opened a person's page", {"userId": str}),
    EventType("post_view", "somebody opened a post", {"postId": str}),
    EventType("search", "somebody searched", {"type": str, "results": int}),
    EventType("sign_up_start", "somebody began to register", {}),
    EventType("link_open", "somebody followed a link", {"target": str}),
)
DECLARED = {each.name: each for each in (PAGE_VIEW, *INTERACTIONS.values(), *OTHERS)}
