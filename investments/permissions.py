"""The right over other people's investments (core.rights)."""

from core import rights

READ = rights.declare(
    "investments.read",
    roles=["admin"],
    about="See in the admin investments, refunds, payment methods and what payment providers reported.",
    scope="investments:read_all",
)
