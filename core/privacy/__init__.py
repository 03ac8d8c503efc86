"""Personal data: what is exported, what is erased, and how long each row is kept (docs/privacy.md)."""

from core.privacy.declarations import (
    Cascade,
    Delete,
    DeleteAfter,
    Kept,
    Withheld,
    blocks_erasure,
    declare,
    declare_impersonal,
)

__all__ = [
    "Cascade",
    "Delete",
    "DeleteAfter",
    "Kept",
    "Withheld",
    "blocks_erasure",
    "declare",
    "declare_impersonal",
]
