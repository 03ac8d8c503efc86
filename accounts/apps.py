from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import people, tasks  # noqa: F401  (speak for people; register the outbox handlers)
        from accounts.authentication import live_sessions, session_of
        from core import sockets

        sockets.admit_by(sockets.Admission(session_of, live_sessions))
