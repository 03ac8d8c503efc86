"""
Notices of what people do: one entry for what several do about the same thing (docs/notifications.md, Grouped).

Everything here happens under the lock of the recipient (`Recipient`), which a block takes as well: whether the actor is
hidden or muted is asked under it, so that nothing is written behind a block that has been answered.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max

from core import clock
from core.api.names import to_camel
from core.data.ids import derived_id, uuid7
from core.data.locks import lock
from core.data.transactions import retrying
from core.jobs import outbox
from core.realtime.publishing import publish
from notifications import people, preferences
from notifications.messages import Message
from notifications.models import NoticeGroup, NoticeItem, Notification, Recipient
from notifications.outputs import NotificationChangedFrame, NotificationOutput, NotificationsRemovedFrame
from notifications.services.notices import Entries, data_of, push, write_entries
from notifications.texts import Words, words

GATHER = timedelta(seconds=2)
"""A group's entry is written at most so often: of a burst the first act is shown at once, the others together."""
MAIL_WAIT = timedelta(minutes=5)
"""How long a group's mail waits for more people."""
AT_ONCE = 50
"""Groups that a block takes a person out of in its own transaction; the rest follow in the background."""

_grouped: dict[str, Message] = {}


def declare(message: Message) -> None:
    """Make a grouped message known by its name, for entries that are composed anew."""
    _grouped[message.name] = message


def message_called(name: str) -> Message | None:
    """None for one that is not declared any more."""
    return _grouped.get(name)


# --- An event ---------------------------------------------------------------------------------------------------------


def notify(
    message: Message,
    facts: Mapping[str, Any],
    *,
    to: Collection[UUID],
    actor_id: UUID,
    caused_by: UUID,
    done_at: datetime,
) -> None:
    """
    Notify people of what a person did, in the caller's transaction. For the same event it may be called again.

    :param to: ids of people; the actor, who is hidden from them or mutes them, and who wants none are left out
    :param caused_by: the event's id
    :param done_at: when the person did it (UTC)
    """
    recipients = _locked(to)
    now = clock.now()  # after the lock: whoever held it may have shown the group a moment ago
    silent = people.silent_for(actor_id, recipients.keys(), now) | {actor_id}
    reached = [recipient for pk, recipient in recipients.items() if pk not in silent]
    if message.group is None:
        by = people.actors(1, [actor_id])
        write_entries([Entries(message, facts, [one.pk for one in reached], caused_by=caused_by, by=by)])
        return
    for recipient in reached:
        if preferences.has_entry(recipient, message):
            group = _group(message, facts, recipient.pk)
            item = NoticeItem(
                group=group,
                user_id=recipient.pk,
                actor_id=actor_id,
                item=_item(message, facts, actor_id),
                event_id=caused_by,
                data=data_of(message.chosen(facts)),
                done_at=done_at,
            )
            _take_in(item, message, recipient, now)


def withdraw_notice(
    message: Message, facts: Mapping[str, Any], *, to: Collection[UUID], actor_id: UUID, caused_by: UUID
) -> None:
    """
    What a person did is undone: it leaves the count of its group, or the entry goes with the last one.

    :param facts: with those of the message's `group` and `item`
    :param caused_by: the id of the event that undid it. Events of one act count in the order of their ids, whatever the
        order in which they are delivered
    """
    if message.group is None:
        raise ValueError(f"{message.name} is not grouped")
    for recipient in _locked(to).values():
        group, name = _group(message, facts, recipient.pk), _item(message, facts, actor_id)
        before = group.items.filter(item=name).first()
        if before is not None and before.event_id >= caused_by:
            continue
        changes = {"withdrawn": True, "event_id": caused_by, "data": {}}
        first = {**changes, "user_id": recipient.pk, "actor_id": actor_id, "done_at": clock.now()}
        NoticeItem.objects.update_or_create(group=group, item=name, defaults=changes, create_defaults=first)
        if before is not None and before.generation is not None and not before.withdrawn:
            _recompose(group, before.generation, recipient)


def lock_inboxes(user_ids: Collection[UUID]) -> None:
    """Until the caller's transaction ends nobody else writes what people do into these inboxes, or takes it out."""
    _locked(user_ids)


