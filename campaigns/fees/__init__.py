"""
What investors and owners pay, as data (docs/fees.md).

`data/<name>-<version>.toml` holds one version of a schedule. `FEE_SCHEDULE` names the one for new campaigns; a campaign
keeps the version that was the newest when it was published. A version that campaigns have is never edited: a change is
a new file.
"""

from campaigns.fees.schedules import (
    Due,
    Fee,
    FeeKind,
    PaidBy,
    RefundedWhen,
    Schedule,
    check_settings,
    every_version,
    given_back,
    newest_version,
    schedule,
)

__all__ = [
    "Due",
    "Fee",
    "FeeKind",
    "PaidBy",
    "RefundedWhen",
    "Schedule",
    "check_settings",
    "every_version",
    "given_back",
    "newest_version",
    "schedule",
]
