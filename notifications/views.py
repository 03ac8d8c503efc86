"""/api/notifications, and the switches at /api/profile/notifications: everybody sees and turns only their own."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response

from core.api.openapi import Message, describe
from core.api.pages import paginate
from core.api.permissions import Open, SignedIn
from core.api.requests import Request
from core.api.serializers import parse
from core.api.views import ApiViewSet
from notifications import selectors
from notifications.errors import QuietHoursNeedTwoEnds, UnsubscribeLinkNotValid
from notifications.inputs import PreferencesInput, ReadAllInput
from notifications.outputs import InboxOutput, NotificationOutput, PreferencesOutput, UnreadOutput, shown
from notifications.services import notices, recipients, unsubscribing


class Inbox(ApiViewSet):
    permission_classes = [SignedIn]

    @describe(
        "My notifications, newest first",
        page_of=NotificationOutput,
        answer=InboxOutput,
        parameters=[OpenApiParameter("unread", OpenApiTypes.BOOL, description="Only those not read yet.")],
    )
    def list(self, request: Request) -> Response:
        entries = selectors.inbox(request.user.pk, unread_only=request.query_params.get("unread") == "true")
        page = paginate(request, entries, shown, order=("-id",))
        return Response({**page, "unreadCount": selectors.unread_count(request.user.pk)})

    @describe("Mark one as read", answer=NotificationOutput)
    def read(self, request: Request, notification_id: UUID) -> Response:
        entry = notices.mark_read(user_id=request.user.pk, notification_id=notification_id, now=timezone.now())
        return Response(shown([entry])[0])

    @describe(
        "Mark all as read",
        request=ReadAllInput,
        answer=UnreadOutput,
        details="With `upToId` only that one and older ones: what came while the person was reading stays unread.",
    )
    def read_all(self, request: Request) -> Response:
        up_to_id = parse(ReadAllInput, request).get("up_to_id")
        notices.mark_all_read(user_id=request.user.pk, up_to_id=up_to_id, now=timezone.now())
        return Response({"unreadCount": selectors.unread_count(request.user.pk)})


class Preferences(ApiViewSet):
    permission_classes = [SignedIn]

    @describe("What I want to hear, and where", answer=PreferencesOutput)
    def show(self, request: Request) -> Response:
        return Response(PreferencesOutput(selectors.preferences(request.user.pk)).data)

    @describe(
        "Change what I want to hear",
        request=PreferencesInput,
        answer=PreferencesOutput,
        errors=[QuietHoursNeedTwoEnds],
        details="Any subset. Mails about the safety of the account cannot be switched off and do not wait for the end "
        "of the quiet hours.",
    )
    def change(self, request: Request) -> Response:
        switches = parse(PreferencesInput, request)
        recipient = recipients.set_preferences(user_id=request.user.pk, **switches)
        return Response(PreferencesOutput(recipient).data)


class Unsubscribe(ApiViewSet):
    """
    What mail programs call for people: `List-Unsubscribe` leads here (RFC 8058).

    The token is the proof. Whatever is in the body (`List-Unsubscribe=One-Click`, as a form) is not looked at.
    """

    permission_classes = [Open]

    @describe("Turn off what a mail was about, in one click", answer=Message, errors=[UnsubscribeLinkNotValid])
    def unsubscribe(self, request: Request, token: str) -> Response:
        turned_off = unsubscribing.unsubscribe(token=token, now=timezone.now())
        return Response({"message": _("You will get no more mails about %(about)s.") % {"about": turned_off.about}})

    @describe("The page of a link to unsubscribe", status=302)
    def page(self, request: Request, token: str) -> HttpResponse:
        """Programs that know nothing of RFC 8058 open the address in a browser; looking changes nothing."""
        return HttpResponseRedirect(unsubscribing.page_of(token))