def _locked(user_ids: Collection[UUID]) -> dict[UUID, Recipient]:
    return {one.pk: one for one in lock(Recipient.objects).filter(pk__in=user_ids).order_by("pk")}


def _group(message: Message, facts: Mapping[str, Any], user_id: UUID) -> NoticeGroup:
    about = ":".join(str(facts[name]) for name in message.group or ())
    group, _ = NoticeGroup.objects.get_or_create(user_id=user_id, kind=message.name, about=about)
    return group


def _item(message: Message, facts: Mapping[str, Any], actor_id: UUID) -> str:
    return str(facts[message.item] if message.item else actor_id)


def _take_in(item: NoticeItem, message: Message, recipient: Recipient, now: datetime) -> None:
    group = item.group
    before = group.items.filter(item=item.item).first()
    if before is not None and before.event_id >= item.event_id:
        return  # delivered before, or undone since
    if before is not None and before.told_at is not None and now < before.told_at + message.window:
        entry = _entry(group, before.generation)
        if entry is not None:  # done again within the window: no news, and it counts again
            changes = {"withdrawn": False, "event_id": item.event_id, "data": item.data}
            NoticeItem.objects.filter(pk=before.pk).update(**changes)
            _recompose(group, before.generation, recipient)
            return
    item.pk = before.pk if before else None
    item.save()
    if group.shown_at is None or now >= group.shown_at + GATHER:
        _show(group, message, recipient, now)
    else:
        later = outbox.row(
            "notifications.show_group",
            id=derived_id(group.pk, f"shown {group.shown_at.isoformat()}"),
            now=now,
            after=group.shown_at + GATHER - now,
            group_id=str(group.pk),
        )
        outbox.emit_once([later])


# --- The entry --------------------------------------------------------------------------------------------------------


@retrying
def show_group(*, group_id: UUID) -> None:
    """Write the entry of a group for whoever came since it was shown last."""
    group = NoticeGroup.objects.filter(pk=group_id).first()
    recipient = _locked([group.user_id]).get(group.user_id) if group else None
    if group is None or recipient is None:
        return  # erased meanwhile
    group.refresh_from_db()
    message = message_called(group.kind)
    if message is not None and preferences.has_entry(recipient, message):
        _show(group, message, recipient, clock.now())


def _show(group: NoticeGroup, message: Message, recipient: Recipient, now: datetime) -> None:
    """
    A new entry in place of the unread one, so that it is on top and nobody's cursor moves. A group that was read, or
    whose window is over, keeps its entry, and the next one begins.
    """
    waiting = group.items.filter(generation__isnull=True, withdrawn=False)
    if not waiting.exists():
        return
    replaced = 0
    if group.opened_at is not None and now < group.opened_at + message.window:
        unread = Notification.objects.of(group.user_id).unread()
        replaced, _ = unread.filter(group_key=_key(group, group.generation)).delete()
    supersedes = group.entry_id if replaced else None
    if not replaced:
        group.generation, group.opened_at = group.generation + 1, now
    waiting.update(generation=group.generation, told_at=now)
    last, text, data = _composed(group, group.generation, message, recipient)
    entry = Notification.objects.create(
        id=uuid7(),
        user_id=group.user_id,
        kind=message.name,
        title=text.title,
        body=text.body,
        data=data,
        event_id=last.event_id,
        group_key=_key(group, group.generation),
        supersedes=supersedes,
        created_at=now,
    )
    group.entry_id, group.shown_at = entry.pk, now
    if preferences.is_mailed(recipient, message) and (
        group.mailed_at is None or now >= group.mailed_at + message.window
    ):
        group.mailed_at = now
        wait = max(preferences.quiet_for(recipient, message, now), MAIL_WAIT)
        mail = outbox.row(
            "notifications.send_group_mail",
            id=derived_id(entry.pk, "mail"),
            now=now,
            after=wait,
            group_key=str(entry.group_key),
        )
        outbox.emit_once([mail])
    group.save()
    transaction.on_commit(partial(push, entry))


