"""The rights over other people's campaigns (core.rights)."""

from core import rights

MODERATE = rights.declare(
    "campaigns.moderate",
    roles=["moderator", "admin"],
    about="See campaigns that wait for review and who backs a campaign; publish, send back, edit categories.",
    scope="campaigns:moderate",
)
ADD_CATEGORIES = rights.declare("campaigns.add_categories", roles=["admin"], about="Add categories of campaigns.")
