"""/api/notifications, and the switches at /api/profile/notifications: everybody sees and turns only their own."""

from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from msgspec.structs import asdict

from core import clock
from core.api.operations import operation
from core.api.outputs import Message
from core.api.pages import asked_part
from core.api.permissions import Open, SignedIn
from core.api.requests import Request
from core.api.views import ApiViewSet
from notifications import selectors
from notifications.errors import QuietHoursNeedTwoEnds, UnsubscribeLinkNotValid
from notifications.inputs import InboxQuery, PreferencesInput, ReadAllInput
from notifications.outputs import InboxPage, NotificationOutput, PreferencesOutput, UnreadOutput
from notifications.services import notices, recipients, unsubscribing


class Inbox(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("listNotifications", query=InboxQuery, returns=InboxPage)
    def list(self, request: Request, query: dict[str, Any]) -> InboxPage:
        """List notifications, newest first"""
        user_id, unread_only = request.user.pk, query.get("unread", False)
        part = asked_part(request, keys=("id",))
        rows, unread_count = selectors.inbox_rows(user_id, unread_only=unread_only, **part.parameters)
        whole = partial(selectors.inbox, user_id, unread_only=unread_only)
        page = part.page_of(rows, NotificationOutput.of_row, whole=whole)
        return InboxPage(**asdict(page), unread_count=unread_count)

    @operation("markNotificationRead", returns=NotificationOutput)
    def read(self, request: Request, notification_id: UUID) -> NotificationOutput:
        """Mark one as read"""
        entry = notices.mark_read(user_id=request.user.pk, notification_id=notification_id, now=clock.now())
        return NotificationOutput.of(entry)

    @operation("markAllNotificationsRead", ReadAllInput, returns=UnreadOutput)
    def read_all(self, request: Request, data: dict[str, Any]) -> UnreadOutput:
        """
        Mark all as read

        With `upToId` only that one and older ones: what came while the person was reading stays unread.
        """
        notices.mark_all_read(user_id=request.user.pk, up_to_id=data.get("up_to_id"), now=clock.now())
        return UnreadOutput(unread_count=selectors.unread_count(request.user.pk))


class Preferences(ApiViewSet):
    permission_classes = [SignedIn]

    @operation("getNotificationSettings", returns=PreferencesOutput)
    def show(self, request: Request) -> PreferencesOutput:
        """What I want to hear, and where"""
        return PreferencesOutput.of(selectors.preferences(request.user.pk))

    @operation(
        "updateNotificationSettings",
        PreferencesInput,
        returns=PreferencesOutput,
        errors=[QuietHoursNeedTwoEnds],
    )
    def change(self, request: Request, data: dict[str, Any]) -> PreferencesOutput:
        """
        Change what I want to hear

        Any subset. Mails about the safety of the account cannot be switched off and do not wait for the end of the
        quiet hours.
        """
        return PreferencesOutput.of(recipients.set_preferences(user_id=request.user.pk, **data))


class Unsubscribe(ApiViewSet):
    """
    What mail programs call for people: `List-Unsubscribe` leads here (RFC 8058).

    The token is the proof. Whatever is in the body (`List-Unsubscribe=One-Click`, as a form) is not looked at.
    """

    permission_classes = [Open]

    @operation("unsubscribe", returns=Message, errors=[UnsubscribeLinkNotValid])
    def unsubscribe(self, request: Request, token: str) -> Message:
        """Turn off what a mail was about, in one click"""
        turned_off = unsubscribing.unsubscribe(token=token, now=clock.now())
        return Message(message=_("You will get no more mails about %(about)s.") % {"about": turned_off.about})

    @operation("openUnsubscribePage", status=302)
    def page(self, request: Request, token: str) -> HttpResponse:
        """The page of a link to unsubscribe"""
        return HttpResponseRedirect(unsubscribing.page_of(token))
