"""
How people are notified of an event, for the declarations in the `events.py` of each app (docs/notifications.md):

    Notice      an entry in the inbox with its frame on the socket, and a mail and an SMS if the person wants them
    Mail        a mail that belongs to an act, such as a link to verify an address: whatever the preferences, no entry
    Text        an SMS that belongs to an act, to a number that need not be confirmed yet
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

from core import events
from core.events import Effect, Kind, Recorded
from notifications.messages import Category, Message
from notifications.services import mails, notices

__all__ = ["Category", "Mail", "Notice", "Text", "message_called", "messages_of"]


@dataclass(frozen=True)
class Notice(Effect):
    column = "Notice"

    message: Message
    to: str
    """The fact that holds the id of the recipient, or a list of ids."""
    only_if: str = ""
    """The fact that has to be true."""
    unless: str = ""
    """The fact that has to be false."""

    def check(self, kind: Kind) -> None:
        used = [self.to, *filter(None, [self.only_if, self.unless]), *self.message.facts]
        kind.require(used, f"the notice {self.message.name}")

    def describe(self) -> str:
        by_sms = ", SMS" if self.message.sms else ""
        category = self.message.category.name.lower()
        condition = f", if `{self.only_if}`" if self.only_if else f", unless `{self.unless}`" if self.unless else ""
        return f"`{self.message.name}` to `{self.to}`{condition} ({category}; inbox, socket, mail{by_sms})"

    def deliver(self, event: Recorded) -> None:
        self.deliver_many([(self, event)])

    @classmethod
    def deliver_many(cls, happened: Sequence[tuple[Self, Recorded]]) -> None:
        notices.write_entries([notice.entries(event) for notice, event in happened if notice.is_due(event)])

    def is_due(self, event: Recorded) -> bool:
        return bool((not self.only_if or event.facts[self.only_if]) and not (self.unless and event.facts[self.unless]))

    def entries(self, event: Recorded) -> notices.Entries:
        found = event.facts[self.to]
        people = found if isinstance(found, list) else [found]
        return notices.Entries(self.message, event.facts, people, caused_by=event.id, request_id=event.request_id)


@dataclass(frozen=True)
class Mail(Effect):
    column = "Mail"

    message: Message
    to: str
    """The fact that holds the id of the person in whose language and under whose name it is written."""
    address: str = ""
    """The fact that holds where it goes, if not to that person's own address. Without the fact there is no mail."""

    def check(self, kind: Kind) -> None:
        kind.require([self.to, *filter(None, [self.address]), *self.message.facts], f"the mail {self.message.name}")

    def describe(self) -> str:
        return f"`{self.message.name}` to `{self.address or self.to}`"

    def deliver(self, event: Recorded) -> None:
        address = event.facts.get(self.address, "") if self.address else ""
        if address or not self.address:
            mails.mail(self.message, event.facts, to=event.facts[self.to], address=address, caused_by=event.id)


@dataclass(frozen=True)
class Text(Effect):
    column = "SMS"

    message: Message
    to: str
    """The fact that holds the person's id."""
    number: str
    """The fact that holds where it goes. `services.mails.require_sms` has been asked about it."""

    def check(self, kind: Kind) -> None:
        kind.require([self.to, self.number, *self.message.facts], f"the SMS {self.message.name}")

    def describe(self) -> str:
        return f"`{self.message.name}` to `{self.number}`"

    def deliver(self, event: Recorded) -> None:
        number = event.facts[self.number]
        mails.text(self.message, event.facts, to=event.facts[self.to], number=number, caused_by=event.id)


def messages_of(*effects: type[Effect]) -> dict[str, Message]:
    """Every message that is declared in effects of these types, by name."""
    return {
        effect.message.name: effect.message
        for kind in events.all_kinds()
        for effect in kind.effects
        if isinstance(effect, Notice | Mail | Text) and isinstance(effect, effects)
    }


def message_called(name: str) -> Message | None:
    """None for one that is not declared any more."""
    return _by_name().get(name)


@cache
def _by_name() -> dict[str, Message]:
    return messages_of(Notice, Mail, Text)
