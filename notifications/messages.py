"""
What a message needs: the facts for its words, the category that decides how it is sent, where its button leads.

The texts are in `templates/notifications/<name>/`: `title.txt` (one line; also the subject and the SMS unless there is
an `sms.txt`), `body.txt` (paragraphs), `action.txt` (the button). docs/notifications.md says how to add one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Rule:
    """
    How a category reaches people. `switch` is the preference that turns its mails and SMS off (and the inbox entry too,
    unless `keeps_entry`); `always_mailed` sends the mail whatever the preferences say; what is `urgent` does not wait
    for quiet hours to end and is not turned off by a link in the mail. What is `personal` was done by a person: those
    who are hidden from them or mute them are not notified. `about` completes "mails about …".
    """

    switch: str = ""
    keeps_entry: bool = True
    always_mailed: bool = False
    urgent: bool = False
    personal: bool = False
    about: Any = ""

    @property
    def one_click(self) -> bool:
        """Whether its mails carry a link that turns them off (RFC 8058)."""
        return bool(self.switch) and not self.urgent


class Category(Enum):
    SECURITY = Rule(always_mailed=True, urgent=True)
    LOGINS = Rule(switch="login_alerts", always_mailed=True, urgent=True)
    KYC = Rule()
    INVESTMENTS = Rule(switch="investment_updates", about=_("your investments"))
    CAMPAIGNS = Rule(switch="campaign_updates", about=_("campaigns"))
    SOCIAL = Rule(
        switch="social_interactions",
        keeps_entry=False,
        personal=True,
        about=_("what people do with your posts and profile"),
    )
    GROUPS = Rule(switch="social_interactions", about=_("your groups and channels"))
    """What becomes of a person in them, whoever decided it."""
    ADS = Rule(about=_("your ads"))
    """Decisions on somebody's own ads."""
    MODERATION = Rule(always_mailed=True)
    """What moderators decided about somebody's things: always told, by mail too, whatever the preferences."""
    INVITATIONS = Rule(about=_("invitations"))
    """To addresses that may have no account: turned off per address, see `services.unsubscribing`."""


@dataclass(frozen=True, slots=True)
class Message:
    name: str
    """Of its templates; the kind of an inbox entry, as clients see it."""
    category: Category = Category.SECURITY
    facts: tuple[str, ...] = ()
    """Facts of the event that its words use; those of an inbox entry are its `data` too."""
    sms: bool = False
    """Whether an SMS may be sent."""
    path: str = ""
    """Where the front end shows it, made from the facts."""
    group: tuple[str, ...] | None = None
    """
    Facts that say what it is about, such as `("post_id",)`: what several people do about the same thing is one entry,
    "Ada and 41 others liked your post". Empty: all of this kind are one. None: each event is an entry of its own.
    """
    window: timedelta = timedelta(0)
    """How long a group takes in more people, from its first one and until it is read."""
    item: str = ""
    """The fact that names one act of a group, such as `comment_id`, if a person may do it several times."""

    def __post_init__(self) -> None:
        """:raises ValueError: it cannot be sent like this"""
        if self.group is not None and (not self.category.value.personal or self.sms):
            raise ValueError(f"{self.name}: only notices of what people do are grouped, and they are not sent by SMS")

    @property
    def used(self) -> list[str]:
        """Every fact that it needs."""
        return [*self.facts, *(self.group or ()), *filter(None, [self.item])]

    def chosen(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The message's facts among those of an event; the ones that may be absent may be."""
        return {name: facts[name] for name in self.facts if name in facts}
