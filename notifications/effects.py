"""
How people are notified of an event, for the declarations in the `events.py` of each app (docs/notifications.md):

    Notice      an entry in the inbox with its frame on the socket, and a mail and an SMS if the person wants them
    Withdrawal  what a grouped notice was about is undone
    Mail        a mail that belongs to an act, such as a link to verify an address: whatever the preferences, no entry
    Text        an SMS that belongs to an act, to a number that need not be confirmed yet
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self
from uuid import UUID

from core import context, events
from core.events import Effect, Kind, Recorded
from notifications.messages import Category, Message
from notifications.services import groups, mails, notices

__all__ = ["Category", "Mail", "Notice", "Text", "Withdrawal", "message_called", "messages_of"]


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
        used = [self.to, *filter(None, [self.only_if, self.unless]), *self.message.used]
        kind.require(used, f"the notice {self.message.name}")
        if self.message.group is not None:
            groups.declare(self.message)

    def describe(self) -> str:
        by_sms = ", SMS" if self.message.sms else ""
        category = self.message.category.name.lower()
        condition = f", if `{self.only_if}`" if self.only_if else f", unless `{self.unless}`" if self.unless else ""
        grouped = "" if self.message.group is None else "; grouped"
        return f"`{self.message.name}` to `{self.to}`{condition} ({category}; inbox, socket, mail{by_sms}{grouped})"

    def deliver(self, event: Recorded) -> None:
        if not self.is_due(event):
            return
        if self.is_personal:
            self._notify_of_act(event)
        else:
            notices.write_entries([self.entries(event)])

    @classmethod
    def deliver_many(cls, happened: Sequence[tuple[Self, Recorded]]) -> None:
        """Those that are not personal share their statements; a subclass with a `deliver` of its own has each alone."""
        if cls.deliver is not Notice.deliver:
            super().deliver_many(happened)
            return
        due = [(notice, event) for notice, event in happened if notice.is_due(event)]
        notices.write_entries([notice.entries(event) for notice, event in due if not notice.is_personal])
        for notice, event in due:
            if notice.is_personal:
                with context.under_request(event.request_id):
                    notice._notify_of_act(event)

    def _notify_of_act(self, event: Recorded) -> None:
        if event.actor_id is None:
            return
        groups.notify(
            self.message,
            event.facts,
            to=_people(event.facts[self.to]),
            actor_id=event.actor_id,
            caused_by=event.id,
            done_at=event.created_at,
        )

    @property
    def is_personal(self) -> bool:
        """Whether it says what a person did, who may be hidden from the recipient or muted."""
        return self.message.category.value.personal

    def is_due(self, event: Recorded) -> bool:
        return bool((not self.only_if or event.facts[self.only_if]) and not (self.unless and event.facts[self.unless]))

    def entries(self, event: Recorded) -> notices.Entries:
        to = _people(event.facts[self.to])
        return notices.Entries(self.message, event.facts, to, caused_by=event.id, request_id=event.request_id)


@dataclass(frozen=True)
class Withdrawal(Effect):
    """
    Undoes a grouped notice: the event's actor has taken back what they did (`post.unliked`). The event has the facts of
    the message's `group` and `item`.
    """

    column = "Notice"

    message: Message
    to: str
    """The fact that holds the id of the recipient, or a list of ids."""
    actor: str = ""
    """The fact that holds who had done it, if it is not the event's actor: a moderator removes a comment."""

    def check(self, kind: Kind) -> None:
        if self.message.group is None:
            raise TypeError(f"{self.message.name} of {kind.name} is not grouped, so it cannot be withdrawn")
        used = [self.to, *filter(None, [self.actor, self.message.item]), *self.message.group]
        kind.require(used, f"withdrawing {self.message.name}")

    def describe(self) -> str:
        return f"`{self.message.name}` to `{self.to}` is withdrawn"

    def deliver(self, event: Recorded) -> None:
        actor_id = event.facts[self.actor] if self.actor else event.actor_id
        if actor_id is not None:
            to = _people(event.facts[self.to])
            groups.withdraw_notice(self.message, event.facts, to=to, actor_id=actor_id, caused_by=event.id)


def _people(found: UUID | list[UUID]) -> list[UUID]:
    return found if isinstance(found, list) else [found]


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
