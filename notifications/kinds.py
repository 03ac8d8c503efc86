"""
Every kind of notice there is: its category, the facts its words need, and where its button leads.

The words lie in `templates/notifications/<kind>/`: `title.txt` (one line; also the subject and the SMS unless there is
an `sms.txt`), `body.txt` (paragraphs), `action.txt` (the button). docs/notifications.md says how to add one.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Rule:
    """
    How a category reaches people. `switch` is the preference that turns its mails and SMS off (and the inbox entry too,
    unless `keeps`); `insists` sends the mail whatever the preferences say; what is `urgent` does not wait for quiet
    hours to end and is not turned off by a link in the mail. `about` completes "mails about …".
    """

    switch: str = ""
    keeps: bool = True
    insists: bool = False
    urgent: bool = False
    about: Any = ""

    @property
    def one_click(self) -> bool:
        """Whether its mails carry a link that turns them off (RFC 8058)."""
        return bool(self.switch) and not self.urgent


class Category(Enum):
    SECURITY = Rule(insists=True, urgent=True)
    LOGINS = Rule(switch="login_alerts", insists=True, urgent=True)
    KYC = Rule()
    INVESTMENTS = Rule(switch="investment_updates", about=_("your investments"))
    CAMPAIGNS = Rule(switch="campaign_updates", about=_("campaigns"))
    SOCIAL = Rule(switch="social_interactions", keeps=False, about=_("what people do with your posts and profile"))
    INVITATIONS = Rule(about=_("invitations"))
    """To addresses that may have no account: turned off per address, see `services.unsubscribing`."""


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
    "password_changed": Kind(Category.SECURITY),
    "identity_linked": Kind(Category.SECURITY, ("platform",)),
    "identity_unlinked": Kind(Category.SECURITY, ("platform",)),
    "two_factor_enabled": Kind(Category.SECURITY),
    "two_factor_disabled": Kind(Category.SECURITY),
    "authenticator_added": Kind(Category.SECURITY),
    "authenticator_removed": Kind(Category.SECURITY),
    "passkey_added": Kind(Category.SECURITY, ("passkey_name",)),
    "passkey_removed": Kind(Category.SECURITY, ("passkey_name",)),
    "passkey_copied": Kind(Category.SECURITY, ("passkey_name",)),
    "recovery_code_used": Kind(Category.SECURITY, ("left",)),
    "recovery_codes_replaced": Kind(Category.SECURITY),
    "phone_changed": Kind(Category.SECURITY, ("ending",)),
    "phone_removed": Kind(Category.SECURITY),
    "phone_verified": Kind(Category.SECURITY, ("ending",)),
    "export_requested": Kind(Category.SECURITY),
    "export_ready": Kind(Category.SECURITY, ("export_id",), path="/settings/export/{export_id}"),
}
"""What `notify` takes: an inbox entry, a frame on the socket, a mail and an SMS by preference."""

MAILS: dict[str, Kind] = {
    "verify_email": Kind(Category.SECURITY, ("token",), path="/verify-email?token={token}"),
    "email_taken": Kind(Category.SECURITY),
    "reset_password": Kind(Category.SECURITY, ("token",), path="/reset-password?token={token}"),
    "staff_factor": Kind(Category.SECURITY, ("token",), path="/admin/second-factor/?token={token}"),
    "deletion_requested": Kind(Category.SECURITY, ("day",)),
    "deletion_cancelled": Kind(Category.SECURITY),
    "invitation": Kind(Category.INVITATIONS, ("inviter", "token"), path="/register?inviteToken={token}"),
}
"""What `send_mail_to` takes: mails that belong to an act and go out whatever the preferences, without inbox entry."""

TEXTS: dict[str, Kind] = {"phone_code": Kind(Category.SECURITY, ("code",), sms=True)}
"""What `send_text_to` takes: SMS that belong to an act, to a number that need not be confirmed yet."""
