"""The rights over other people's investments, distributions and risk cases (core.rights)."""

from core import rights

READ = rights.declare(
    "investments.read",
    roles=["admin"],
    about="See in the admin investments, refunds, payment methods and what payment providers reported.",
    scope="investments:read_all",
)
REVIEW_DISTRIBUTIONS = rights.declare(
    "distributions.review",
    roles=["admin"],
    about="See the distributions of campaigns; approve and reject them, but for one's own and those one has a part in.",
)
REVIEW_RISK = rights.declare(
    "risk.review",
    roles=["admin"],
    about="See the cases that too many declined payments have opened; lift, keep and ban, but in one's own case.",
)
