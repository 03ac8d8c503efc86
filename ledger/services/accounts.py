from datetime import datetime
from typing import NamedTuple

from core.data import sql
from ledger.models import LedgerAccount


class Nature(NamedTuple):
    """What an account is, fixed when it is opened. `kind` is asset, liability, income or expense."""

    code: str
    kind: str
    currency: str
    may_go_negative: bool = False


def open_account(code: str, *, kind: str, currency: str, now: datetime, may_go_negative: bool = False) -> LedgerAccount:
    """The account called `code`; see `open_accounts`."""
    (account,) = open_accounts(Nature(code, kind, currency, may_go_negative), now=now)
    return account


def open_accounts(*natures: Nature, now: datetime) -> list[LedgerAccount]:
    """
    The accounts of these names, in this order; those that are new are opened. Two callers at once get the same rows.

    Their balances are as they were when read.

    :raises ValueError: one exists with another kind, currency or `may_go_negative`
    """
    found = _by_code(natures)
    if missing := [nature for nature in natures if nature.code not in found]:
        # A concurrent insert makes this one wait for its commit and then do nothing; the read after it sees the row.
        LedgerAccount.objects.bulk_create(
            [LedgerAccount(**nature._asdict(), created_at=now) for nature in missing], ignore_conflicts=True
        )
        found = _by_code(natures)
    for nature in natures:
        account = found[nature.code]
        known = Nature(account.code, account.kind, account.currency, account.may_go_negative)
        if known != nature:
            raise ValueError(f"{nature.code} is already open as {known}")
    return [found[nature.code] for nature in natures]


def _by_code(natures: tuple[Nature, ...]) -> dict[str, LedgerAccount]:
    found = sql.every(_BY_CODE, [[nature.code for nature in natures]], LedgerAccount)
    return {account.code: account for (account,) in found}


_BY_CODE = f"SELECT {sql.columns(LedgerAccount, 'a')} FROM ledger_account a WHERE a.code = ANY(%s)"
