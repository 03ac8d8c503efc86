"""The rights of identity review (core.rights)."""

from core import rights

REVIEW = rights.declare(
    "kyc.review",
    roles=["reviewer", "admin"],
    about="See other people's identity cases and papers, judge papers, decide on cases.",
)
AWARD_BADGES = rights.declare(
    "kyc.award_badges", roles=["reviewer", "moderator", "admin"], about="Give people badges and take them back."
)
