from datetime import datetime

from ledger.models import LedgerAccount


def open_account(code: str, *, kind: str, currency: str, now: datetime, may_go_negative: bool = False) -> LedgerAccount:
    """
    The account called `code`, opened if it is new. Two callers at once get the same row.

    Its nature is fixed from then on; its balance fields are as they were when read.

    :param kind: asset, liability, income or expense (`LedgerAccount.Kind`)
    :raises ValueError: it exists with another kind, currency or floor
    """
    account = LedgerAccount.objects.filter(code=code).first()
    if account is None:
        # A rival's insert makes this one wait for its commit and then do nothing; the read after it sees the row.
        LedgerAccount.objects.bulk_create(
            [LedgerAccount(code=code, kind=kind, currency=currency, may_go_negative=may_go_negative, created_at=now)],
            ignore_conflicts=True,
        )
        account = LedgerAccount.objects.get(code=code)
    nature = (account.kind, account.currency, account.may_go_negative)
    if nature != (kind, currency, may_go_negative):
        raise ValueError(f"{code} is already open as {nature}")
    return account
