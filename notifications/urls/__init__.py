"""/api/notifications"""

from django.urls import path

from notifications.views import Inbox, Unsubscribe

urlpatterns = [
    path("", Inbox.as_view({"get": "list"})),
    path("/read-all", Inbox.as_view({"put": "read_all"})),
    path("/<uuid:notification_id>/read", Inbox.as_view({"put": "read"})),
    path("/unsubscribe/<str:token>", Unsubscribe.as_view({"get": "page", "post": "unsubscribe"})),
]
