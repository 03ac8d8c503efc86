"""What an event does to open sockets."""

from dataclasses import dataclass

from django.db import transaction

from core.events import Effect, Kind, Recorded
from core.realtime import publishing


@dataclass(frozen=True)
class CloseSockets(Effect):
    """The sockets of sessions that ended are closed; right after the commit, since a second later is too late."""

    column = "Sockets"
    is_prompt = True

    sessions: str
    """The fact that holds the session's id, or a list of ids."""

    def check(self, kind: Kind) -> None:
        kind.require([self.sessions], "closing sockets")

    def describe(self) -> str:
        return f"those of `{self.sessions}` are closed with 4001, at once"

    def deliver(self, event: Recorded) -> None:
        ended = event.facts[self.sessions]
        sessions = ended if isinstance(ended, list) else [ended]
        transaction.on_commit(lambda: publishing.revoke(sessions=sessions))
