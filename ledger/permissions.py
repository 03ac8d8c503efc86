"""The right over the books (core.rights)."""

from core import rights

READ = rights.declare(
    "ledger.read", roles=["admin"], about="Read ledger accounts, postings and entries.", scope="ledger:read"
)
