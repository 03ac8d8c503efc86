"""The right over stored files (core.rights). It opens none of them."""

from core import rights

OPERATE_FILES = rights.declare(
    "uploads.operate",
    roles=["admin"],
    about="See which files are kept and in which state, not what is in them; have failed ones processed again.",
)
