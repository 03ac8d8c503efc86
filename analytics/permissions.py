"""The rights over figures of the whole platform (core.rights)."""

from core import rights

READ_FIGURES = rights.declare(
    "analytics.read",
    roles=["moderator", "admin"],
    about="See figures of the whole platform and of every campaign.",
    scope="analytics:read",
)
REGISTER_NAMES = rights.declare(
    "analytics.register_names", roles=["admin"], about="Have events of a new name counted in figures."
)
