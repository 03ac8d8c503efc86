"""
Every kind of notice there is: its category, the facts its words need, and where its button leads.

The words lie in `templates/notifications/<kind>/`: `title.txt` (one line; also the subject and the SMS unless there is
an `sms.txt`), `body.txt` (paragraphs), `action.txt` (the button). docs/notifications.md says how to add one.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Rule:
    """
    How a category reaches people. `switch` is the preference that turns its mails and SMS off (and the inbox entry too,
    unless `keeps`); `insists` sends the mail whatever the preferences say.
    """

    switch: str = ""
    keeps: bool = True
    insists: bool = False


class Category(Enum):
    SECURITY = Rule(insists=True)
    LOGINS = Rule(switch="login_alerts")
    KYC = Rule()
    INVESTMENTS = Rule(switch="investment_updates")
    CAMPAIGNS = Rule(switch="campaign_updates")
    SOCIAL = Rule(switch="social_interactions", keeps=False)


@dataclass(frozen=True, slots=True)
class Kind:
    """`facts` must be given by the caller; more may be. `path` is where the front end shows it, from the facts."""

    category: Category
    facts: tuple[str, ...] = ()
    sms: bool = False
    path: str = ""


def _campaign(*facts: str, sms: bool = False) -> Kind:
    return Kind(Category.CAMPAIGNS, ("campaign_id", "campaign_title", *facts), sms=sms, path="/campaigns/{campaign_id}")


def _investment(*facts: str, sms: bool = False) -> Kind:
    needed = ("investment_id", "campaign_id", "campaign_title", "amount", *facts)
    return Kind(Category.INVESTMENTS, needed, sms=sms, path="/investments/{investment_id}")


KINDS: dict[str, Kind] = {
    "kyc_received": Kind(Category.KYC, path="/kyc"),
    "kyc_verified": Kind(Category.KYC, sms=True, path="/kyc"),
    "kyc_rejected": Kind(Category.KYC, sms=True, path="/kyc"),
    "kyc_resubmit": Kind(Category.KYC, sms=True, path="/kyc"),
    "campaign_submitted": _campaign(),
    "campaign_published": _campaign(),
    "campaign_rejected": _campaign(),
    "campaign_funded": _campaign("amount", sms=True),
    "campaign_failed": _campaign(sms=True),
    "campaign_cancelled": _campaign(),
    "new_backer": _campaign("backer_name", "amount"),
    "investment_committed": _investment(),
    "investment_requires_action": _investment(sms=True),
    "investment_failed": _investment(sms=True),
    "investment_refunded": _investment(sms=True),
    "investment_settled": _investment(sms=True),
    "new_device": Kind(Category.LOGINS, ("device",), sms=True),
    "session_revoked": Kind(Category.SECURITY, ("device",), sms=True),
    "phone_changed": Kind(Category.SECURITY, ("ending",)),
    "phone_removed": Kind(Category.SECURITY),
}
"""What `notify` takes: an inbox entry, a frame on the socket, a mail and an SMS by preference."""

MAILS: dict[str, Kind] = {
    "verify_email": Kind(Category.SECURITY, ("token",), path="/verify-email?token={token}"),
    "email_taken": Kind(Category.SECURITY),
}
"""What `send_mail_to` takes: mails that belong to an act and go out whatever the preferences, without inbox entry."""
