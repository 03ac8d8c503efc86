"""docs/events.md from the declarations."""

from collections.abc import Iterable, Iterator

from core.events.delivery import listeners_of
from core.events.kinds import Kind, all_kinds

_HEAD = """\
# Events

A business fact is recorded in one line, in the transaction that makes it true:

```python
events.record("campaign.published", campaign, actor=moderator, now=now, campaign_title=campaign.title)
```

That writes one row (`core_event`), which is the line of the audit log and the entry in the subject's timeline, and one
row of the [outbox](outbox.md) if something follows. After the commit the worker delivers it: notices become inbox
entries with their frame, mail and SMS ([notifications](notifications.md)), mails and texts of an act go out, and each
listener of another app is called, all of them again until they succeed. A process may die after any commit: nothing is
lost, and nothing is done twice, since every effect goes by the event's id. What cannot wait for the worker (closing the
sockets of a session that ended) is also tried by the recording process itself.

An app declares its kinds in `events.py`, and what it does about those of the apps below it in `listeners.py`. Facts are
checked when they are recorded. Sealed facts wait encrypted in the outbox and are not kept: secrets, and words of people
that must not outlive them. The subject's id is a fact too, under the name of its model.

Rows are kept for ever, but for kinds that say for how many days (`keep=`): likes, reactions and follows, which rows of
their own tell. The job `core.run_retention` deletes those after their time; the database refuses to delete any other.

This page is made from the declarations (`manage.py events_doc`).
"""


def markdown() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for kind in all_kinds() for line in _section(kind)), ""]).rstrip() + "\n"


def _section(kind: Kind) -> Iterator[str]:
    yield f"## `{kind.name}`"
    yield ""
    about = f"About: `{kind.about._meta.label_lower}`" if kind.about else "About no row"
    shown = [name for name, is_on in (("audit log", kind.audit), ("timeline", kind.timeline)) if is_on]
    yield f"- {about}; shown in: {', '.join(shown) or 'neither audit log nor timeline'}"
    if facts := kind.describe_facts():
        yield f"- Facts: {facts}"
    if kind.keep is not None:
        yield f"- Kept for: {kind.keep.days} days"
    yield from _effects(kind)
    if listening := ", ".join(f"`{name}`" for name in sorted(listeners_of(kind.name))):
        yield f"- Listeners: {listening}"
    yield ""


def _effects(kind: Kind) -> Iterable[str]:
    return (f"- {effect.column}: {effect.describe()}" for effect in kind.effects)
