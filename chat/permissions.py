"""The right over other people's conversations (core.rights)."""

from core import rights

INSPECT = rights.declare(
    "chat.inspect",
    roles=["moderator", "admin"],
    about="See in the admin which conversations there are and who is in them, not what is said.",
)
