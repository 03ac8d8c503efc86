from django.urls import path

from notifications.views import Inbox, Preferences

urlpatterns = [
    path("", Inbox.as_view({"get": "list"}), name="notifications"),
    path("/read-all", Inbox.as_view({"put": "read_all"}), name="notifications-read-all"),
    path("/<uuid:notification_id>/read", Inbox.as_view({"put": "read"}), name="notification-read"),
]

on_profile = [
    path("/notifications", Preferences.as_view({"get": "show", "put": "change"}), name="profile-notifications"),
]
"""Mounted under /api/profile."""
