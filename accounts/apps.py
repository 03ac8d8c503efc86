from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import browser_sessions, relations, selectors  # noqa: F401  (registers receivers)
        from accounts.authentication import live_sessions, session_of
        from core.realtime import sockets
        from notifications import people

        sockets.authenticate_with(sockets.SocketAuthentication(session_of, live_sessions))
        people.answer_with(people.Answers(relations.silent_for, selectors.names_of))