def _recompose(group: NoticeGroup, generation: int | None, recipient: Recipient) -> None:
    """Somebody left or came back: the entry says so in its place, or goes with the last one."""
    entry = _entry(group, generation)
    if entry is None:
        return
    if not group.items.filter(generation=generation, withdrawn=False).exists():
        entry_id = entry.pk
        entry.delete()
        transaction.on_commit(partial(_push_removed, group.user_id, [entry_id]))
        return
    message = message_called(group.kind)
    if message is None:
        return  # this kind is not written any more
    _, text, data = _composed(group, generation, message, recipient)
    entry.title, entry.body, entry.data = text.title, text.body, data
    Notification.objects.filter(pk=entry.pk).update(title=entry.title, body=entry.body, data=entry.data)
    transaction.on_commit(partial(_push_changed, entry))


def _composed(
    group: NoticeGroup, generation: int | None, message: Message, recipient: Recipient
) -> tuple[NoticeItem, Words, dict[str, Any]]:
    """The last act that counts, and what the entry says of all of them."""
    acts = group.items.filter(generation=generation, withdrawn=False)
    last = acts.latest("done_at", "event_id")
    newest = acts.values("actor_id").annotate(last=Max("done_at")).order_by("-last", "actor_id")
    shown = [row["actor_id"] for row in newest[: people.SHOWN]]
    by = people.actors(acts.aggregate(n=Count("actor_id", distinct=True))["n"], shown)
    text = words(message, {**facts_in(message, last.data), **by.facts}, language=recipient.language)
    return last, text, {**last.data, **by.data}


def facts_in(message: Message, data: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that an entry's `data` was made of, as text."""
    return {name: data[to_camel(name)] for name in message.facts if to_camel(name) in data}


def _key(group: NoticeGroup, generation: int | None) -> UUID:
    return derived_id(group.pk, f"generation {generation}")


def _entry(group: NoticeGroup, generation: int | None) -> Notification | None:
    return Notification.objects.of(group.user_id).filter(group_key=_key(group, generation)).first()


# --- People who are to be hidden --------------------------------------------------------------------------------------


@retrying
def remove_between(one: UUID, other: UUID) -> None:
    """Two people are hidden from each other: whatever tells one of them of the other leaves their inboxes."""
    for user_id, recipient in _locked([one, other]).items():
        _remove(recipient, other if user_id == one else one, at_most=AT_ONCE)


@retrying
def remove_actor(*, user_id: UUID, actor_id: UUID) -> None:
    """Take a person out of somebody's inbox, all of it."""
    for recipient in _locked([user_id]).values():
        _remove(recipient, actor_id)


def remove_about(user_id: UUID, **ids: UUID) -> None:
    """
    Take what tells of a thing out of the inbox of somebody who may not know of it now, in the caller's transaction.

    :param ids: facts of the entries, such as `group_id`
    """
    lock_inboxes([user_id])
    about = data_of(ids)
    entries = Notification.objects.of(user_id).filter(data__contains=about)
    if found := list(entries.values_list("pk", flat=True)):
        entries.delete()
        transaction.on_commit(partial(_push_removed, user_id, found))


def _remove(recipient: Recipient, actor_id: UUID, at_most: int | None = None) -> None:
    entries = Notification.objects.of(recipient.pk).filter(actor_id=actor_id)
    if ids := list(entries.values_list("pk", flat=True)):
        entries.delete()
        transaction.on_commit(partial(_push_removed, recipient.pk, ids))
    acts = NoticeItem.objects.filter(user_id=recipient.pk, actor_id=actor_id, withdrawn=False)
    # Those that are shown first, the newest before the others: what waits in the background is what nobody looks at.
    found = list(acts.select_related("group").order_by("-done_at", "pk")[:at_most])
    NoticeItem.objects.filter(pk__in=[act.pk for act in found]).update(withdrawn=True, data={})
    for group, generation in {(act.group, act.generation) for act in found if act.generation is not None}:
        _recompose(group, generation, recipient)
    if at_most is not None and len(found) == at_most:
        outbox.emit("notifications.remove_actor", user_id=str(recipient.pk), actor_id=str(actor_id))


def _push_changed(entry: Notification) -> None:
    # The audience is the one person whose inbox it is, as in the next one.
    publish(users=[entry.user_id], frame=NotificationChangedFrame(notification=NotificationOutput.of(entry)))


def _push_removed(user_id: UUID, ids: list[UUID]) -> None:
    publish(users=[user_id], frame=NotificationsRemovedFrame(ids=ids))
