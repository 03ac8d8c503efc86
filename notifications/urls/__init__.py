"""/api/notifications"""

from django.urls import path

from notifications.views import Inbox

urlpatterns = [
    path("", Inbox.as_view({"get": "list"})),
    path("/read-all", Inbox.as_view({"put": "read_all"})),
    path("/<uuid:notification_id>/read", Inbox.as_view({"put": "read"})),
]
