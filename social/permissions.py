"""The rights over what other people publish (core.rights)."""

from core import rights

MODERATE = rights.declare(
    "social.moderate",
    roles=["moderator", "admin"],
    about="Read what groups and followers share, and what is hidden or held; decide reports, hide, freeze, restore.",
    scope="social:moderate",
)
