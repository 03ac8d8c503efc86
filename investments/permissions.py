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
APPROVE_SETTLEMENTS = rights.declare(
    "settlements.approve",
    roles=["admin"],
    about="See what campaigns owe their owners; approve and reject its payment, but for one's own and those one holds.",
)
APPROVE_REFUNDS = rights.declare(
    "refunds.approve",
    roles=["admin"],
    about="Propose refunds; approve large refunds and payouts of other people, which take two.",
)
CORRECT_BOOKS = rights.declare(
    "ledger.correct",
    roles=["admin"],
    about="Propose correcting transactions, and approve those that somebody else has proposed.",
)
REVIEW_RISK = rights.declare(
    "risk.review",
    roles=["admin"],
    about="See the cases that too many declined payments have opened; lift, keep and ban, but in one's own case.",
)
